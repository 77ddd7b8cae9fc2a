"""The run folder: which stack or cluster works in a data folder, and how its parts stand, for other commands to read."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import orjson

from jobs.atomic_file import write_whole
from jobs.errors import AlreadyRunning
from jobs.local.parts import PartState, PartStatus

STACK, CLUSTER = "stack", "cluster"
"""What can work in a data folder, beside each other."""
_CLAIM_TRIES = 10
_CLAIM_WAIT_S = 0.05


class RunFolder:
    """`data_dir/run`: a process id under a lock that the kernel lets go with its process, and the parts' statuses beside it.

    `what` works there: a STACK, or beside it a CLUSTER, each with its own lock.
    """

    def __init__(self, data_dir: Path, what: str = STACK) -> None:
        self.what = what
        self._folder = data_dir / "run"
        self._pid_file = self._folder / f"{what}.pid"
        self._statuses_file = self._folder / f"{what}.json"
        self._written: list[PartStatus] | None = None

    @contextlib.contextmanager
    def claimed(self) -> Iterator[None]:
        """Within the block this process is the stack of the folder. Raises AlreadyRunning."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._pid_file.open("a+", encoding="ascii") as file:
            self._lock(file)
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            self._statuses_file.unlink(missing_ok=True)
            try:
                yield
            finally:
                self._statuses_file.unlink(missing_ok=True)
                file.truncate(0)

    def stack_pid(self) -> int | None:
        """The process id of the stack at work; None when there is none."""
        with contextlib.suppress(FileNotFoundError), self._pid_file.open(encoding="ascii") as file:
            if not _try_lock(file, fcntl.LOCK_SH):
                return int(file.read() or 0) or None
        return None

    @property
    def down(self) -> str:
        """The command that stops what works here."""
        return "tickloom down" if self.what == STACK else f"tickloom {self.what} down"

    def already_running(self, pid: int) -> AlreadyRunning:
        """The error of one who finds process `pid` at work."""
        return AlreadyRunning(pid, str(self._folder.parent), self.what, self.down)

    def write(self, statuses: Sequence[PartStatus]) -> None:
        """Make `statuses` known to other commands; cheap when nothing changed."""
        if statuses == self._written:
            return
        write_whole(self._statuses_file, orjson.dumps([asdict(status) for status in statuses]).decode())
        self._written = list(statuses)

    def read(self) -> list[PartStatus]:
        """The statuses of the stack at work; empty when there is none, or it has not begun."""
        if self.stack_pid() is None:
            return []
        with contextlib.suppress(FileNotFoundError):
            items = orjson.loads(self._statuses_file.read_bytes())
            return [PartStatus(**{**item, "state": PartState(item["state"])}) for item in items]
        return []

    def _lock(self, file: TextIO) -> None:
        for _ in range(_CLAIM_TRIES):  # a command that looks whether we run holds the lock for an instant
            if _try_lock(file, fcntl.LOCK_EX):
                return
            time.sleep(_CLAIM_WAIT_S)
        file.seek(0)
        raise self.already_running(int(file.read() or 0))


def _try_lock(file: TextIO, operation: int) -> bool:
    try:
        fcntl.flock(file, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
