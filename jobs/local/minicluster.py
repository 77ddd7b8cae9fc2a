"""The job on a Flink mini-cluster inside this process's own JVM: start it, wait for it, stop it with a savepoint."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jobs.config import Config
from jobs.errors import JobsError
from jobs.flink_rest import FlinkRest
from jobs.flink_settings import SAVEPOINTS, restore_settings, state_uri
from jobs.local import scratch
from jobs.local.jars import connector_jar, flink_distribution, flink_jars
from jobs.local.java import find_java
from jobs.local.ports import require_free
from jobs.local.resources import resource
from jobs.local.signals import handling
from jobs.resume import Beginning

if TYPE_CHECKING:
    from pyflink.common import JobClient

HEAP = "2g"
_SAVEPOINT_TIMEOUT_S = 100.0
_POLL_S = 0.2
_NONE: Mapping[str, str] = MappingProxyType({})


class JobFailed(JobsError):
    """The job ended by itself, for the reason `why`."""

    def __init__(self, why: str, logs: Path) -> None:
        super().__init__(f"the job failed: {why}; its logs: {logs}", "tickloom logs job")
        self.why = why


def prepare(config: Config, environ: MutableMapping[str, str]) -> None:
    """Set the variables by which PyFlink starts its JVM: Java, class path, configuration, logs. Before PyFlink's first use."""
    logs = config.stack.data_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    configuration = resource("flink-conf")
    environ["JAVA_HOME"] = str(find_java(environ).home)
    environ["FLINK_CONF_DIR"] = str(configuration)
    # With FLINK_HOME set, PyFlink leaves the library folder as it finds it.
    environ["FLINK_HOME"] = str(flink_distribution())
    environ["FLINK_LIB_DIR"] = str(_library(config))
    environ["FLINK_LOG_DIR"] = str(logs)
    environ["LOG4J_PROPERTIES"] = str(configuration / "log4j.properties")
    environ["FLINK_IDENT_STRING"] = config.stack.name
    # Otherwise PyFlink starts a gRPC server for Python beside the JVM, which thread mode never uses, and it listens on all interfaces.
    environ["_python_worker_execution_mode"] = "process"
    environ.setdefault("JVM_ARGS", f"-Xmx{HEAP} -XX:+UseG1GC -XX:+ExitOnOutOfMemoryError")
    _add_options(environ, scratch.options(scratch.of_this_process(config.stack.data_dir / "flink" / "scratch")))


def _add_options(environ: MutableMapping[str, str], options: Sequence[str]) -> None:
    """Have the JVM take `options`, unless JVM_ARGS says otherwise.

    PyFlink takes that apart at each space; the launcher's own variable knows quotes, and says that it was read.
    """
    for option in options:
        if any(map(str.isspace, option)):
            environ["JDK_JAVA_OPTIONS"] = f'{environ.get("JDK_JAVA_OPTIONS", "")} "{option}"'.strip()
        else:
            environ["JVM_ARGS"] = f"{option} {environ['JVM_ARGS']}"


def _library(config: Config) -> Path:
    """A folder of links to the jars of PyFlink, its Prometheus reporter and the Kafka connector: no class loader of their own then."""
    library = config.stack.data_dir / "flink" / "lib"
    library.mkdir(parents=True, exist_ok=True)
    for link in library.iterdir():
        link.unlink()
    for jar in (*flink_jars(), connector_jar(config.stack.jars)):
        (library / jar.name).symlink_to(jar.resolve())
    return library


def start(config: Config, begin: Beginning, run: int, more: Mapping[str, str] = _NONE, *, bounded: bool = False) -> "JobClient":
    """Start the mini-cluster and the job on it, with `more` settings of Flink's. `prepare` comes first. Raises PortInUse."""
    from jobs.ticks_to_indicators import submit

    address = urlsplit(config.job.flink_rest)
    host, port = address.hostname or "127.0.0.1", address.port or 8081
    require_free([f"{host}:{port}"], config.cite("job.flink_rest"))
    settings = {
        "rest.address": host,
        "rest.bind-address": host,
        "rest.port": str(port),
        "rest.bind-port": str(port),
        "jobmanager.bind-host": host,  # config.yaml does not reach the mini-cluster, and its server of files would listen everywhere
        "web.submit.enable": "false",
        "taskmanager.numberOfTaskSlots": str(config.job.parallelism),
        "execution.attached": "true",
        "metrics.fetcher.update-interval": "1000",  # the default of 10 s is long for one who looks
        **more,
    }
    if begin.restore is not None:
        settings |= restore_settings(config, begin.restore)
    return submit(config, settings, run, begin.start, bounded=bounded)


def wait(config: Config, client: "JobClient", stopping: threading.Event, say: Callable[[str], None]) -> None:
    """Wait until the job ends, or `stopping` is set: then stop it with a savepoint; `say` gets why if it has none. Raises JobFailed."""
    end = client.get_job_execution_result()
    while not stopping.wait(_POLL_S):
        if end.done():
            return require_finished(config, client)
    stop(config, str(client.get_job_id()), say)


def require_finished(config: Config, client: "JobClient") -> None:
    """Raise JobFailed unless the job, which has ended by itself, came to the end of its ticks."""
    error = client.get_job_execution_result().exception()
    if error is not None:
        raise JobFailed(str(error).strip().splitlines()[0], config.stack.data_dir / "logs") from error


def stop(config: Config, job_id: str, say: Callable[[str], None]) -> str | None:
    """Stop the job with a savepoint, or cancel it when it cannot make one: its newest checkpoint then serves as well."""
    rest = FlinkRest(config.job.flink_rest, config.cite("job.flink_rest"))
    try:
        return rest.stop_with_savepoint(job_id, state_uri(config, SAVEPOINTS), _SAVEPOINT_TIMEOUT_S)
    except JobsError as error:
        say(f"job {config.stack.name}: {error}; cancelling it, its newest checkpoint stays")
        rest.cancel(job_id)
        time.sleep(1)
        return None


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; a second SIGINT ends the process at once with 130."""
    stopping = threading.Event()

    def on_signal(number: int, frame: object) -> None:
        if stopping.is_set() and number == signal.SIGINT:
            os._exit(130)
        stopping.set()

    with handling(on_signal):
        yield stopping
