"""Replays: files merged, arrival shuffled within its bound, nothing of a file lost."""

import gzip
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from jobs.feed_records import Arrival
from jobs.replay import Replay, ReplayCounts, arrivals, read_files
from jobs.tick_files import TickFile, TickFormat
from udfs.model import Reason

DATA = Path(os.environ.get("TICKLOOM_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
IBM = DATA / "ibm_2013-10-07_ticks.ndjson.gz"
START = 1_381_152_600_000


def tick(symbol: str, after_ms: int, seq: int = 0) -> bytes:
    return json.dumps({"stock_id": symbol, "price": 1.5, "size": 1, "event_time_ms": START + after_ms, "seq": seq}).encode()


def file_of(path: Path, *lines: bytes) -> TickFile:
    path.write_bytes(b"\n".join(lines) + b"\n")
    return TickFile(path, TickFormat())


def replayed(files: list[TickFile], replay: Replay | None = None) -> tuple[list[Arrival], ReplayCounts]:
    counts, asked = ReplayCounts(), replay or Replay()
    return list(arrivals(read_files(files, asked), asked, counts)), counts


def test_files_are_merged_by_event_time(tmp_path: Path) -> None:
    first = file_of(tmp_path / "a", tick("A", 0), tick("A", 20), tick("A", 30))
    second = file_of(tmp_path / "b", tick("B", 10), tick("B", 20), tick("B", 40))
    found, counts = replayed([first, second])
    assert [(arrival.symbol, arrival.arrival_ms - START) for arrival in found] == [
        ("A", 0),
        ("B", 10),
        ("A", 20),
        ("B", 20),
        ("A", 30),
        ("B", 40),
    ]
    assert (counts.lines, counts.first_ms, counts.last_ms) == (6, START, START + 40)


def test_in_order_reads_one_file_after_the_other(tmp_path: Path) -> None:
    first, second = file_of(tmp_path / "a", tick("A", 50)), file_of(tmp_path / "b", tick("B", 10))
    found, _ = replayed([first, second], Replay(in_order=True))
    assert [(arrival.symbol, arrival.arrival_ms - START) for arrival in found] == [("A", 50), ("B", 50)]
    assert [arrival.event_time_ms for arrival in found] == [START + 50, START + 10]


def test_a_limit_counts_lines(tmp_path: Path) -> None:
    file = file_of(tmp_path / "a", tick("A", 0), b"?", tick("A", 2), tick("A", 3))
    found, counts = replayed([file], Replay(limit=3))
    assert (len(found), counts.ticks, counts.refused) == (3, 2, Counter({Reason.BAD_JSON: 1}))


def test_bad_lines_are_sent_in_their_place_and_those_before_the_first_tick_with_it(tmp_path: Path) -> None:
    file = file_of(tmp_path / "a", b"junk", tick("A", 5), b"more", tick("A", 9))
    found, _ = replayed([file])
    assert [(arrival.line, arrival.arrival_ms) for arrival in found] == [
        (b"junk", START + 5),
        (tick("A", 5), START + 5),
        (b"more", START + 5),
        (tick("A", 9), START + 9),
    ]
    assert [arrival.event_time_ms for arrival in found] == [None, START + 5, None, START + 9]


def test_a_file_without_any_tick_is_sent_all_the_same(tmp_path: Path) -> None:
    found, counts = replayed([file_of(tmp_path / "a", b"junk", b"more")])
    assert [arrival.line for arrival in found] == [b"junk", b"more"]
    assert (counts.ticks, counts.lines, counts.first_ms) == (0, 2, None)


def test_a_tick_of_the_future_is_sent_without_moving_event_time(tmp_path: Path) -> None:
    file = file_of(tmp_path / "a", tick("A", 0), tick("A", 10**11), tick("A", 1))
    found, counts = replayed([file], Replay(latest_ms=START + 10**6))
    assert [arrival.event_time_ms for arrival in found] == [START, None, START + 1]
    assert counts.refused == {Reason.FUTURE_TIME: 1}


def shuffled_file(folder: Path) -> TickFile:
    return file_of(folder / "a", *(tick("A", number * 100, number) for number in range(2_000)))


def test_a_shuffle_delays_each_line_within_its_bound_and_loses_none(tmp_path: Path) -> None:
    file = shuffled_file(tmp_path)
    plain, _ = replayed([file])
    found, _ = replayed([file], Replay(shuffle_ms=30_000))
    assert sorted(arrival.line for arrival in found) == sorted(arrival.line for arrival in plain)
    assert [arrival.arrival_ms for arrival in found] == sorted(arrival.arrival_ms for arrival in found)
    delays = [arrival.arrival_ms - (arrival.event_time_ms or 0) for arrival in found]
    assert 0 <= min(delays) < 1_000
    assert 29_000 < max(delays) <= 30_000


def test_the_same_seed_shuffles_alike(tmp_path: Path) -> None:
    file = shuffled_file(tmp_path)
    assert replayed([file], Replay(shuffle_ms=30_000)) == replayed([file], Replay(shuffle_ms=30_000))
    assert replayed([file], Replay(shuffle_ms=30_000)) != replayed([file], Replay(shuffle_ms=30_000, seed=2))


@pytest.mark.skipif(not IBM.exists(), reason=f"the real ticks are not there: {IBM} (set TICKLOOM_TEST_DATA)")
def test_a_real_day_is_read_whole_and_as_it_is() -> None:
    found, counts = replayed([TickFile(IBM, TickFormat())])
    assert [arrival.line for arrival in found] == gzip.decompress(IBM.read_bytes()).splitlines()
    assert (counts.ticks, counts.refused.total()) == (24_293, 0)
    assert all(arrival.arrival_ms == arrival.event_time_ms for arrival in found)
