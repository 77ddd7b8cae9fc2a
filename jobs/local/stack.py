"""The parts of the local stack, as the configuration has them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from urllib.parse import urlsplit

from jobs.config import Config
from jobs.config_terms import dialled
from jobs.errors import DependencyMissing, JobsError
from jobs.flink_rest import FlinkRest
from jobs.local.broker import embedded_broker
from jobs.local.jars import require_jars
from jobs.local.java import find_java
from jobs.local.parts import Part
from jobs.local.ports import is_listened_on, require_free
from jobs.topics import make_topics

JOB_READY_TIMEOUT_S = 300
"""Long enough for two JVMs' worth of class loading on a machine that has other things to do."""
JOB_STOP_TIMEOUT_S = 60
"""Long enough for a savepoint."""
GATEWAY_PACKAGES = ("aiohttp", "structlog", "uvloop")

CommandLine = Callable[..., list[str]]


def stack_parts(
    config: Config, command_line: CommandLine, environ: Mapping[str, str], *, fresh: bool = False, job: bool = True
) -> list[Part]:
    """The broker, unless Kafka is somebody else's; the gateway, unless this stack has none; the job, if it is to run here.

    `command_line(*arguments)` runs `tickloom ARGUMENTS`. Raises DependencyMissing when Java, the jars or the gateway's packages
    are not there.
    """
    require_jars(config.stack.jars)
    broker = [_broker_part(config, environ)] if config.embedded else []
    gateway = [_gateway_part(config, command_line("gateway"), environ)] if config.runs_gateway else []
    return [*broker, *gateway, *([_job_part(config, command_line("job", "run"), environ, ("--fresh",) if fresh else ())] if job else [])]


def _broker_part(config: Config, environ: Mapping[str, str]) -> Part:
    broker = embedded_broker(config, environ)
    return Part("broker", broker.argv, environ, broker.is_ready, prepare=broker.prepare, address=broker.address, stop_timeout_s=30)


def _gateway_part(config: Config, argv: Sequence[str], environ: Mapping[str, str]) -> Part:
    if missing := [package for package in GATEWAY_PACKAGES if find_spec(package) is None]:
        raise DependencyMissing(
            f"the gateway needs packages that are not installed: {', '.join(missing)}",
            "pip install 'tickloom[gateway]', or --set gateway.enabled=false",
        )

    def prepare() -> None:
        for key in ("gateway.listen", "gateway.admin"):
            require_free([config.value(key)], config.cite(key))
        make_topics(config)

    ready = partial(is_listened_on, dialled(config.gateway.admin))  # the last port that it opens
    return Part("gateway", argv, environ, ready, prepare, address=config.gateway.listen, holds_up=False)


def _job_part(config: Config, argv: Sequence[str], environ: Mapping[str, str], first_arguments: Sequence[str]) -> Part:
    rest = config.job.flink_rest

    def prepare() -> None:
        require_free([urlsplit(rest).netloc], config.cite("job.flink_rest"))
        make_topics(config)

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
