"""What a store's writer remembers of each series: its id, how many bars it holds and which is the newest."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from connectors.delivery.store.records import BarRecord, Series

_READ = "SELECT id, stock_id, time_frame, bars, newest_start_ms, newest_end_ms FROM series"
_WRITE = "INSERT OR REPLACE INTO series (id, stock_id, time_frame, bars, newest_start_ms, newest_end_ms) VALUES (?, ?, ?, ?, ?, ?)"


@dataclass(slots=True)
class Kept:
    """One series as it is in the file, or will be at the end of the transaction."""

    id: int
    series: Series
    bars: int = 0
    newest_start_ms: int = -1
    newest_end_ms: int = -1

    def add(self, record: BarRecord) -> None:
        """Count a bar that was not there before."""
        self.bars += 1
        if record.start_ms > self.newest_start_ms:
            self.newest_start_ms, self.newest_end_ms = record.start_ms, record.end_ms

    @property
    def row(self) -> tuple[int, str, str, int, int, int]:
        """As it is written."""
        return (self.id, *self.series, self.bars, self.newest_start_ms, self.newest_end_ms)


@dataclass(slots=True)
class SeriesBook:
    """Every series of a store."""

    _kept: dict[tuple[str, str], Kept] = field(default_factory=dict)

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> "SeriesBook":
        """As the file has it."""
        every = (Kept(id, Series(stock_id, frame), *rest) for id, stock_id, frame, *rest in connection.execute(_READ))
        return cls({each.series: each for each in every})

    def __iter__(self) -> Iterator[Kept]:
        return iter(self._kept.values())

    def of(self, record: BarRecord) -> Kept:
        """The series of `record`, with an id of its own from its first record on."""
        series = record[:2]
        kept = self._kept.get(series)
        if kept is None:
            kept = self._kept[series] = Kept(len(self._kept) + 1, record.series)
        return kept


def write_series(connection: sqlite3.Connection, touched: Iterable[Kept]) -> None:
    """Put them into the file as they are now."""
    connection.executemany(_WRITE, [each.row for each in touched])
