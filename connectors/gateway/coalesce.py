"""Lines of one symbol that arrive together leave as one Kafka record."""

from typing import NamedTuple

from connectors.gateway.batch import Batch


class Part(NamedTuple):
    """Lines of one batch in a record, by index."""

    batch: Batch
    indices: list[int]


class TickRecord:
    """Lines of one symbol for one Kafka record, in the order they came."""

    __slots__ = ("lines", "newest_ms", "parts", "size", "symbol", "values")

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.parts: list[Part] = []
        self.values: list[bytes] = []
        self.newest_ms = 0
        self.lines = 0
        self.size = 0
        """Bytes of its lines."""

    def add(self, batch: Batch, indices: list[int], value: bytes, newest_ms: int) -> None:
        """Take lines of `batch`, which is unsettled until the record is."""
        batch.unsettled += 1
        self.parts.append(Part(batch, indices))
        self.values.append(value)
        self.newest_ms = max(self.newest_ms, newest_ms)
        self.lines += len(indices)
        self.size += len(value) + 1

    @property
    def value(self) -> bytes:
        """The record's bytes: a line each."""
        return b"\n".join(self.values)

    def alone(self) -> list["TickRecord"]:
        """Its lines as a record each, in order; their batches now wait for each of them."""
        records = []
        for batch, indices in self.parts:
            times = dict(zip(*batch.verdict.ticks[self.symbol], strict=True))
            batch.unsettled -= 1
            for index in indices:
                record = TickRecord(self.symbol)
                record.add(batch, [index], batch.value_of([index]), times[index])
                records.append(record)
        return records


class Coalescer:
    """Gathers batches of all connections into records, until they are taken.

    A record holds at most `max_lines` lines, and no more bytes than `max_bytes` unless one line does.
    """

    def __init__(self, max_lines: int, max_bytes: int) -> None:
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        self._open: dict[str, TickRecord] = {}
        self._records: list[TickRecord] = []
        self.lines = 0
        """Lines waiting."""
        self.size = 0
        """Bytes of them, about."""

    def add(self, batch: Batch) -> None:
        """Put the ticks of `batch` behind those of the same symbols that wait already."""
        for symbol, (indices, times) in batch.verdict.ticks.items():
            begin, end = 0, len(indices)
            while begin < end:
                record = self._record_with_room(symbol)
                taken = min(end, begin + self._max_lines - record.lines)
                self._fill(record, batch, indices[begin:taken], times[begin:taken])
                begin = taken
            self.lines += end
        self.size += sum(map(len, batch.texts))

    def take(self) -> list[TickRecord]:
        """Every record that waits; a symbol's records are in order."""
        records, self._records = self._records, []
        self._open = {}
        self.lines = self.size = 0
        return records

    def _record_with_room(self, symbol: str) -> TickRecord:
        record = self._open.get(symbol)
        return self._begin(symbol) if record is None or record.lines >= self._max_lines else record

    def _begin(self, symbol: str) -> TickRecord:
        record = self._open[symbol] = TickRecord(symbol)
        self._records.append(record)
        return record

    def _fill(self, record: TickRecord, batch: Batch, indices: list[int], times: list[int]) -> None:
        value = batch.value_of(indices)
        if record.size + len(value) <= self._max_bytes or (not record.size and len(indices) == 1):
            record.add(batch, indices, value, max(times))
        elif len(indices) == 1:
            self._begin(record.symbol).add(batch, indices, value, max(times))
        else:
            for index, time_ms in zip(indices, times, strict=True):
                self._fill(self._open[record.symbol], batch, [index], [time_ms])
