"""From ticks in the order they arrive to Kafka records and heartbeats: what every feed of this package sends."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from udfs.frames import DAY_MS, MINUTE_MS


class Arrival(NamedTuple):
    """One line on its way, at the event time at which it arrives (later than its own when it is displaced)."""

    arrival_ms: int
    symbol: str
    """The record's key; empty when nobody knows the symbol of a bad line."""
    line: bytes
    event_time_ms: int | None
    """None for a line without an event time that counts: it never moves the event time of its record."""


class Record(NamedTuple):
    """One Kafka record: lines of one symbol, in order."""

    due_ms: int
    """Event time at which a paced feed sends it."""
    symbol: str
    lines: list[bytes]
    event_time_ms: int
    """Event time of its newest tick."""

    @property
    def value(self) -> bytes:
        """The record's bytes: a line each."""
        return b"\n".join(self.lines)


class Heartbeat(NamedTuple):
    """Every line that arrives up to `due_ms` has been sent, and event time has come to `event_time_ms`."""

    due_ms: int
    event_time_ms: int


Item: TypeAlias = Record | Heartbeat


@dataclass(frozen=True, slots=True)
class Coalescing:
    """How many lines share a record, and how often event time is told."""

    lines: int = 1
    """Lines of one symbol in a record, at most."""
    hold_ms: int = MINUTE_MS
    """Lines wait for company no longer than to the next multiple of this; heartbeats stand on multiples of it too."""
    heartbeat_ms: int = MINUTE_MS
    """Event time between heartbeats; a multiple of `hold_ms`."""
    heartbeat_records: int = 0
    """Records between heartbeats, at least. Only for feeds at full speed."""
    every_heartbeat: bool = False
    """In a gap, send each heartbeat (a paced feed) or only the last (one at full speed)."""

    @classmethod
    def live(cls, lines: int = 1, speed: float = 1.0) -> "Coalescing":
        """For a feed paced at `speed` times real time: a heartbeat each second of event time, but at most 20 in a real second."""
        beat_ms = max(1_000, round(50 * speed))
        hold_ms = next(step for step in (20, 10, 5, 2, 1) if beat_ms % step == 0)
        return cls(lines=lines, hold_ms=hold_ms, heartbeat_ms=beat_ms, every_heartbeat=True)

    @classmethod
    def full_speed(cls, lines: int) -> "Coalescing":
        """For a feed sent as fast as it goes. No record reaches over a minute's end, so that coalescing alone revises nothing."""
        return cls(lines=lines, heartbeat_records=64)


def to_records(arrivals: Iterable[Arrival], coalescing: Coalescing) -> Iterator[Item]:
    """Records and heartbeats of `arrivals` (in order of arrival): every line once, a symbol's lines in their order.

    A heartbeat leaves behind all lines that arrived before it, and tells the newest event time plus the time passed
    since that arrived. The last item is a heartbeat at the newest event time.
    """
    return _Coalescer(coalescing).run(arrivals)


def closing_heartbeat(newest_event_ms: int, out_of_orderness_ms: int) -> Heartbeat:
    """The heartbeat that closes every bar still open after a tick at `newest_event_ms`, the daily one included."""
    day_end_ms = newest_event_ms - newest_event_ms % DAY_MS + DAY_MS
    past_ms = day_end_ms + out_of_orderness_ms + 1_000
    return Heartbeat(newest_event_ms, past_ms)


class _Coalescer:
    """Lines waiting for company, by symbol, and where the feed's event time stands."""

    def __init__(self, coalescing: Coalescing) -> None:
        self._rules = coalescing
        self._waiting: dict[str, list[Arrival]] = {}
        self._newest: Arrival | None = None
        self._hold_until_ms: int | None = None
        self._told_ms = 0
        self._records_since = 0

    def run(self, arrivals: Iterable[Arrival]) -> Iterator[Item]:
        last_ms = 0
        for arrival in arrivals:
            last_ms = arrival.arrival_ms
            if self._hold_until_ms is None:
                self._hold_until_ms = self._next_hold(last_ms)
                self._told_ms = last_ms - last_ms % self._rules.heartbeat_ms
            elif last_ms >= self._hold_until_ms:
                yield from self._release()
                yield from self._heartbeats(last_ms)
                self._hold_until_ms = self._next_hold(last_ms)
            record = self._add(arrival)
            if record is not None:
                yield record
        yield from self._release()
        if self._newest is not None and self._newest.event_time_ms is not None:
            yield Heartbeat(last_ms, self._newest.event_time_ms)

    def _add(self, arrival: Arrival) -> Record | None:
        newest = self._newest
        event_time_ms = arrival.event_time_ms
        if event_time_ms is not None and (newest is None or newest.event_time_ms is None or event_time_ms >= newest.event_time_ms):
            self._newest = arrival
        waiting = self._waiting.setdefault(arrival.symbol, [])
        waiting.append(arrival)
        if len(waiting) < self._rules.lines:
            return None
        return self._to_record(self._waiting.pop(arrival.symbol))

    def _release(self) -> Iterator[Record]:
        waiting, self._waiting = self._waiting, {}
        for lines in waiting.values():
            yield self._to_record(lines)

    def _to_record(self, waiting: list[Arrival]) -> Record:
        self._records_since += 1
        last_ms = waiting[-1].arrival_ms
        counted = [arrival.event_time_ms for arrival in waiting if arrival.event_time_ms is not None]
        return Record(last_ms, waiting[0].symbol, [arrival.line for arrival in waiting], max(counted, default=last_ms))

    def _heartbeats(self, now_ms: int) -> Iterator[Heartbeat]:
        """Those on multiples of `heartbeat_ms` after the last one told, up to `now_ms`."""
        step_ms = self._rules.heartbeat_ms
        until_ms = now_ms - now_ms % step_ms
        newest = self._newest
        if (
            newest is None
            or newest.event_time_ms is None
            or until_ms <= self._told_ms
            or self._records_since < self._rules.heartbeat_records
        ):
            return
        first_ms = self._told_ms + step_ms if self._rules.every_heartbeat else until_ms
        for due_ms in range(first_ms, until_ms + 1, step_ms):
            yield Heartbeat(due_ms, newest.event_time_ms + due_ms - newest.arrival_ms)
        self._told_ms = until_ms
        self._records_since = 0

    def _next_hold(self, now_ms: int) -> int:
        return now_ms - now_ms % self._rules.hold_ms + self._rules.hold_ms
