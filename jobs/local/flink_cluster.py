"""A real Flink cluster on this machine, from the Flink that pip installed: ZooKeeper, JobManager, one-slot TaskManagers."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jobs.config import Config
from jobs.errors import JobsError
from jobs.flink_rest import ENDED, FlinkRest
from jobs.local import scratch
from jobs.local.cluster_conf import ClusterConf, Sizes, rest_address, write_conf
from jobs.local.jars import connector_jar, flink_distribution, flink_jars
from jobs.local.java import Java, find_java
from jobs.local.parts import Part
from jobs.local.ports import free_ports, is_listened_on, require_free
from jobs.local.run_folder import CLUSTER, RunFolder

_RUNTIME = "org.apache.flink.runtime"


def cluster_parts(config: Config, taskmanagers: int, environ: Mapping[str, str], more: Mapping[str, str]) -> list[Part]:
    """ZooKeeper, the JobManager and `taskmanagers` TaskManagers, as `flink-conf/config.yaml` and `more` settings of Flink's have them.

    Raises DependencyMissing, ConfigError (job.flink_rest is not on this machine), AlreadyRunning, JobsError.
    """
    folder = RunFolder(config.stack.data_dir, CLUSTER)
    if pid := folder.stack_pid():
        raise folder.already_running(pid)
    java, home = find_java(environ), flink_distribution()
    zookeeper_port = free_ports(1)
    conf = write_conf(config, zookeeper_port, more)
    scratch.emptied(conf.scratch)
    (tool,), (dist,) = (home / "bin").glob("bash-java-utils.jar"), (home / "lib").glob("flink-dist-*.jar")
    with ThreadPoolExecutor() as both:
        jobmanager, taskmanager = both.map(partial(conf.sizes, java, tool, dist), ("jobmanager", "taskmanager"))
    environ = {**environ, "JAVA_HOME": str(java.home)}
    processes = _Processes(config, conf, java, environ, class_path(config.stack.jars))
    return [
        processes.zookeeper(zookeeper_port),
        processes.jobmanager(jobmanager),
        *(processes.taskmanager(number, taskmanager) for number in range(1, taskmanagers + 1)),
    ]


def class_path(jars: Path) -> str:
    """Flink's jars, its Python's, its Prometheus reporter, and the Kafka connector. Raises DependencyMissing.

    Flink's Python has to lie beside the rest: loaded by each job anew, it fails in a TaskManager's second job.
    """
    python = (flink_distribution() / "opt").glob("flink-python-*.jar")
    return ":".join(map(str, (*flink_jars(), *python, connector_jar(jars))))


def unfinished_jobs(config: Config) -> list[str]:
    """The names of the jobs that a stop of the cluster would interrupt; none when it does not answer."""
    with suppress(JobsError):
        jobs = FlinkRest(config.job.flink_rest, config.cite("job.flink_rest")).jobs()
        return [str(job["name"]) for job in jobs if job["state"] not in ENDED]
    return []


@dataclass(frozen=True, slots=True)
class _Processes:
    """How each process of the cluster is started: its JVM directly, as Flink's scripts would in the end."""

    config: Config
    conf: ClusterConf
    java: Java
    environ: Mapping[str, str]
    class_path: str

    def zookeeper(self, port: int) -> Part:
        main = [f"{_RUNTIME}.zookeeper.FlinkZooKeeperQuorumPeer", "--zkConfigFile", str(self.conf.zookeeper), "--peerId", "1"]
        options = ["-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
        return Part(
            "zookeeper",
            self._java("zookeeper", options, main),
            self.environ,
            ready=lambda: is_listened_on(f"127.0.0.1:{port}"),
            address=f"127.0.0.1:{port}",
            ends_as_tickloom=False,
        )

    def jobmanager(self, sizes: Sizes) -> Part:
        main = [f"{_RUNTIME}.entrypoint.StandaloneSessionClusterEntrypoint", "--configDir", str(self.conf.folder), *sizes.settings]
        return Part(
            "jobmanager",
            self._java("jobmanager", [*sizes.jvm, *self.conf.options("jobmanager")], main),
            self.environ,
            ready=lambda: self._knows() is not None,
            prepare=lambda: require_free(["{}:{}".format(*rest_address(self.config))], self.config.cite("job.flink_rest")),
            address=self.config.job.flink_rest,
            ends_as_tickloom=False,
        )

    def taskmanager(self, number: int, sizes: Sizes) -> Part:
        name = f"taskmanager-{number}"
        settings = [*sizes.settings, "-D", f"taskmanager.resource-id={name}"]
        main = [f"{_RUNTIME}.taskexecutor.TaskManagerRunner", "--configDir", str(self.conf.folder), *settings]
        return Part(
            name,
            self._java(name, [*sizes.jvm, *self.conf.options("taskmanager")], main),
            self.environ,
            ready=lambda: name in (self._knows() or ()),
            ends_as_tickloom=False,
        )

    def _java(self, name: str, options: list[str], main: list[str]) -> list[str]:
        """The command of one process; what Log4j writes and what else it says go into the same log."""
        log = self.config.stack.data_dir / "logs" / f"{name}.log"
        logging = [f"-Dlog.file={log}", f"-Dlog4j.configurationFile={self.conf.logging.as_uri()}"]
        return [str(self.java.executable), *options, *scratch.options(self.conf.scratch), *logging, "-cp", self.class_path, *main]

    def _knows(self) -> list[str] | None:
        """The TaskManagers that the JobManager knows; None while it does not answer."""
        try:
            return FlinkRest(self.config.job.flink_rest, self.config.cite("job.flink_rest")).taskmanagers()
        except JobsError:
            return None
