"""A delivery under measurement: started, pinned to a core, and ended."""

import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import ContenderFailed
from benchmarks.stack import Stack, child_environ
from jobs.local.logs import last_lines
from jobs.local.process import kill_group, spawn, stop

_START_S = 60.0


class RunningDelivery(NamedTuple):
    """Where it is."""

    address: str
    pid: int

    @property
    def peak_bytes(self) -> int:
        """The most memory it has had resident."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])


@contextmanager
def running_delivery(stack: Stack, settings: Mapping[str, object], cores: Sequence[int] = ()) -> Iterator[RunningDelivery]:
    """A delivery that has caught up, until the block ends; on these cores alone if any are given."""
    options = [option for key, value in settings.items() for option in ("--set", f"{key}={value}")]
    log = stack.log(str(settings["stack.name"]))
    process = spawn([sys.executable, "-m", "jobs.cli.main", *options, "delivery"], log, child_environ())
    address = str(settings["delivery.listen"])
    try:
        if cores:
            pin(process.pid, cores)
        deadline_s = time.monotonic() + _START_S
        while not _is_ready(address):
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise ContenderFailed(f"the delivery did not start: {' | '.join(last_lines(log, 3))}")
            time.sleep(0.05)
        yield RunningDelivery(address, process.pid)
        stop(process, 15)
    finally:
        kill_group(process)


def pin(pid: int, cores: Sequence[int]) -> None:
    """Let a process, and each thread it has by now or starts later, run on these cores only."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread.name), cores)


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
