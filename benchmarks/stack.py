"""A broker of the benchmark's own, the configurations that lead to it, and the processes that run the job on it."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import psutil

from connectors.topics import create_topics
from jobs.config import Config
from jobs.config_load import load_config
from jobs.local.broker import embedded_broker, running
from jobs.local.ports import free_ports
from jobs.topics import wanted_topics

CHECKOUT = Path(__file__).resolve().parents[1]


def read_config(settings: Mapping[str, object]) -> Config:
    """A configuration of nothing but `settings` and the defaults."""
    return load_config(None, {}, CHECKOUT, settings)


@dataclass(frozen=True, slots=True)
class Stack:
    """A running broker in a folder that is thrown away; topics of each measurement have a prefix of their own."""

    folder: Path
    settings: Mapping[str, object]

    @property
    def bootstrap(self) -> str:
        """The broker's address."""
        return str(self.settings["kafka.listen"])

    @property
    def flink_rest(self) -> str:
        """Where the REST API of whatever Flink job runs is."""
        return str(self.settings["job.flink_rest"])

    @property
    def broker(self) -> psutil.Process:
        """The broker's process."""
        return next(child for child in psutil.Process().children() if "kafka.Kafka" in child.cmdline())

    def named(self, name: str, **more: object) -> dict[str, object]:
        """Settings of a stack `name` on this broker: data folder and topics of its own. `more` has `__` for the dot of a key."""
        own = {"stack.name": name, "stack.data_dir": str(self.folder / name), "kafka.topic_prefix": f"{name}."}
        return {**self.settings, **own, **{key.replace("__", "."): value for key, value in more.items()}}

    def log(self, name: str) -> Path:
        """Where a process called `name` writes."""
        return self.folder / "logs" / f"{name}.log"


@contextmanager
def running_stack() -> Iterator[Stack]:
    """The broker, until the block ends; as one for real loads, it has both of the JVM's compilers (docs/decisions/0009)."""
    with tempfile.TemporaryDirectory(prefix="tickloom-bench-") as name:
        folder, port = Path(name), free_ports(3)
        settings = {
            "stack.jars": str(CHECKOUT / ".jars"),
            "stack.data_dir": str(folder / "stack"),
            "kafka.listen": f"127.0.0.1:{port}",
            "job.flink_rest": f"http://127.0.0.1:{port + 2}",
        }
        broker = replace(embedded_broker(read_config(settings), os.environ), compiles_once=False)
        with running(broker, folder / "logs" / "broker.log", os.environ):
            yield Stack(folder, settings)


def make_topics(config: Config) -> None:
    """The topics of a configuration, on the embedded broker."""
    create_topics(config.kafka_connection(), wanted_topics(config))


def job_argv(
    settings: Mapping[str, object], *, bounded: bool = False, restore: str | None = None, flink: Mapping[str, str] | None = None
) -> list[str]:
    """The command that runs our job in a process of its own; `restore` is the URI of a savepoint, `flink` has settings of Flink's."""
    asked = {"settings": settings, "bounded": bounded, "restore": restore, "flink": flink or {}}
    return [sys.executable, "-m", "benchmarks.job_process", orjson.dumps(asked).decode()]


def child_environ() -> dict[str, str]:
    """What a child needs to find this checkout's packages."""
    return {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1"}
