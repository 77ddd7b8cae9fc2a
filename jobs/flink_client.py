"""The client of a Flink cluster: the job built in this process's own JVM, and handed over REST to the cluster once all is ready."""

import sys
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jobs.config import Config
from jobs.errors import JobsError
from jobs.flink_settings import job_parameters, job_settings, restore_settings
from jobs.local import minicluster
from jobs.local.flink_cluster import class_path
from jobs.resume import Beginning
from jobs.shipping import Shipment, pack

if TYPE_CHECKING:
    from pyflink.common import Configuration

_JVM = "-Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
"""It lives for one submission: what starts soonest is best."""
_NEEDED = ("flink-python", "flink-sql-connector-kafka")
"""Jars that our job needs and that a Flink as it is downloaded does not have in its lib folder."""


class Refused(JobsError):
    """The cluster, or Flink's client, did not take the job."""

    def __init__(self, why: str) -> None:
        super().__init__(f"Flink did not take the job: {why}", "the cluster's log; tickloom job status")
        self.why = why


class Submission:
    """One job, built and ready to be handed to a cluster: nothing of the cluster has been touched yet."""

    def __init__(self, config: Config, run: int, start: str, jars: Sequence[Path], environ: MutableMapping[str, str]) -> None:
        """Start a JVM and build the job of `config` in it; `jars` go with it. Raises SpecError, DependencyMissing."""
        environ.setdefault("JVM_ARGS", _JVM)
        minicluster.prepare(config, environ)
        from pyflink.datastream import StreamExecutionEnvironment
        from pyflink.java_gateway import get_gateway

        from jobs.dataflow import build

        shipment = pack(config.indicators, config.stack.data_dir / "flink" / "shipped")
        settings = client_settings(config, shipment, jars)
        java = get_gateway().jvm.org.apache.flink.streaming.api.environment.StreamExecutionEnvironment
        # PyFlink's own way leads to a local cluster, or through the `flink` script.
        self._env = StreamExecutionEnvironment(java(_configuration(settings)._j_configuration))
        self._env.get_config().set_global_job_parameters(job_parameters(config))
        build(self._env, config, run, start=start, shipment=shipment)
        self._config = config

    def submit(self, begin: Beginning) -> str:
        """Hand the job over; its id. It goes on from `begin.restore`, if given. Raises Refused."""
        from py4j.protocol import Py4JJavaError

        if begin.restore is not None:
            self._env.configure(_configuration(restore_settings(self._config, begin.restore)))
        try:
            return str(self._env.execute_async(self._config.stack.name).get_job_id())
        except Py4JJavaError as error:
            raise Refused(_innermost(error.java_exception)) from error


def client_settings(config: Config, shipment: Shipment, jars: Sequence[Path]) -> dict[str, str]:
    """Settings of the job and of the client that submits it; the cluster's own are in its `config.yaml`."""
    address = urlsplit(config.job.flink_rest)
    is_secure = address.scheme == "https"
    settings = {
        **job_settings(config),
        **cluster_python(config),
        "execution.target": "remote",
        "rest.address": address.hostname or "",
        "rest.port": str(address.port or (443 if is_secure else 80)),
        "python.files": str(shipment.archive),
    }
    if address.path:
        settings["rest.path"] = address.path
    if is_secure:
        settings["security.ssl.rest.enabled"] = "true"
    if jars:
        settings["pipeline.jars"] = ";".join(jar.as_uri() for jar in jars)
    return settings


def cluster_python(config: Config) -> dict[str, str]:
    """Which Python runs the job on the cluster's machines, and where its packages are: our own code comes with the job."""
    import sysconfig

    if not config.job.python:
        return {"python.executable": sys.executable, "python.pythonpath": sysconfig.get_paths()["purelib"]}
    there = Path(config.job.python)
    if not there.is_absolute():
        return {"python.executable": config.job.python, "python.pythonpath": ""}
    # The interpreter inside Flink begins as the base Python: the packages of a virtual environment have to be named.
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return {"python.executable": str(there), "python.pythonpath": str(there.parents[1] / "lib" / version / "site-packages")}


def missing_jars(config: Config, cluster_class_path: Sequence[str]) -> list[Path]:
    """The jars that have to go with the job, since the cluster does not run from them. Raises DependencyMissing."""
    there = [Path(jar).name for jar in cluster_class_path]
    missing = [name for name in _NEEDED if not any(jar.startswith(name) for jar in there)]
    return [Path(jar) for jar in class_path(config.stack.jars).split(":") if Path(jar).name.startswith(tuple(missing))] if missing else []


def _configuration(settings: Mapping[str, str]) -> "Configuration":
    from pyflink.common import Configuration

    configuration = Configuration()
    for name, value in settings.items():
        configuration.set_string(name, value)
    return configuration


def _innermost(error: Any) -> str:
    """What the innermost cause of a Java exception says."""
    while (cause := error.getCause()) is not None:
        error = cause
    return str(error.toString()).strip().splitlines()[0]
