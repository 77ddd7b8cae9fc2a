"""The configuration of the local Flink cluster: `flink-conf/config.yaml` with this machine's paths, ports and Python filled in."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from ruamel.yaml import YAML  # comes with Flink

from jobs.config import Config
from jobs.errors import ConfigError, JobsError
from jobs.flink_settings import CHANGELOG, CHECKPOINTS, SAVEPOINTS, python_settings, state_uri
from jobs.local import scratch
from jobs.local.java import Java
from jobs.local.resources import resource

LOOPBACK = ("127.0.0.1", "localhost")
_ANSWER = "BASH_JAVA_UTILS_EXEC_RESULT:"
# One server of two-second ticks: it grants the sessions of 6 s that config.yaml asks for, and of no more than 40 s.
_ZOOKEEPER = """\
tickTime=2000
dataDir={data}
clientPort={port}
clientPortAddress=127.0.0.1
admin.enableServer=false
autopurge.purgeInterval=1
maxClientCnxns=0
"""


class Sizes(NamedTuple):
    """What Flink makes of a process's memory settings."""

    jvm: list[str]
    """Options of its JVM."""
    settings: list[str]
    """`-D key=value` for its main class."""


@dataclass(frozen=True, slots=True)
class ClusterConf:
    """The folder FLINK_CONF_DIR of a local cluster, and the settings in it by their full names."""

    folder: Path
    settings: Mapping[str, str]

    @property
    def zookeeper(self) -> Path:
        """ZooKeeper's configuration."""
        return self.folder / "zoo.cfg"

    @property
    def scratch(self) -> Path:
        """Where its processes put temporary files."""
        return self.folder.parent / "tmp"

    @property
    def logging(self) -> Path:
        """Log4j's configuration."""
        return self.folder / "log4j.properties"

    def options(self, process: str) -> list[str]:
        """Options of the JVM of the `jobmanager` or a `taskmanager`."""
        return " ".join(self.settings.get(f"env.java.opts.{name}", "") for name in ("all", process)).split()

    def sizes(self, java: Java, classes: Path, distribution: Path, process: str) -> Sizes:
        """What Flink's own scripts would give the process: its tool, in `classes`, does the arithmetic. Raises JobsError."""
        what = {"jobmanager": "GET_JM_RESOURCE_PARAMS", "taskmanager": "GET_TM_RESOURCE_PARAMS"}[process]
        quick = [scratch.QUIET, "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{classes}:{distribution}"]
        tool = ["org.apache.flink.runtime.util.bash.BashJavaUtils", what, "--configDir", str(self.folder)]
        done = subprocess.run([java.executable, *quick, *tool], capture_output=True, text=True, timeout=60, check=False)
        answers = [line.removeprefix(_ANSWER).split() for line in done.stdout.splitlines() if line.startswith(_ANSWER)]
        if done.returncode or len(answers) != 2:
            raise JobsError(f"Flink refuses {self.folder / 'config.yaml'}: {(done.stdout + done.stderr).strip()[-500:]}")
        return Sizes(*answers)


def write_conf(config: Config, zookeeper_port: int, more: Mapping[str, str]) -> ClusterConf:
    """Write the configuration of the cluster, with `more` settings of Flink's, into `data_dir/flink/conf`. Raises ConfigError."""
    home = config.stack.data_dir / "flink"
    conf = ClusterConf(home / "conf", {**shipped_settings(), **_filled_in(config, home, zookeeper_port), **more})
    for folder in (conf.folder, conf.scratch, home / "high-availability", home / "zookeeper"):
        folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{name}: {json.dumps(value)}\n" for name, value in sorted(conf.settings.items())]
    (conf.folder / "config.yaml").write_text("# Written by `tickloom cluster up`.\n" + "".join(lines))
    conf.zookeeper.write_text(_ZOOKEEPER.format(data=home / "zookeeper", port=zookeeper_port))
    shutil.copyfile(resource("flink-conf") / "log4j.properties", conf.logging)
    return conf


def shipped_settings() -> dict[str, str]:
    """The settings of `flink-conf/config.yaml` by their full names."""
    return dict(_flat(YAML(typ="safe", pure=True).load(resource("flink-conf") / "config.yaml")))


def rest_address(config: Config) -> tuple[str, int]:
    """Host and port of the cluster's REST API. Raises ConfigError when that is not on this machine."""
    address = urlsplit(config.job.flink_rest)
    if address.hostname not in LOOPBACK:
        why = f"{config.job.flink_rest} is another machine's: a local cluster listens on 127.0.0.1"
        raise ConfigError("job.flink_rest", config.origin("job.flink_rest"), why)
    return str(address.hostname), address.port or 8081


def _filled_in(config: Config, home: Path, zookeeper_port: int) -> dict[str, str]:
    host, port = rest_address(config)
    return {
        "rest.address": host,
        "rest.bind-address": host,
        "rest.port": str(port),
        "rest.bind-port": str(port),
        "high-availability.type": "zookeeper",
        "high-availability.zookeeper.quorum": f"127.0.0.1:{zookeeper_port}",
        "high-availability.cluster-id": f"/{config.stack.name}",
        "high-availability.storageDir": (home / "high-availability").as_uri(),
        "execution.checkpointing.dir": state_uri(config, CHECKPOINTS),
        "execution.checkpointing.savepoint-dir": state_uri(config, SAVEPOINTS),
        # For jobs with job.changelog: a TaskManager takes these from its own configuration only.
        "state.changelog.storage": "filesystem",
        "state.changelog.dstl.dfs.base-path": state_uri(config, CHANGELOG),
        "io.tmp.dirs": str(home / "tmp"),
        # Nobody on the loopback interface asks for a ticket.
        "zookeeper.sasl.disable": "true",
        "security.delegation.tokens.enabled": "false",
        "metrics.fetcher.update-interval": "1000",
        **python_settings(),
    }


def _flat(node: object, prefix: str = "") -> Iterator[tuple[str, str]]:
    if not isinstance(node, dict):
        yield prefix, str(node).lower() if isinstance(node, bool) else str(node)
        return
    for name, child in node.items():
        yield from _flat(child, f"{prefix}.{name}" if prefix else str(name))
