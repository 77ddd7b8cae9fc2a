"""What goes wrong between an exchange and us, on request: disorder, duplicates, late ticks and bad lines, from one seed."""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import orjson

from jobs.feed_records import Arrival

_DUPLICATE_WITHIN_MS = 5_000
"""A line sent again comes this soon: well inside the window in which duplicates are known."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Shares are of all ticks, 0 to 1. Ticks themselves are the same with and without faults; only their way differs."""

    disorder: float = 0.0
    """Ticks that arrive up to `disorder_by_ms` after their time."""
    disorder_by_ms: int = 10_000
    duplicates: float = 0.0
    """Lines sent once more, up to 5 s later. Late ticks are not repeated: nobody would know them again."""
    late: float = 0.0
    """Ticks that arrive between `late_after_ms` and `late_by_ms` after their time."""
    late_after_ms: int = 1_000
    late_by_ms: int = 600_000
    bad: float = 0.0
    """Lines added that are no ticks: see `BAD_LINES`."""

    @property
    def any(self) -> bool:
        """Whether there is anything to do."""
        return max(self.disorder, self.duplicates, self.late, self.bad) > 0


@dataclass(slots=True)
class FaultCounts:
    """What was done to the ticks so far."""

    ticks: int = 0
    disordered: int = 0
    duplicates: int = 0
    late: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    """Bad lines by the name they have in `BAD_LINES`."""

    @property
    def lines(self) -> int:
        """Lines sent in all."""
        return self.ticks + self.duplicates + self.bad.total()


def _with_field(name: str, value: object) -> Callable[[bytes], bytes]:
    return lambda line: orjson.dumps({**orjson.loads(line), name: value})


BAD_LINES: dict[str, Callable[[bytes], bytes]] = {
    "cut json": lambda line: line[: len(line) // 2],
    "not an object": lambda line: b"[1,2,3]",
    "poison bytes": lambda line: b"\xff\xfe\x00\x80" + line[:12],
    "negative price": _with_field("price", -1.5),
    "null price": _with_field("price", None),
    "price as text": _with_field("price", "12.5"),
    "negative size": _with_field("size", -100),
    "time of 1970": _with_field("event_time_ms", 0),
    "time of 2099": _with_field("event_time_ms", 4_070_908_800_000),
    "bad symbol": _with_field("stock_id", "no symbol!"),
    "another symbol than the key": _with_field("stock_id", "NOT.THE.KEY"),
}
"""How a good line becomes a bad one. Each ends as a dead letter once its symbol has had a tick."""


class Disturbance:
    """Sends ticks on their way with faults. Iterate `disturb` once; `counts` tells what came of it."""

    def __init__(self, faults: Faults, seed: int) -> None:
        self.counts = FaultCounts()
        self._faults = faults
        self._random = random.Random(seed)
        self._kinds = list(BAD_LINES)
        self._under_way: list[tuple[int, int, Arrival]] = []
        self._number = 0

    def disturb(self, ticks: Iterable[Arrival]) -> Iterator[Arrival]:
        """`ticks` (in order of arrival) with faults, again in order of arrival.

        What is still under way when the ticks end arrives at that moment, in its order.
        """
        if not self._faults.any:
            yield from self._undisturbed(ticks)
            return
        last_ms = 0
        for tick in ticks:
            last_ms = tick.arrival_ms
            yield from self._arrived(last_ms)
            delay_ms = self._send(tick)
            if not delay_ms:
                yield tick
        for _, _, arrival in sorted(self._under_way):
            yield arrival._replace(arrival_ms=last_ms)

    def _undisturbed(self, ticks: Iterable[Arrival]) -> Iterator[Arrival]:
        for tick in ticks:
            self.counts.ticks += 1
            yield tick

    def _send(self, tick: Arrival) -> int:
        """Decide a tick's delay; put it, its duplicate and its bad line on their way. 0: it is there at once."""
        self.counts.ticks += 1
        delay_ms, is_late = self._delay()
        sent_ms = tick.arrival_ms + delay_ms
        if delay_ms:
            self._put(tick, sent_ms)
        if not is_late and self._random.random() < self._faults.duplicates:
            self.counts.duplicates += 1
            self._put(tick, sent_ms + self._random.randint(1, _DUPLICATE_WITHIN_MS))
        if self._random.random() < self._faults.bad:
            self._put(self._spoil(tick), sent_ms + 1)
        return delay_ms

    def _delay(self) -> tuple[int, bool]:
        draw = self._random.random() - self._faults.late
        if draw < 0:
            self.counts.late += 1
            return self._random.randint(self._faults.late_after_ms + 1, self._faults.late_by_ms), True
        if draw < self._faults.disorder:
            self.counts.disordered += 1
            return self._random.randint(1, self._faults.disorder_by_ms), False
        return 0, False

    def _spoil(self, tick: Arrival) -> Arrival:
        kind = self._random.choice(self._kinds)
        self.counts.bad[kind] += 1
        return Arrival(tick.arrival_ms, tick.symbol, BAD_LINES[kind](tick.line), None)

    def _put(self, arrival: Arrival, arrival_ms: int) -> None:
        self._number += 1
        heapq.heappush(self._under_way, (arrival_ms, self._number, arrival._replace(arrival_ms=arrival_ms)))

    def _arrived(self, now_ms: int) -> Iterator[Arrival]:
        while self._under_way and self._under_way[0][0] <= now_ms:
            yield heapq.heappop(self._under_way)[2]
