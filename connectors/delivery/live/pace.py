"""How often what is conflated goes out: the first at once, then no more often than asked for, always the newest."""

from itertools import islice
from typing import NamedTuple

from connectors.delivery.store.records import Series


class Shown(NamedTuple):
    """The newest record of a series that waits to be sent."""

    start_ms: int
    body: bytes
    skipped: int = 0
    """How many were passed over for it."""


_new = tuple.__new__  # a third of the time that the class itself takes: once a record and client


class Pace:
    """The latest record of each series that a client has at one rate. It holds no more than one a series, whatever comes."""

    __slots__ = ("_due_s", "_next_s", "interval_s", "pending")

    def __init__(self, max_hz: float) -> None:
        self.interval_s = 1 / max_hz
        self.pending: dict[Series, Shown] = {}
        self._due_s = self._next_s = float("-inf")

    def put(self, series: Series, start_ms: int, body: bytes, now_s: float) -> float | None:
        """Put a record in the place of the one that waits. When to take it, if it is the only one."""
        older = self.pending.get(series)
        if older is not None:
            self.pending[series] = _new(Shown, (start_ms, body, older.skipped + 1))
            return None
        self.pending[series] = _new(Shown, (start_ms, body, 0))
        if len(self.pending) > 1:
            return None
        self._due_s = max(now_s, self._next_s)
        return self._due_s

    def take(self, now_s: float, limit: int) -> list[Shown]:
        """What is to be sent now, those that wait for longest first; nothing before it is time."""
        if not self.pending or now_s < self._due_s:
            return []
        if len(self.pending) > limit:
            first = list(islice(self.pending, limit))
            return [self.pending.pop(series) for series in first]
        pending, self.pending = self.pending, {}
        in_step_s = self._due_s + self.interval_s  # that it is taken a little late makes the pace no slower
        self._next_s = in_step_s if in_step_s > now_s else now_s + self.interval_s
        return list(pending.values())

    def when(self) -> float | None:
        """When there is something to take; None when nothing waits."""
        return self._due_s if self.pending else None

    def final(self, series: Series, start_ms: int) -> None:
        """A bar has its final: its forming record is not sent any more."""
        shown = self.pending.get(series)
        if shown is not None and shown.start_ms <= start_ms:
            del self.pending[series]
