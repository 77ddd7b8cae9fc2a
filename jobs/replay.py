"""Ticks of files as a feed: several files merged, arrival shuffled on request, nothing of a file lost."""

import heapq
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from connectors.errors import LineRefused
from jobs.feed_records import Arrival
from jobs.tick_files import FileLine, TickFile
from udfs.model import Reason


@dataclass(frozen=True, slots=True)
class Replay:
    """What is asked of a replay."""

    in_order: bool = False
    """Read the files one after the other, instead of merging them by event time."""
    shuffle_ms: int = 0
    """Each line arrives up to this long after its event time; the moment is drawn from `seed`."""
    seed: int = 1
    limit: int | None = None
    """Lines read, at most."""
    latest_ms: int = 2**63 // 1_000_000
    """A tick of a later event time is sent, but its record is not stamped with it: it is a dead letter to the job,
    and a broker would refuse the whole batch it travels in."""


@dataclass(slots=True)
class ReplayCounts:
    """What the files held so far."""

    ticks: int = 0
    refused: Counter[Reason] = field(default_factory=Counter)
    """Lines that the job will not count whatever comes before them; they are sent all the same."""
    first_ms: int | None = None
    last_ms: int | None = None

    @property
    def lines(self) -> int:
        """Lines read in all."""
        return self.ticks + self.refused.total()

    def add(self, line: FileLine) -> None:
        """Count one line."""
        if line.refused is not None:
            self.refused[line.refused.reason] += 1
            return
        self.ticks += 1
        time_ms = line.event_time_ms
        self.first_ms = time_ms if self.first_ms is None else min(self.first_ms, time_ms)
        self.last_ms = time_ms if self.last_ms is None else max(self.last_ms, time_ms)


def read_files(files: Sequence[TickFile], replay: Replay) -> Iterator[FileLine]:
    """The lines of `files`: by the event time of the lines next in turn, files given first before others at equal times.

    A file that is not in order of event time keeps its own order.
    """
    streams = [file.lines() for file in files]
    merged = chain.from_iterable(streams) if replay.in_order else heapq.merge(*streams, key=lambda line: line.event_time_ms)
    return islice(merged, replay.limit)


def arrivals(lines: Iterable[FileLine], replay: Replay, counts: ReplayCounts) -> Iterator[Arrival]:
    """`lines` in order of arrival, counted. A tick older than one before it arrives right after that."""
    arriving = _in_time(lines, replay.latest_ms, counts)
    return _shuffled(arriving, replay.shuffle_ms, random.Random(replay.seed)) if replay.shuffle_ms else arriving


def _in_time(lines: Iterable[FileLine], latest_ms: int, counts: ReplayCounts) -> Iterator[Arrival]:
    clock_ms: int | None = None
    waiting: list[Arrival] = []  # lines before the first tick: they arrive with it
    for line in lines:
        line = _judged(line, latest_ms)
        counts.add(line)
        if line.refused is None:
            clock_ms = line.event_time_ms if clock_ms is None else max(clock_ms, line.event_time_ms)
        arrival = Arrival(clock_ms or 0, line.symbol, line.line, line.event_time_ms if line.refused is None else None)
        if clock_ms is None:
            waiting.append(arrival)
            continue
        if waiting:
            yield from (early._replace(arrival_ms=clock_ms) for early in waiting)
            waiting = []
        yield arrival
    yield from waiting


def _judged(line: FileLine, latest_ms: int) -> FileLine:
    if line.refused is None and line.event_time_ms > latest_ms:
        return line._replace(refused=LineRefused(Reason.FUTURE_TIME, f"event time {line.event_time_ms} ms is in the future"))
    return line


def _shuffled(arriving: Iterable[Arrival], by_ms: int, draw: random.Random) -> Iterator[Arrival]:
    """Each line delayed by 0 to `by_ms`; lines that come to arrive at the same moment keep their order."""
    under_way: list[tuple[int, int, Arrival]] = []
    for number, arrival in enumerate(arriving):
        while under_way and under_way[0][0] < arrival.arrival_ms:
            yield heapq.heappop(under_way)[2]
        later_ms = arrival.arrival_ms + draw.randint(0, by_ms)
        heapq.heappush(under_way, (later_ms, number, arrival._replace(arrival_ms=later_ms)))
    while under_way:
        yield heapq.heappop(under_way)[2]
