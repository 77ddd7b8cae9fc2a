"""The parts of the local stack, as the configuration has them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from urllib.parse import urlsplit

from jobs.config import Config
from jobs.config_terms import dialled
from jobs.errors import DependencyMissing, JobsError
from jobs.exposure import page_url
from jobs.flink_rest import FlinkRest
from jobs.last_job import require_ended
from jobs.local.answers import answers_ok
from jobs.local.broker import embedded_broker
from jobs.local.jars import require_jars
from jobs.local.java import find_java
from jobs.local.parts import Part, PartState, PartStatus
from jobs.local.ports import is_listened_on, require_free
from jobs.topics import ready_topics

JOB_READY_TIMEOUT_S = 300
"""Long enough for two JVMs' worth of class loading on a machine that has other things to do."""
JOB_STOP_TIMEOUT_S = 120
"""Long enough for a savepoint."""
DELIVERY = "delivery"
DELIVERY_READY_TIMEOUT_S = 3_600
"""Long enough to catch up with a topic of many results."""
DELIVERY_NICE = 5
"""While there is much to compute, what delivers it waits a little: it would only take time from the job."""
SERVICE_PACKAGES = ("aiohttp", "structlog", "uvloop")
"""What gateway and delivery need beside the core."""

CommandLine = Callable[..., list[str]]
Say = Callable[[str], None]


def stack_parts(
    config: Config,
    command_line: CommandLine,
    environ: Mapping[str, str],
    say: Say,
    *,
    fresh: bool = False,
    job: bool = True,
) -> list[Part]:
    """The broker, unless Kafka is somebody else's; gateway and delivery, where this stack has them; the job, if it is to run here.

    `command_line(*arguments)` runs `tickloom ARGUMENTS`; `say` gets, once, what is not as it should be and stops nothing. Raises
    DependencyMissing when Java, the jars or a service's packages are not there.
    """
    require_jars(config.stack.jars)
    say = _once(say)
    parts = [_broker_part(config, environ)] if config.embedded else []
    if config.runs_gateway:
        parts.append(_gateway_part(config, command_line("gateway"), environ, say))
    if config.delivery.enabled:
        parts.append(_delivery_part(config, command_line("delivery"), environ, say))
    if job:
        parts.append(_job_part(config, command_line("job", "run"), environ, say, ("--fresh",) if fresh else ()))
    return parts


def _once(say: Say) -> Say:
    """`say`, for what was not said yet: each part looks at the same topics, and again at each start."""
    said: set[str] = set()

    def say_once(message: str) -> None:
        if message not in said:
            said.add(message)
            say(message)

    return say_once


def serves_charts(part: PartStatus) -> bool:
    """Whether `part` is a delivery that has caught up."""
    return part.name == DELIVERY and part.state is PartState.RUNNING


def _broker_part(config: Config, environ: Mapping[str, str]) -> Part:
    broker = embedded_broker(config, environ)
    return Part(
        "broker",
        broker.argv,
        environ,
        broker.is_ready,
        prepare=broker.prepare,
        address=broker.address,
        stop_timeout_s=30,
        ends_as_tickloom=False,
    )


def _gateway_part(config: Config, argv: Sequence[str], environ: Mapping[str, str], say: Say) -> Part:
    _require_packages("gateway")

    def prepare() -> None:
        for key in ("gateway.listen", "gateway.admin"):
            require_free([config.value(key)], config.cite(key))
        ready_topics(config, say)

    ready = partial(is_listened_on, dialled(config.gateway.admin))  # the last port that it opens
    return Part("gateway", argv, environ, ready, prepare, address=config.gateway.listen, holds_up=False)


def _delivery_part(config: Config, argv: Sequence[str], environ: Mapping[str, str], say: Say) -> Part:
    _require_packages("delivery")

    def prepare() -> None:
        require_free([config.delivery.listen], config.cite("delivery.listen"))
        ready_topics(config, say)

    return Part(
        name=DELIVERY,
        argv=argv,
        environ=environ,
        ready=partial(_is_serving, config),
        prepare=prepare,
        address=page_url(config),
        holds_up=False,
        nice=DELIVERY_NICE,
        ready_timeout_s=DELIVERY_READY_TIMEOUT_S,
    )


def _is_serving(config: Config) -> bool:
    """Whether delivery has caught up; where only clients with a certificate may ask, whether it listens."""
    if config.delivery.tls_client_ca is not None:
        return is_listened_on(dialled(config.delivery.listen))
    return answers_ok(f"{page_url(config)}readyz")


def _require_packages(service: str) -> None:
    if missing := [package for package in SERVICE_PACKAGES if find_spec(package) is None]:
        raise DependencyMissing(
            f"the {service} needs packages that are not installed: {', '.join(missing)}",
            f"pip install 'tickloom[{service}]', or --set {service}.enabled=false",
        )


def _job_part(config: Config, argv: Sequence[str], environ: Mapping[str, str], say: Say, first_arguments: Sequence[str]) -> Part:
    rest = config.job.flink_rest

    def prepare() -> None:
        require_ended(config)
        require_free([urlsplit(rest).netloc], config.cite("job.flink_rest"))
        ready_topics(config, say)

    return Part(
        name="job",
        argv=argv,
        environ={**environ, "JAVA_HOME": str(find_java(environ).home)},
        ready=lambda: _is_running(config),
        prepare=prepare,
        first_arguments=first_arguments,
        address=rest,
        ready_timeout_s=JOB_READY_TIMEOUT_S,
        stop_timeout_s=JOB_STOP_TIMEOUT_S,
    )


def _is_running(config: Config) -> bool:
    try:
        return FlinkRest(config.job.flink_rest, config.cite("job.flink_rest")).is_running(config.stack.name)
    except JobsError:  # not there yet, or not ready to answer: Flink elects its leader first
        return False
