"""The parts of the local stack, as the configuration has them."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from jobs.config import Config
from jobs.errors import JobsError
from jobs.flink_rest import FlinkRest
from jobs.local.broker import embedded_broker
from jobs.local.jars import require_jars
from jobs.local.java import find_java
from jobs.local.parts import Part
from jobs.local.ports import require_free
from jobs.topics import make_topics

JOB_READY_TIMEOUT_S = 300
"""Long enough for two JVMs' worth of class loading on a machine that has other things to do."""
JOB_STOP_TIMEOUT_S = 60
"""Long enough for a savepoint."""

CommandLine = Callable[..., list[str]]


def stack_parts(
    config: Config, command_line: CommandLine, environ: Mapping[str, str], *, fresh: bool = False, job: bool = True
) -> list[Part]:
    """The broker, unless Kafka is somebody else's, and the job, if it is to run here. `command_line(*arguments)` runs `tickloom ARGUMENTS`.

    Raises DependencyMissing when Java or the jars are not there.
    """
    require_jars(config.stack.jars)
    broker = [_broker_part(config, environ)] if config.embedded else []
    return [*broker, *([_job_part(config, command_line("job", "run"), environ, ("--fresh",) if fresh else ())] if job else [])]


def _broker_part(config: Config, environ: Mapping[str, str]) -> Part:
    broker = embedded_broker(config, environ)
    return Part("broker", broker.argv, environ, broker.is_ready, prepare=broker.prepare, address=broker.address, stop_timeout_s=30)


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
