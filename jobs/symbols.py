"""The symbols a stack knows: who they are, where their ticks lie, and telling the job to forget one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from connectors.clients import KafkaConnection
from connectors.codec import is_drop, is_symbol
from connectors.consumer import Record, begin_offsets, end_offsets, read_topic
from connectors.control_records import BY_KEY, Drop, Written, publish_drops
from connectors.topics import Topics
from jobs.errors import JobsError

NEWEST = 100_000
"""Records of each partition that are looked at, counted from its end, unless somebody wants all."""


class UnknownSymbols(JobsError):
    """Neither a tick nor a result of `symbols` is there."""

    def __init__(self, symbols: Sequence[str]) -> None:
        super().__init__(f"no tick and no result of {', '.join(symbols)}", "tickloom symbols ls --all; names are case-sensitive")
        self.symbols = tuple(symbols)


@dataclass(slots=True)
class SeenSymbol:
    """What the topics say of one symbol. `partitions` are those of its ticks since it was last dropped."""

    stock_id: str
    last_tick_ms: int = -1
    """Event time of its newest tick."""
    partitions: set[int] = field(default_factory=set)
    dropped: bool = False
    """Dropped, and no tick since."""

    @property
    def is_split(self) -> bool:
        """Whether its ticks lie in several partitions, so that their order is nobody's."""
        return len(self.partitions) > 1


class _Named(msgspec.Struct):
    """A line of a record without a key, as far as it names its symbol."""

    stock_id: str | None = None
    symbol: str | None = None


class _Result(msgspec.Struct):
    stock_id: str
    last_ms: int


_named, _result = msgspec.json.Decoder(_Named).decode, msgspec.json.Decoder(_Result).decode


def scan_symbols(connection: KafkaConnection, newest: int | None = NEWEST) -> dict[str, SeenSymbol]:
    """Every symbol met in the ticks and results, by name: in the newest records of each partition, or in all of them (None).

    Raises KafkaUnreachable, TopicMissing.
    """
    topics, seen = Topics.of(connection), dict[str, SeenSymbol]()
    for record in _newest_records(connection, topics.indicator_results, newest):
        _take_result(seen, record)
    for record in _newest_records(connection, topics.stock_data, newest):
        _take_ticks(seen, record)
    return dict(sorted(seen.items()))


def drop_symbols(connection: KafkaConnection, symbols: Sequence[str]) -> list[Written]:
    """Write a record for each of `symbols` that makes every job on these ticks forget it; where each lies.

    Raises UnknownSymbols for those that neither ticks nor results tell of, KafkaUnreachable, TopicMissing, PublishError.
    """
    seen = scan_symbols(connection)
    if not set(symbols) <= seen.keys():
        seen = scan_symbols(connection, None)
    unknown = [symbol for symbol in symbols if symbol not in seen]
    if unknown:
        raise UnknownSymbols(unknown)
    return publish_drops(connection, [_drop(seen[symbol]) for symbol in symbols])


def _drop(symbol: SeenSymbol) -> Drop:
    return Drop(symbol.stock_id, min(symbol.partitions, default=BY_KEY), symbol.last_tick_ms)


def _newest_records(connection: KafkaConnection, topic: str, newest: int | None) -> Iterator[Record]:
    starts: Mapping[int, int] = begin_offsets(connection, topic)
    if newest is not None:
        ends = end_offsets(connection, topic)
        starts = {partition: max(start, ends.get(partition, 0) - newest) for partition, start in starts.items()}
    return read_topic(connection, topic, from_offsets=starts)


def _take_result(seen: dict[str, SeenSymbol], record: Record) -> None:
    try:
        result = _result(record.value or b"")
    except msgspec.DecodeError:
        return
    known = seen.setdefault(result.stock_id, SeenSymbol(result.stock_id))
    known.last_tick_ms = max(known.last_tick_ms, result.last_ms)


def _take_ticks(seen: dict[str, SeenSymbol], record: Record) -> None:
    value = record.value
    name = None if value is None else _name_of(record.key, value)
    if value is None or name is None:
        return
    known = seen.setdefault(name, SeenSymbol(name))
    known.dropped = b'"op"' in value and is_drop(name, value)
    if known.dropped:
        known.partitions = {record.partition}
    else:
        known.partitions.add(record.partition)
        known.last_tick_ms = max(known.last_tick_ms, record.timestamp_ms)


def _name_of(key: bytes | None, value: bytes) -> str | None:
    """The symbol a record of ticks is about; None for one that names none."""
    if key:
        name: str | None = key.decode(errors="replace")
    else:
        try:
            line = _named(value.partition(b"\n")[0])
        except msgspec.DecodeError:
            return None
        name = line.stock_id if line.stock_id is not None else line.symbol
    return name if name is not None and is_symbol(name) else None
