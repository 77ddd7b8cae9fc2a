"""Stored bars on their way to clients that ask for a snapshot: what is asked, and the messages made of the answer."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import orjson

from connectors.delivery.live.selection import Labels, select_indicators
from connectors.delivery.store.reader import Snapshot, StoredBar, StoreReader
from connectors.delivery.store.reading import Reading
from connectors.delivery.store.records import Series

PART_BYTES = 128 * 1024
"""A message is closed when its bars are this much; one bar of any size fits."""
_BEGIN = b'"channel":"bars","stock_id":%b,"time_frame":%b,"bars":['
_END = {True: b'],"done":true}', False: b'],"done":false}'}


class Question(NamedTuple):
    """The newest `limit` bars of each series, with these indicators."""

    series: tuple[Series, ...]
    limit: int
    labels: Labels


class Answer(NamedTuple):
    """The messages of each series, all but their numbers, and where the store stood when they were read."""

    parts: dict[Series, list[bytes]]
    rows: int
    positions: Mapping[int, int]
    newest: Mapping[Series, StoredBar]
    """The last bar of each series that has any."""


class SnapshotSource(Protocol):
    """Whoever can be asked for snapshots; `take` is called once, on the loop, with None when reading failed."""

    def __call__(self, question: Question, take: Callable[[Answer | None], None]) -> None:
        """Answer later, or at once."""


def answer(reader: StoreReader, question: Question) -> Answer:
    """Read all series in one transaction."""
    snapshot: Snapshot = reader.snapshot(question.series, question.limit)
    rows = {series: [bar.value for bar in snapshot.bars.get(series, ())] for series in question.series}
    parts = {series: parts_of(series, values, question.labels) for series, values in rows.items()}
    newest = {series: bars[-1] for series, bars in snapshot.bars.items() if bars}
    return Answer(parts, sum(map(len, rows.values())), snapshot.positions, newest)


def parts_of(series: Series, values: list[bytes], labels: Labels) -> list[bytes]:
    """The bars of one series as the ends of snapshot messages, at least one; the last says that it is."""
    chunks: list[list[bytes]] = [[]]
    size = 0
    for value in values:
        if size >= PART_BYTES:
            chunks.append([])
            size = 0
        chunks[-1].append(select_indicators(value, labels))
        size += len(chunks[-1][-1])
    begin = _BEGIN % (orjson.dumps(series.stock_id), orjson.dumps(series.time_frame))
    return [begin + b",".join(chunk) + _END[chunk is chunks[-1]] for chunk in chunks]


class ReadSnapshots:
    """Snapshots read in the threads of `reading`."""

    def __init__(self, reading: Reading, loop: asyncio.AbstractEventLoop, log: Any) -> None:
        self._reading = reading
        self._loop = loop
        self._log = log
        self._under_way: set[asyncio.Task[None]] = set()

    def __call__(self, question: Question, take: Callable[[Answer | None], None]) -> None:
        """Ask a thread."""
        task = self._loop.create_task(self._read(question, take))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _read(self, question: Question, take: Callable[[Answer | None], None]) -> None:
        try:
            answered = await self._reading.ask(lambda reader: answer(reader, question), urgent=True)
        except Exception as error:  # whatever it is, the client is told, and comes again
            self._log.error("snapshot_failed", error=repr(error), series=len(question.series))
            take(None)
        else:
            take(answered)
