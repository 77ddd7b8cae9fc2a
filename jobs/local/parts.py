"""What the supervisor runs: a part of the stack, the states it goes through, and when it may be started again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise, takewhile


def _nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the stack. Parts start in their order, each once those before are ready, and stop in reverse."""

    name: str
    argv: Sequence[str]
    environ: Mapping[str, str]
    """The whole environment of the process."""
    ready: Callable[[], bool]
    """Asked while the part is starting; must answer within a second or so and not raise."""
    prepare: Callable[[], None] = _nothing
    """Run before each start, in a thread. What it raises ends the stack at the first start; later it is a failed start as any other."""
    first_arguments: Sequence[str] = ()
    """Added to `argv` until it was ready for the first time."""
    ends_as_tickloom: bool = True
    """Whether its exit codes are the command's: 2 and 3 then say that it is useless to start it again. A JVM out of memory ends with 3."""
    address: str = ""
    holds_up: bool = True
    """Whether the parts after it wait until it is ready for the first time."""
    nice: int = 0
    """How far it stands back behind the other parts when the machine is busy, 0 to 19."""
    ready_timeout_s: float = 120
    stop_timeout_s: float = 15


class PartState(StrEnum):
    """Where a part stands."""

    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class PartStatus:
    """A part as `tickloom status` shows it."""

    name: str
    state: PartState
    pid: int | None
    since_ms: int
    """When it came into this state."""
    restarts: int
    address: str
    log: str


@dataclass(frozen=True, slots=True)
class RestartRule:
    """When a part that ended starts again: `first_delay_s` later, at most `limit` times in `window_s`.

    While it ends again and again, each less than `calm_s` after the last time, the delay doubles, up to `longest_delay_s`.
    """

    limit: int = 5
    window_s: float = 300
    first_delay_s: float = 0.5
    longest_delay_s: float = 10
    calm_s: float = 15

    def delay(self, ended_s: Sequence[float]) -> float | None:
        """How long to wait after the last of `ended_s`, the times at which the part ended; None when it ended too often."""
        if sum(1 for moment in ended_s if moment > ended_s[-1] - self.window_s) > self.limit:
            return None
        gaps = [after - before for before, after in pairwise(ended_s)]
        doublings = sum(1 for _ in takewhile(lambda gap: gap < self.calm_s, reversed(gaps)))
        return float(min(self.longest_delay_s, self.first_delay_s * 2**doublings))
