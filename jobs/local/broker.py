"""The embedded broker: one Kafka node in KRaft mode, run from jars on the loopback interface."""

import base64
import contextlib
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from jobs.config import Config
from jobs.config_terms import split_address
from jobs.errors import JobsError, PartFailed
from jobs.local import scratch
from jobs.local.jars import broker_classpath
from jobs.local.java import find_java
from jobs.local.ports import require_free
from jobs.local.process import spawn, stop

HEAP = "512m"
_METADATA_TIMEOUT_S = 1.0

# One node: every internal topic has one replica, and few partitions, since each costs files and start-up time.
# transaction.max.timeout.ms lets the job's transactions outlive a day's stop (design: 24 h on the embedded broker).
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
transaction.max.timeout.ms=86400000
group.initial.rebalance.delay.ms=0
message.max.bytes=4194304
"""

# Only what an operator acts upon; the console is the supervisor's log file of this part.
_LOGGING = """\
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d %p %c{1}: %m%n
rootLogger.level=WARN
rootLogger.appenderRef.console.ref=console
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=INFO
logger.parser.name=org.apache.kafka.common.utils.AppInfoParser
logger.parser.level=ERROR
"""


@dataclass(frozen=True, slots=True)
class Broker:
    """One broker: where it listens, where it keeps its log, and the Java and jars it runs from."""

    address: str
    folder: Path
    jars: Path
    java: Path
    origin: str = "kafka.listen, default"
    """What error messages say of `address`."""
    compiles_once: bool = True
    """One JIT compiler only: on a small machine the other takes more time from the job in the first minute than it gives."""

    @property
    def argv(self) -> list[str]:
        """The command that runs the broker in the foreground; `prepare` comes first."""
        options = [f"-Xms{HEAP}", f"-Xmx{HEAP}", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:+ExitOnOutOfMemoryError"]
        if self.compiles_once:
            options.append("-XX:TieredStopAtLevel=1")
        return [*self._java(*options), "kafka.Kafka", str(self._properties)]

    def prepare(self) -> None:
        """Check the ports, write the configuration, and format the folder the first time. Raises PortInUse or JobsError."""
        host, port = split_address(self.address)
        require_free((f"{host}:{port}", f"{host}:{port + 1}"), self.origin)
        scratch.emptied(self._scratch)
        self._logging.write_text(_LOGGING)
        self._properties.write_text(_PROPERTIES.format(host=host, port=port, controller_port=port + 1, data=self._data))
        if not (self._data / "meta.properties").exists():
            self._format()

    def is_ready(self) -> bool:
        """Whether the broker answers a request for its metadata."""
        return answers(self.address)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _scratch(self) -> Path:
        return self.folder / "scratch"

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    @property
    def _logging(self) -> Path:
        return self.folder / "log4j2.properties"

    def _java(self, *options: str) -> list[str]:
        options = (*options, *scratch.options(self._scratch))
        return [str(self.java), *options, f"-Dlog4j2.configurationFile={self._logging}", "-cp", broker_classpath(self.jars)]

    def _format(self) -> None:
        tool = ["kafka.tools.StorageTool", "format", "--standalone", "-t", new_cluster_id(), "-c", str(self._properties)]
        quick = ("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
        done = subprocess.run([*self._java(*quick), *tool], capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise JobsError(f"cannot format {self._data}: {(done.stdout + done.stderr).strip()}", f"remove {self.folder} and try again")


def new_cluster_id() -> str:
    """A random id as Kafka writes it; as Kafka's own, never one with a dash first, which its tools take for an option."""
    while True:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not cluster.startswith("-"):
            return cluster


def embedded_broker(config: Config, environ: Mapping[str, str]) -> Broker:
    """The broker that `config` describes. Raises DependencyMissing."""
    java = find_java(environ).executable
    return Broker(config.kafka.listen, config.stack.data_dir / "broker", config.stack.jars, java, config.cite("kafka.listen"))


def answers(bootstrap: str, timeout_s: float = _METADATA_TIMEOUT_S) -> bool:
    """Whether a Kafka broker at `bootstrap` names at least one node within `timeout_s`."""
    client = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "socket.timeout.ms": 1000})
    try:
        return bool(client.list_topics(timeout=timeout_s).brokers)
    except KafkaException:
        return False


@contextlib.contextmanager
def running(broker: Broker, log: Path, environ: Mapping[str, str], timeout_s: float = 60) -> Iterator[Broker]:
    """The broker, started and ready, until the block ends. Raises PartFailed when it does not come up."""
    broker.prepare()
    process = spawn(broker.argv, log, environ)
    try:
        deadline = time.monotonic() + timeout_s
        while not broker.is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise PartFailed("broker", "did not come up", str(log))
            time.sleep(0.1)
        yield broker
    finally:
        stop(process, timeout_s=20)
