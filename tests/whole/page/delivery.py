"""`tickloom delivery` as a process: one address for its whole life, however often it is stopped and started."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from jobs.config_load import load_config
from jobs.exposure import page_url
from jobs.local.answers import answers_ok
from jobs.local.logs import last_lines
from jobs.local.ports import free_ports
from jobs.local.process import kill_group, spawn, stop
from jobs.topics import make_topics
from tests.connectors.gateway.running import wait_until
from tests.docs.markdown import ROOT

READY_S = 30.0


class DeliveryProcess:
    """Topics of its own, if they are not there yet; it runs once it is started."""

    def __init__(self, settings: Mapping[str, str], folder: Path) -> None:
        self.settings = {**settings, "stack.data_dir": str(folder / "data"), "delivery.listen": f"127.0.0.1:{free_ports(1)}"}
        self.config = load_config(None, {}, folder, self.settings)
        self.log = folder / "delivery.log"
        make_topics(self.config)

    @property
    def url(self) -> str:
        return page_url(self.config).rstrip("/")

    @property
    def options(self) -> list[str]:
        """The global options that lead `tickloom` to it."""
        return [option for key, value in self.settings.items() for option in ("--set", f"{key}={value}")]

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """As it was started last."""
        return self._process

    def start(self) -> None:
        """Return once it has caught up."""
        self._process = spawn([sys.executable, "-m", "jobs.cli.main", *self.options, "delivery"], self.log, os.environ, ROOT)
        wait_until(lambda: self._is_ready() or self._process.poll() is not None, READY_S)
        assert self._process.poll() is None, "\n".join(last_lines(self.log, 20))

    def stop(self) -> None:
        """It must end by itself."""
        assert stop(self._process, 15), f"not stopped: {last_lines(self.log, 5)}"
        assert self._process.returncode == 0

    def kill(self) -> None:
        kill_group(self._process)

    def _is_ready(self) -> bool:
        return answers_ok(f"{self.url}/readyz")
