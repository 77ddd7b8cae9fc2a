"""Reading a store: bars of a series, the newest of many, symbols, and a snapshot with the offsets it stands at."""

import json
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from connectors.delivery.store.file import MINUTE_MASK, SERIES_BITS, bar_key, open_for_reading, store_errors, transaction
from connectors.delivery.store.records import Series, Version
from udfs.frames import MINUTE_MS, parse_frame

_FIELDS = f'(bar & {MINUTE_MASK}) * {MINUTE_MS}, end_ms, run, revision, partition, "offset", value'
_BARS = f"SELECT {_FIELDS} FROM bars WHERE bar >= ? AND bar < ? ORDER BY bar"
_OLDEST = f"{_BARS} LIMIT ?"
_NEWEST = f"{_BARS} DESC LIMIT ?"
_LATEST = (
    f"SELECT stock_id, time_frame, {_FIELDS} FROM series JOIN bars"
    f" ON bar = (id << {SERIES_BITS}) + newest_start_ms / {MINUTE_MS}"
)  # fmt: skip


class StoredBar(NamedTuple):
    """The newest record of one bar."""

    start_ms: int
    end_ms: int
    run: int
    revision: int
    partition: int
    offset: int
    value: bytes
    """The record as it is in the topic."""

    @property
    def version(self) -> Version:
        """Which record of its bar it is."""
        return self.run, self.revision, self.partition, self.offset


class Snapshot(NamedTuple):
    """Bars, and how far the topic had been read when they were: the two are of the same instant."""

    bars: dict[Series, list[StoredBar]]
    """Every series asked for, bars in ascending order of their start; unknown ones are empty."""
    positions: dict[int, int]
    """Partition -> next offset: a record below it is in the bars, or they have a newer one of its bar."""


class SymbolFrames(NamedTuple):
    """A symbol and the time frames it has bars of, shortest first."""

    stock_id: str
    time_frames: tuple[str, ...]


class StoreSize(NamedTuple):
    """How much there is."""

    symbols: int
    series: int
    bars: int
    bytes: int
    """Of the file, its write-ahead log aside."""
    newest_end_ms: int | None
    """The end of the newest bar of all."""


class StoreReader:
    """Looks into a store that is being written. One thread at a time may use it. Raises StoreUnusable."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = open_for_reading(path)

    def bars(
        self, series: Series, *, start_ms: int | None = None, end_ms: int | None = None, limit: int = 1_000, newest: bool = False
    ) -> list[StoredBar]:
        """Bars that start within [start_ms, end_ms), in ascending order of their start: the first `limit` of them, or the last."""
        with store_errors(self._path):
            series_id = self._id_of(series)
            return [] if series_id is None else self._bars(series_id, start_ms, end_ms, limit, newest)

    def snapshot(self, series: Iterable[Series], limit: int) -> Snapshot:
        """The newest `limit` bars of each series, and where the topic had been read to."""
        with store_errors(self._path), transaction(self._connection, "DEFERRED"):
            bars = {each: self._newest(each, limit) for each in series}
            return Snapshot(bars, self._positions())

    def latest(self, symbols: Collection[str] | None = None, time_frames: Collection[str] | None = None) -> dict[Series, StoredBar]:
        """The newest bar of each series of those symbols and time frames; None means all."""
        wanted = _Filter()
        wanted.add("stock_id", symbols)
        wanted.add("time_frame", time_frames)
        with store_errors(self._path):
            found = self._connection.execute(f"{_LATEST} {wanted.where}", wanted.values)
            return {Series(stock_id, frame): StoredBar(*fields) for stock_id, frame, *fields in found}

    def symbols(self, query: str = "", limit: int = 1_000) -> tuple[list[SymbolFrames], int]:
        """Symbols with `query` in their name, in whatever case, those that begin with it first; and how many match in all."""
        with store_errors(self._path):
            rows = self._connection.execute("SELECT stock_id, group_concat(time_frame) FROM series GROUP BY stock_id").fetchall()
        wanted = query.casefold()
        found = [row for row in rows if wanted in row[0].casefold()]
        found.sort(key=lambda row: (not row[0].casefold().startswith(wanted), row[0]))
        return [SymbolFrames(stock_id, _by_length(frames.split(","))) for stock_id, frames in found[:limit]], len(found)

    def time_frames_of(self, stock_id: str) -> tuple[str, ...]:
        """The time frames the symbol has bars of, shortest first; empty for an unknown symbol."""
        with store_errors(self._path):
            rows = self._connection.execute("SELECT time_frame FROM series WHERE stock_id = ?", (stock_id,)).fetchall()
        return _by_length(frame for (frame,) in rows)

    def positions(self) -> dict[int, int]:
        """Partition -> the offset to read next."""
        with store_errors(self._path):
            return self._positions()

    def size(self) -> StoreSize:
        """How much there is; costs no look at the bars themselves."""
        with store_errors(self._path), transaction(self._connection, "DEFERRED"):
            counted = "SELECT count(DISTINCT stock_id), count(*), ifnull(sum(bars), 0), max(newest_end_ms) FROM series"
            symbols, series, bars, newest_end_ms = self._connection.execute(counted).fetchone()
            (pages,), (page_bytes,) = (self._connection.execute(f"PRAGMA {fact}").fetchone() for fact in ("page_count", "page_size"))
        return StoreSize(symbols, series, bars, pages * page_bytes, newest_end_ms)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _id_of(self, series: Series) -> int | None:
        found = self._connection.execute("SELECT id FROM series WHERE stock_id = ? AND time_frame = ?", series).fetchone()
        return None if found is None else found[0]

    def _newest(self, series: Series, limit: int) -> list[StoredBar]:
        series_id = self._id_of(series)
        return [] if series_id is None else self._bars(series_id, None, None, limit, newest=True)

    def _bars(self, series_id: int, start_ms: int | None, end_ms: int | None, limit: int, newest: bool) -> list[StoredBar]:
        keys = _first_key(series_id, start_ms), _end_key(series_id, end_ms)
        rows = self._connection.execute(_NEWEST if newest else _OLDEST, (*keys, limit)).fetchall()
        bars = list(map(StoredBar._make, rows))
        return bars[::-1] if newest else bars

    def _positions(self) -> dict[int, int]:
        return dict(self._connection.execute("SELECT partition, next_offset FROM positions"))


class _Filter:
    """Conditions on series, and the values they compare with."""

    def __init__(self) -> None:
        self._conditions: list[str] = []
        self.values: list[str] = []

    def add(self, column: str, wanted: Collection[str] | None) -> None:
        """Only rows with one of those in `column`; None means any."""
        if wanted is not None:
            self._conditions.append(f"{column} IN (SELECT value FROM json_each(?))")
            self.values.append(json.dumps(list(wanted)))

    @property
    def where(self) -> str:
        return f"WHERE {' AND '.join(self._conditions)}" if self._conditions else ""


def _first_key(series_id: int, start_ms: int | None) -> int:
    """The key of the first bar at or after `start_ms`."""
    return bar_key(series_id, 0 if start_ms is None else _up_to_a_minute(start_ms))


def _end_key(series_id: int, end_ms: int | None) -> int:
    """The key behind the last bar that starts before `end_ms`."""
    return bar_key(series_id + 1, 0) if end_ms is None else bar_key(series_id, _up_to_a_minute(end_ms))


def _up_to_a_minute(instant_ms: int) -> int:
    """The first whole minute at or after an instant, kept to those that bars can start at."""
    return min(max(-(-instant_ms // MINUTE_MS), 0), MINUTE_MASK + 1) * MINUTE_MS


def _by_length(frames: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(frames, key=lambda label: parse_frame(label).length_ms))
