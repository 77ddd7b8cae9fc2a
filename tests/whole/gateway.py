"""`tickloom gateway` as a process of its own, started, watched and ended by a test."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from jobs.config_load import load_config
from jobs.local.ports import free_ports
from jobs.topics import make_topics
from tests.connectors.gateway.running import wait_until

ROOT = Path(__file__).parents[2]


class GatewayProcess:
    """A gateway that always comes back to the same port. `options` are the global ones that lead it to its topics."""

    def __init__(self, options: Sequence[str], log: Path) -> None:
        port = free_ports(2)
        self.address, self.admin = ("127.0.0.1", port), ("127.0.0.1", port + 1)
        self.log = log
        own = options_of({"gateway.listen": f"127.0.0.1:{port}", "gateway.admin": f"127.0.0.1:{port + 1}"})
        self._argv = [sys.executable, "-m", "jobs.cli.main", *options, *own, "gateway"]
        self.launch()

    def launch(self) -> None:
        """Start it, and do not wait."""
        with self.log.open("wb") as output:
            self.popen = subprocess.Popen(self._argv, stderr=output, cwd=ROOT, start_new_session=True)

    def wait_until_it_says(self, event: str) -> None:
        wait_until(lambda: event in self.log.read_text() or self.popen.poll() is not None, 60)
        assert event in self.log.read_text(), self.log.read_text()

    def wait_until_it_listens(self) -> None:
        self.wait_until_it_says("gateway_started")

    def terminate(self) -> tuple[int, float]:
        """Send SIGTERM; its exit code, and how long it took."""
        self.popen.send_signal(signal.SIGTERM)
        return self.ends()

    def ends(self) -> tuple[int, float]:
        """Its exit code, and how long it took from now."""
        begun_s = time.monotonic()
        return self.popen.wait(30), time.monotonic() - begun_s

    def kill(self) -> None:
        """End it as a power cut would, if it still runs."""
        self.popen.kill()
        self.popen.wait(20)

    @property
    def memory(self) -> int:
        """Resident bytes."""
        return int(psutil.Process(self.popen.pid).memory_info().rss)

    @property
    def most_memory(self) -> int:
        """The most resident bytes since `forget_most_memory`."""
        status = Path(f"/proc/{self.popen.pid}/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])

    def forget_most_memory(self) -> None:
        Path(f"/proc/{self.popen.pid}/clear_refs").write_text("5")

    @property
    def descriptors(self) -> int:
        """Open files and sockets."""
        return psutil.Process(self.popen.pid).num_fds()


def options_of(settings: Mapping[str, str]) -> list[str]:
    """Settings as the options of a command."""
    return [option for key, value in settings.items() for option in ("--set", f"{key}={value}")]


@contextmanager
def gateway_process(bootstrap: str, prefix: str, folder: Path, **settings: str) -> Iterator[GatewayProcess]:
    """A gateway on topics of its own, until the block ends."""
    own = {"kafka.bootstrap": bootstrap, "kafka.topic_prefix": prefix, "kafka.partitions": "3", **settings}
    make_topics(load_config(None, {}, folder, own))
    process = GatewayProcess(options_of(own), folder / "gateway.log")
    try:
        process.wait_until_it_listens()
        yield process
    finally:
        process.kill()
