"""A folder in which the product is tried as its users do, and whether anything of it is left."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import psutil

from jobs.local.ports import free_ports, is_listened_on
from tests.docs.markdown import ROOT


class Folder(NamedTuple):
    """Where it is tried, and ports that nobody else is on."""

    path: Path
    kafka_port: int
    flink_port: int
    metrics_port: int
    gateway_port: int
    delivery_port: int

    @classmethod
    def on_free_ports(cls, path: Path) -> "Folder":
        return cls(path, free_ports(2), free_ports(1), free_ports(1), free_ports(2), free_ports(1))

    def configure(self, jars: Path) -> None:
        """Write the `tickloom.toml`."""
        (self.path / "tickloom.toml").write_text(
            f"""\
            [stack]
            jars = "{jars}"
            [kafka]
            listen = "127.0.0.1:{self.kafka_port}"
            [job]
            flink_rest = "http://127.0.0.1:{self.flink_port}"
            metrics = "127.0.0.1:{self.metrics_port}"
            [gateway]
            listen = "127.0.0.1:{self.gateway_port}"
            admin = "127.0.0.1:{self.gateway_port + 1}"
            [delivery]
            listen = "127.0.0.1:{self.delivery_port}"
            """
        )

    @property
    def ports(self) -> tuple[int, ...]:
        """What the demo listens on; the broker's controller takes the port after the broker's, the gateway's health that after its own."""
        return (
            *(self.kafka_port, self.kafka_port + 1, self.flink_port, self.metrics_port),
            *(self.gateway_port, self.gateway_port + 1, self.delivery_port),
        )

    @property
    def charts(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.delivery_port}/"

    @property
    def environ(self) -> Mapping[str, str]:
        """As a shell in the folder has it; the packages are found without an installation too."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TICKLOOM_")}
        return {**kept, "PWD": str(self.path), "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}


def left_over(folder: Folder) -> list[str]:
    """The command lines of processes that have to do with the folder."""
    found = []
    for process in psutil.process_iter(["name", "cwd", "cmdline", "environ"], ad_value=""):
        known = [process.info["cwd"], *process.info["cmdline"], *(process.info["environ"] or {}).values()]
        if process.pid != os.getpid() and any(str(folder.path) in each for each in known):
            found.append(f"{process.pid} {process.info['name']} {' '.join(process.info['cmdline'])}")
    return found


def assert_nothing_is_left(folder: Folder) -> None:
    assert left_over(folder) == []
    assert [port for port in folder.ports if is_listened_on(f"127.0.0.1:{port}")] == []
