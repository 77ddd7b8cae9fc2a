"""The store's writer: the newest record of every bar and the offsets read so far, put down in one transaction."""

import fcntl
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from connectors.delivery.store.file import bar_key, delete_file, open_file, store_errors, transaction
from connectors.delivery.store.reader import StoreReader
from connectors.delivery.store.records import BarRecord, Series, Version
from connectors.delivery.store.series import Kept, SeriesBook, write_series
from connectors.errors import StoreCorrupt, StoreUnusable

_PUT = 'INSERT OR REPLACE INTO bars (bar, end_ms, run, revision, partition, "offset", value) VALUES (?, ?, ?, ?, ?, ?, ?)'
_VERSION = 'SELECT run, revision, partition, "offset" FROM bars WHERE bar = ?'
_FORGET = "DELETE FROM bars WHERE bar IN (SELECT bar FROM bars WHERE bar >= ? ORDER BY bar LIMIT ?)"
_PUT_POSITION = "INSERT OR REPLACE INTO positions (partition, next_offset) VALUES (?, ?)"
_PUT_FACT = "INSERT OR REPLACE INTO facts (name, fact) VALUES (?, ?)"
TOPIC, BARS_KEPT = "topic", "bars_kept"


@dataclass(slots=True)
class _Batch:
    """What one transaction changes."""

    rows: dict[int, BarRecord] = field(default_factory=dict)
    """Key of a bar -> its newest record."""
    newer: list[BarRecord] = field(default_factory=list)
    grown: dict[int, Kept] = field(default_factory=dict)
    """Id -> a series with bars that were not there before."""
    changed: set[Series] = field(default_factory=set)


class Store:
    """Says of each bar what the topic's records read so far say: a cache of it, whatever happens in between.

    Keeps the `bars_kept` newest bars of each series. One thread at a time may write; what is not marked otherwise may be
    asked for by any. Holds the file for this process alone. Raises StoreUnusable.
    """

    def __init__(self, path: Path, bars_kept: int) -> None:
        self.path = path
        self.bars_kept = bars_kept
        self.applied = 0
        """Transactions of this object; grows whenever anything has changed."""
        self._changes: dict[Series, int] = {}
        self._emptied_at = 0
        self._newest_end_ms = -1
        self._lock = _lock(path)
        try:
            self._open()
            self._keep_no_more()
        except BaseException:
            self._lock.close()
            raise

    def positions(self) -> dict[int, int]:
        """Partition -> the offset to read next; one that nothing was read of is not in it."""
        return dict(self._positions)

    def changes(self, series: Series) -> int:
        """A number that grows with every change of the series' bars. Ask before you read the bars that it is to vouch for."""
        return self._changes.get(series, self._emptied_at)

    @property
    def newest_end_ms(self) -> int | None:
        """The end of the newest bar of all; None without any."""
        return self._newest_end_ms if self._newest_end_ms >= 0 else None

    def reader(self) -> StoreReader:
        """A reader of its own connection. Raises StoreUnusable."""
        return StoreReader(self.path)

    def rebuild_unless_of(self, topic_id: str, begins: Mapping[int, int], ends: Mapping[int, int]) -> str | None:
        """Empty the store when the topic cannot be read on from here, and say why: it is another one, or records are gone.

        `begins` and `ends` are the offsets of its partitions' oldest and next record. Writer's thread only.
        """
        why = self._why_not_of(topic_id, begins, ends)
        if why is not None or topic_id != self.topic_id:
            self._empty(topic_id)
        return why

    def apply(self, records: Sequence[BarRecord], positions: Mapping[int, int]) -> list[BarRecord]:
        """Take records and the offsets they lead to, all or nothing; the ones that said something new, in order.

        A record does when it is newer than what was known of its bar when its turn came, so that a final and its revision
        are both returned, however records are cut into batches. Writer's thread only. Raises StoreUnusable; after
        StoreCorrupt the file is gone and the store of no more use.
        """
        batch = _Batch()
        with self._writing():
            for record in records:
                self._add(batch, record)
            self._connection.executemany(_PUT, [_row(bar, record) for bar, record in batch.rows.items()])
            self._keep_newest(list(batch.grown.values()))
            self._connection.executemany(_PUT_POSITION, positions.items())
        self._positions.update(positions)
        self._tell_of(batch)
        return batch.newer

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
        self._lock.close()

    # Taking records ------------------------------------------------------------------------------------------------

    def _add(self, batch: _Batch, record: BarRecord) -> None:
        kept = self._book.of(record)
        bar = bar_key(kept.id, record.start_ms)
        known = self._known_version(batch, kept, bar, record.start_ms)
        if known is None:
            kept.add(record)
            batch.grown[kept.id] = kept
        elif record.version <= known:
            return
        batch.rows[bar] = record
        batch.newer.append(record)
        batch.changed.add(kept.series)

    def _known_version(self, batch: _Batch, kept: Kept, bar: int, start_ms: int) -> Version | None:
        if start_ms > kept.newest_start_ms:
            return None
        if bar in batch.rows:
            return batch.rows[bar].version
        version: Version | None = self._connection.execute(_VERSION, (bar,)).fetchone()
        return version

    def _keep_newest(self, grown: Collection[Kept]) -> None:
        """Of each of those series, forget what is more than the bars kept; what is forgotten can never be among them again."""
        for each in grown:
            if (excess := each.bars - self.bars_kept) > 0:
                self._connection.execute(_FORGET, (bar_key(each.id, 0), excess))
                each.bars = self.bars_kept
        write_series(self._connection, grown)

    def _tell_of(self, batch: _Batch) -> None:
        self.applied += 1
        self._newest_end_ms = max(self._newest_end_ms, *(each.newest_end_ms for each in batch.grown.values()), -1)
        self._changes.update(dict.fromkeys(batch.changed, self.applied))

    # The file as a whole -------------------------------------------------------------------------------------------

    def _open(self) -> None:
        """Whatever cannot be read is made anew."""
        try:
            self._connection = open_file(self.path)
            self._load()
        except StoreCorrupt:
            delete_file(self.path)
            self._connection = open_file(self.path)
            self._load()

    def _load(self) -> None:
        with store_errors(self.path):
            facts = dict(self._connection.execute("SELECT name, fact FROM facts"))
            self._positions: dict[int, int] = dict(self._connection.execute("SELECT partition, next_offset FROM positions"))
            self._book = SeriesBook.read(self._connection)
        self.topic_id: str | None = facts.get(TOPIC)
        self._kept_before: int = facts.get(BARS_KEPT, self.bars_kept)
        self._newest_end_ms = max((each.newest_end_ms for each in self._book), default=-1)

    def _why_not_of(self, topic_id: str, begins: Mapping[int, int], ends: Mapping[int, int]) -> str | None:
        if self.topic_id not in (None, topic_id):
            return "the topic was made anew"
        for partition, position in self._positions.items():
            if position < begins.get(partition, 0):
                return f"records of partition {partition} are gone that were not read"
            if position > ends.get(partition, 0):
                return f"partition {partition} ends before what was read of it"
        return None

    def _empty(self, topic_id: str | None) -> None:
        with self._writing():
            for table in ("bars", "series", "positions", "facts"):
                self._connection.execute(f"DELETE FROM {table}")
            facts = {TOPIC: topic_id, BARS_KEPT: self.bars_kept}
            self._connection.executemany(_PUT_FACT, facts.items())
        self._load()
        self.applied += 1
        self._emptied_at, self._changes = self.applied, {}

    def _keep_no_more(self) -> None:
        """Go over to another number of bars kept. More of them are in the topic only."""
        if self.bars_kept > self._kept_before and any(each.bars >= self._kept_before for each in self._book):
            self._empty(self.topic_id)
            return
        with self._writing():
            self._keep_newest([each for each in self._book if each.bars > self.bars_kept])
            self._connection.execute(_PUT_FACT, (BARS_KEPT, self.bars_kept))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction. When it fails, what is remembered of the file is read again; a damaged file is deleted."""
        try:
            with store_errors(self.path), transaction(self._connection):
                yield
        except StoreCorrupt:
            self._connection.close()
            delete_file(self.path)
            raise
        except StoreUnusable:
            self._load()
            raise


def _row(bar: int, record: BarRecord) -> tuple[int, int, int, int, int, int, bytes]:
    return bar, record.end_ms, record.run, record.revision, record.partition, record.offset, record.value


def _lock(path: Path) -> IO[bytes]:
    """The sign that this process has the store; the system takes it back when the process ends, however it ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(f"{path.name}.lock").open("wb")
    except OSError as error:
        raise StoreUnusable(str(path), str(error)) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StoreUnusable(str(path), "another delivery has it open; each needs a store of its own (delivery.name)") from error
    return lock
