import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from connectors.delivery.store.reader import StoredBar, StoreReader
from connectors.delivery.store.records import Series
from connectors.delivery.store.store import Store
from connectors.errors import StoreCorrupt, StoreUnusable
from tests.connectors.delivery.store.records import FIRST_MS, MINUTE, record_of

IBM = Series("IBM", "1min")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "delivery" / "d1.sqlite"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    with_bars = Store(file, 1_000)
    yield with_bars
    with_bars.close()


@pytest.fixture
def reader(store: Store) -> Iterator[StoreReader]:
    opened = store.reader()
    yield opened
    opened.close()


def closes(bars: list[StoredBar]) -> list[float]:
    return [json.loads(bar.value)["close"] for bar in bars]


def numbers(bars: list[StoredBar]) -> list[int]:
    return [(bar.start_ms - FIRST_MS) // MINUTE for bar in bars]


# Writing ---------------------------------------------------------------------------------------------------------------


def test_the_newest_record_of_a_bar_is_kept_and_every_one_that_was_newer_in_its_turn_is_returned(store: Store, reader: StoreReader) -> None:
    final, revised, again = (record_of(revision=number, offset=number, close=180 + number) for number in range(3))
    assert store.apply([final, again, revised], {0: 3}) == [final, again]
    assert store.apply([revised, again], {0: 3}) == []
    assert closes(reader.bars(IBM)) == [182]
    recomputed = record_of(run=2, offset=7, close=190)
    assert store.apply([recomputed], {0: 8}) == [recomputed]
    (bar,) = reader.bars(IBM)
    assert bar == (FIRST_MS, FIRST_MS + MINUTE, 2, 0, 0, 7, recomputed.value)


def test_rows_and_positions_come_together_or_not_at_all(store: Store, reader: StoreReader, file: Path) -> None:
    store.apply([record_of(bar=0)], {0: 1})
    with pytest.raises(StoreUnusable):
        store.apply([record_of(bar=1, offset=1), record_of("AAPL", 0, offset=2)], {0: 3, 1: None})  # type: ignore[dict-item]
    assert reader.snapshot([IBM, Series("AAPL", "1min")], 10).positions == store.positions() == {0: 1}
    assert (reader.size().series, reader.size().bars) == (1, 1)
    again = [record_of(bar=1, offset=1), record_of("AAPL", 0, offset=2)]
    assert store.apply(again, {0: 3}) == again
    assert (numbers(reader.bars(IBM)), numbers(reader.bars(Series("AAPL", "1min")))) == ([0, 1], [0])


def test_a_store_goes_on_where_it_was_closed(store: Store, file: Path) -> None:
    store.apply([record_of(bar=0, revision=1), record_of(bar=1, offset=1)], {0: 2, 3: 9})
    store.close()
    reopened = Store(file, 1_000)
    try:
        assert (reopened.positions(), reopened.newest_end_ms) == ({0: 2, 3: 9}, FIRST_MS + 2 * MINUTE)
        older, newer = record_of(bar=0, offset=5), record_of(bar=0, revision=2, offset=6)
        assert reopened.apply([older, newer], {0: 7}) == [newer]
        assert numbers(reopened.reader().bars(IBM)) == [0, 1]
    finally:
        reopened.close()


def test_one_process_at_a_time_has_the_file(store: Store, file: Path) -> None:
    with pytest.raises(StoreUnusable, match="another delivery has it open"):
        Store(file, 1_000)
    store.close()
    Store(file, 1_000).close()


def test_changes_of_a_series_are_seen_in_a_number(store: Store) -> None:
    other = Series("AAPL", "1min")
    seen = [(store.changes(IBM), store.changes(other))]
    for records in ([record_of()], [record_of()], [record_of("AAPL", offset=1)], [record_of(revision=1, offset=2)]):
        store.apply(records, {0: 3})
        seen.append((store.changes(IBM), store.changes(other)))
    ibm, aapl = zip(*seen, strict=True)
    assert [after > before for before, after in pairwise(ibm)] == [True, False, False, True]
    assert [after > before for before, after in pairwise(aapl)] == [False, False, True, False]


def test_a_full_disk_stops_nothing_but_the_transaction(store: Store, reader: StoreReader) -> None:
    store.apply([record_of()], {0: 1})
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    many = [record_of(bar=number, offset=number) for number in range(1, 100)]
    with pytest.raises(StoreUnusable, match="full"):
        store.apply(many, {0: 100})
    assert (store.positions(), numbers(reader.bars(IBM)), reader.size().bars) == ({0: 1}, [0], 1)
    store._connection.execute("PRAGMA max_page_count = 100000")
    assert store.apply(many, {0: 100}) == many
    assert reader.size().bars == 100


# Retention -------------------------------------------------------------------------------------------------------------


def test_only_the_newest_bars_of_each_series_are_kept(file: Path) -> None:
    store = Store(file, 3)
    store.apply([record_of(symbol, bar, offset=bar) for symbol in ("IBM", "AAPL") for bar in range(6)], {0: 6})
    store.apply([record_of("IBM", 7, offset=6), record_of("IBM", 1, revision=1, offset=7)], {0: 8})
    reader = store.reader()
    assert numbers(reader.bars(IBM)) == [4, 5, 7]
    assert numbers(reader.bars(Series("AAPL", "1min"))) == [3, 4, 5]
    assert reader.size().bars == 6
    store.close()


def test_fewer_bars_are_cut_at_the_next_start_and_more_are_read_from_the_topic_again(file: Path) -> None:
    for bars_kept, expected, positions in ((5, [1, 2, 3, 4, 5], {0: 6}), (2, [4, 5], {0: 6}), (2, [4, 5], {0: 6}), (3, [], {})):
        store = Store(file, bars_kept)
        if bars_kept == 5:
            store.rebuild_unless_of("a topic", {0: 0}, {0: 6})
            store.apply([record_of(bar=bar, offset=bar) for bar in range(6)], {0: 6})
        assert (numbers(store.reader().bars(IBM)), store.positions(), store.topic_id) == (expected, positions, "a topic")
        store.close()


def test_more_bars_need_no_rebuild_where_none_was_forgotten(file: Path) -> None:
    for bars_kept in (5, 50):
        store = Store(file, bars_kept)
        store.apply([record_of(bar=bar, offset=bar) for bar in range(4)], {0: 4})
        assert numbers(store.reader().bars(IBM)) == [0, 1, 2, 3]
        store.close()


# Beginning anew --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "begins", "ends", "why"),
    [
        ("t/1", {0: 0, 1: 0}, {0: 9, 1: 4}, None),
        ("t/1", {0: 5, 1: 4}, {0: 5, 1: 4}, None),
        ("t/1", {0: 0, 1: 0, 2: 7}, {0: 9, 1: 4, 2: 8}, None),
        ("t/2", {0: 0, 1: 0}, {0: 9, 1: 4}, "the topic was made anew"),
        ("t/1", {0: 6, 1: 0}, {0: 9, 1: 4}, "records of partition 0 are gone that were not read"),
        ("t/1", {0: 0, 1: 0}, {0: 9, 1: 3}, "partition 1 ends before what was read of it"),
        ("t/1", {0: 0}, {0: 9}, "partition 1 ends before what was read of it"),
    ],
)
def test_a_topic_that_cannot_be_read_on_empties_the_store(
    store: Store, topic: str, begins: dict[int, int], ends: dict[int, int], why: str | None
) -> None:
    assert store.rebuild_unless_of("t/1", {}, {}) is None
    store.apply([record_of(offset=4), record_of("AAPL", partition=1, offset=3)], {0: 5, 1: 4})
    changes = store.changes(IBM)
    assert store.rebuild_unless_of(topic, begins, ends) == why
    bars = store.reader().bars(IBM)
    if why is None:
        assert (len(bars), store.positions(), store.changes(IBM)) == (1, {0: 5, 1: 4}, changes)
    else:
        assert (bars, store.positions(), store.newest_end_ms) == ([], {}, None)
        assert store.changes(IBM) > changes
        assert store.topic_id == topic
        assert len(store.apply([record_of("AAPL"), record_of()], {0: 1})) == 2


@pytest.mark.parametrize("damage", ["garbage", "truncated", "deleted, its log left", "other schema", "missing table"])
def test_a_file_that_is_no_store_of_ours_is_made_anew(store: Store, file: Path, damage: str) -> None:
    store.apply([record_of(bar=bar, offset=bar) for bar in range(50)], {0: 50})
    log = file.with_name(f"{file.name}-wal")
    logged = log.read_bytes()
    store.close()
    if damage == "garbage":
        file.write_bytes(os.urandom(100_000))
    elif damage == "truncated":
        os.truncate(file, 10_000)
    elif damage.startswith("deleted"):
        file.unlink()
        log.write_bytes(logged)
    else:
        with sqlite3.connect(file) as connection:
            connection.execute("PRAGMA user_version = 99" if damage == "other schema" else "DROP TABLE positions")
        connection.close()
    anew = Store(file, 1_000)
    assert (anew.positions(), anew.reader().size().bars) == ({}, 0)
    assert anew.apply([record_of()], {0: 1}) == [record_of()]
    anew.close()


def test_damage_found_while_writing_deletes_the_file_so_that_the_next_start_makes_it_anew(store: Store, file: Path) -> None:
    store.apply([record_of(bar=bar, offset=bar) for bar in range(500)], {0: 500})
    store.close()
    page = 4096
    whole = file.read_bytes()
    file.write_bytes(whole[: 6 * page] + os.urandom(len(whole) - 6 * page))
    damaged = Store(file, 1_000)
    with pytest.raises(StoreCorrupt):
        damaged.apply([record_of(bar=bar, revision=1, offset=500 + bar) for bar in range(500)], {0: 1_000})
    damaged.close()
    anew = Store(file, 1_000)
    assert anew.positions() == {}
    anew.close()


def test_a_folder_nobody_may_write_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnusable, match=r"file/d1\.sqlite"):
        Store(tmp_path / "file" / "d1.sqlite", 10)


# Reading ---------------------------------------------------------------------------------------------------------------


def test_bars_are_found_by_start_the_first_of_them_or_the_last(store: Store, reader: StoreReader) -> None:
    store.apply([record_of(symbol, bar) for symbol in ("A", "IBM", "Z") for bar in range(10)], {0: 1})
    third, sixth = FIRST_MS + 3 * MINUTE, FIRST_MS + 6 * MINUTE
    assert numbers(reader.bars(IBM)) == list(range(10))
    assert numbers(reader.bars(IBM, limit=3)) == [0, 1, 2]
    assert numbers(reader.bars(IBM, limit=3, newest=True)) == [7, 8, 9]
    assert numbers(reader.bars(IBM, start_ms=third, end_ms=sixth)) == [3, 4, 5]
    assert numbers(reader.bars(IBM, start_ms=third + 1, end_ms=sixth + 1)) == [4, 5, 6]
    assert numbers(reader.bars(IBM, start_ms=third, limit=2)) == [3, 4]
    assert numbers(reader.bars(IBM, end_ms=sixth, limit=2, newest=True)) == [4, 5]
    for symbol in ("A", "IBM", "Z"):
        assert numbers(reader.bars(Series(symbol, "1min"), start_ms=-(10**15), end_ms=10**15)) == list(range(10))
    assert reader.bars(IBM, start_ms=10**15) == reader.bars(IBM, end_ms=-(10**15)) == reader.bars(IBM, limit=0) == []
    assert reader.bars(Series("IBM", "5min")) == reader.bars(Series("NONE", "1min")) == []


def test_a_snapshot_holds_the_newest_bars_of_every_series_asked_for(store: Store, reader: StoreReader) -> None:
    store.apply([record_of(symbol, bar) for symbol in ("IBM", "AAPL") for bar in range(5)], {0: 7, 2: 3})
    aapl, none = Series("AAPL", "1min"), Series("NONE", "1min")
    snapshot = reader.snapshot([IBM, none, aapl], 2)
    assert {series: numbers(bars) for series, bars in snapshot.bars.items()} == {IBM: [3, 4], none: [], aapl: [3, 4]}
    assert snapshot.positions == {0: 7, 2: 3}


def test_the_newest_bar_of_many_series(store: Store, reader: StoreReader) -> None:
    records = [record_of(symbol, bar, time_frame=frame) for symbol in ("IBM", "AAPL") for frame in ("1min", "5min") for bar in (0, 2, 1)]
    store.apply(records, {0: 1})
    every = {Series(symbol, frame) for symbol in ("IBM", "AAPL") for frame in ("1min", "5min")}
    assert reader.latest().keys() == every
    assert all(numbers([bar]) == [2] for bar in reader.latest().values())
    assert reader.latest(["IBM", "NONE"], ["5min"]).keys() == {Series("IBM", "5min")}
    assert reader.latest(None, ["1min"]).keys() == {Series("IBM", "1min"), Series("AAPL", "1min")}
    assert reader.latest([]) == {}


def test_symbols_are_searched_whatever_the_case_and_those_that_begin_so_come_first(store: Store, reader: StoreReader) -> None:
    frames = ("1day", "1min", "15min", "5min", "1hour")
    store.apply([record_of(symbol, time_frame=frame) for symbol in ("XAB", "ab.c", "AB", "B_+", "C") for frame in frames], {0: 1})
    assert [each.stock_id for each in reader.symbols("ab")[0]] == ["AB", "ab.c", "XAB"]
    found, total = reader.symbols(limit=2)
    assert ([each.stock_id for each in found], total) == (["AB", "B_+"], 5)
    assert found[0].time_frames == reader.time_frames_of("AB") == ("1min", "5min", "15min", "1hour", "1day")
    assert reader.symbols("_+") == ([("B_+", found[0].time_frames)], 1)
    assert reader.time_frames_of("ab") == ()


def test_the_size_is_told_without_counting(store: Store, reader: StoreReader) -> None:
    assert reader.size()[:3] == (0, 0, 0)
    assert reader.size().newest_end_ms is None
    store.apply([record_of(symbol, bar, time_frame=frame) for symbol in "AB" for frame in ("1min", "5min") for bar in range(4)], {0: 1})
    size = reader.size()
    assert size[:3] == (2, 4, 16)
    assert (size.newest_end_ms, store.newest_end_ms) == (FIRST_MS + 4 * MINUTE,) * 2
    assert size.bytes > 0


def test_a_snapshot_beside_a_writer_is_of_one_instant(store: Store) -> None:
    """Record n is bar n: whatever is seen while transactions come, the offset behind the last bar is the position."""
    seen: list[tuple[int, int]] = []
    writing = threading.Event()

    def look() -> None:
        reader = store.reader()
        while not writing.is_set():
            snapshot = reader.snapshot([IBM], 1)
            if snapshot.positions:
                seen.append((snapshot.bars[IBM][-1].offset + 1, snapshot.positions[0]))
        reader.close()

    looking = threading.Thread(target=look)
    looking.start()
    offset = 0
    while len({position for _, position in seen}) < 20:
        store.apply([record_of(bar=offset + more, offset=offset + more) for more in range(3)], {0: offset + 3})
        offset += 3
    writing.set()
    looking.join()
    assert all(behind_the_last == position for behind_the_last, position in seen)
