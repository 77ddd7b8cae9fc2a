"""What a store must hold, found the naive way: the whole topic in dicts, sorted at the end."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias

from connectors.delivery.store.reader import StoreReader
from connectors.delivery.store.records import Series

Bars: TypeAlias = dict[tuple[str, str], list[tuple[int, bytes]]]
"""(stock_id, time_frame) -> (start_ms, record) in order."""


class Placed(NamedTuple):
    """A record of the topic."""

    partition: int
    offset: int
    value: bytes


def newest_of_topic(records: Iterable[Placed], bars_kept: int) -> Bars:
    """The newest record of each bar, of each series the newest bars."""
    versions: dict[tuple[Any, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for record in records:
        said = json.loads(record.value)
        place = (said["run"], said["revision"], record.partition, record.offset)
        versions[said["stock_id"], said["time_frame"], said["start_ms"]].append((place, record.value))
    bars = defaultdict(list)
    for (stock_id, time_frame, start_ms), said_of_it in sorted(versions.items()):
        bars[stock_id, time_frame].append((start_ms, max(said_of_it)[1]))
    return {series: starts[-bars_kept:] for series, starts in bars.items()}


def all_of(reader: StoreReader) -> Bars:
    """Every bar in a store; what it says of itself in other ways must agree."""
    symbols, _ = reader.symbols(limit=100_000)
    every = [Series(symbol.stock_id, frame) for symbol in symbols for frame in symbol.time_frames]
    bars = reader.snapshot(every, 1_000_000).bars
    assert reader.size().bars == sum(map(len, bars.values()))
    assert {series: latest.value for series, latest in reader.latest().items()} == {series: rows[-1].value for series, rows in bars.items()}
    return {series: [(bar.start_ms, bar.value) for bar in rows] for series, rows in bars.items()}
