import csv
import gzip
import os
from pathlib import Path

import pytest

from jobs.verify.bars import Content
from jobs.verify.oracle import Oracle, Place
from tests.jobs.verify.histories import T0, read, record, rules, tick
from udfs.model import Reason

DATA = Path(os.environ.get("TICKLOOM_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))
MINUTE = 60_000


def bars(oracle: Oracle, label: str = "1min", symbol: str = "IBM") -> dict[int, Content]:
    span = next(span for span in oracle.rules.spans if span.label == label)
    return oracle.histories[symbol].bars(span)


def reasons(oracle: Oracle) -> dict[Place, Reason]:
    return {place: refused.reason for place, refused in oracle.refused.items()}


def test_a_bar_is_the_sum_of_its_ticks_by_hand() -> None:
    oracle = read([record(0, tick(10.5, 2, T0)), record(1, tick(10.25, 1, T0 + 500)), record(2, tick(11, 0.5, T0 + 59_999))])
    # 10.5*2 + 10.25 + 5.5 = 36.75; 36.75 / 3.5 = 10.5
    assert bars(oracle) == {T0: Content(T0 + MINUTE, 10.5, 11.0, 10.25, 11.0, 3.5, 36.75, 10.5, 3, T0, T0 + 59_999)}


def test_a_tick_at_the_end_belongs_to_the_next_bar_and_empty_minutes_give_none() -> None:
    oracle = read([record(0, tick(1, 1, T0)), record(1, tick(2, 1, T0 + MINUTE)), record(2, tick(3, 1, T0 + 4 * MINUTE))])
    assert [(start, bar.close) for start, bar in bars(oracle).items()] == [(T0, 1.0), (T0 + MINUTE, 2.0), (T0 + 4 * MINUTE, 3.0)]


def test_longer_frames_start_at_whole_multiples_since_the_epoch() -> None:
    oracle = read([record(0, tick(1, 1, T0), tick(3, 2, T0 + MINUTE))], rules("5min", "1day"))
    five, day = bars(oracle, "5min"), bars(oracle, "1day")
    assert list(five) == [1_699_999_800_000, 1_700_000_100_000]
    assert list(day) == [1_699_920_000_000]
    assert day[1_699_920_000_000][:7] == (1_700_006_400_000, 1.0, 3.0, 1.0, 3.0, 3.0, 7.0)


def test_flags_take_a_tick_out_of_prices_or_volume_and_vwap_takes_neither() -> None:
    lines = [
        tick(10, 4, T0 + 1),
        tick(99, 1, T0 + 2, flags=["no_price"]),
        tick(5, 7, T0 + 3, flags=["no_volume"]),
        tick(1, 1, T0, flags=["no_price", "no_volume"]),
    ]
    assert bars(read([record(0, *lines)]))[T0] == Content(T0 + MINUTE, 10.0, 10.0, 5.0, 5.0, 5.0, 40.0, 10.0, 2, T0, T0 + 3)


def test_a_bar_of_volume_only_has_no_prices_and_no_vwap() -> None:
    bar = bars(read([record(0, tick(10, 4, T0, flags=["no_price"]))]))[T0]
    assert bar == Content(T0 + MINUTE, None, None, None, None, 4.0, 0.0, None, 1, T0, T0)


def test_open_and_close_follow_the_total_order_not_arrival() -> None:
    # The same millisecond: without seq before with, then by seq; arrival is the other way round.
    oracle = read(
        [record(0, tick(1, 1, T0, seq=9)), record(1, tick(2, 1, T0, seq=3)), record(2, tick(3, 1, T0)), record(3, tick(4, 1, T0))]
    )
    assert (bars(oracle)[T0].open, bars(oracle)[T0].close) == (3.0, 1.0)


def test_equal_seqs_are_ordered_by_line_then_source_then_id() -> None:
    lines = [tick(1, 1, T0, seq=1, source="b"), tick(2, 1, T0, seq=1, source="a")]
    assert bars(read([record(0, *lines)]))[T0].close == 2.0  # the later line
    apart = [record(n, line) for n, line in enumerate(lines)]
    assert bars(read(apart))[T0].close == 1.0  # both line 0: source b after a


def test_sums_are_exact_where_doubles_are_not() -> None:
    oracle = read([record(n, tick(0.1, 0.1, T0)) for n in range(10)])
    assert (bars(oracle)[T0].volume, bars(oracle)[T0].turnover, bars(oracle)[T0].vwap) == (1.0, 0.1, 0.1)


def test_a_tick_beyond_its_records_timestamp_and_max_future_is_refused() -> None:
    oracle = read([record(0, tick(1, 1, T0 + 5_001), timestamp_ms=T0), record(1, tick(1, 1, T0 + 5_000), timestamp_ms=T0)])
    assert reasons(oracle) == {Place(0, 0, 0): Reason.FUTURE_TIME}
    assert oracle.histories["IBM"].clock_ns == (T0 + 5_000) * 1_000_000


def test_a_tick_older_than_the_clock_less_lateness_is_refused_and_moves_nothing() -> None:
    late = T0 + 1_000 - 900_000
    oracle = read([record(0, tick(1, 1, T0 + 1_000)), record(1, tick(1, 1, late - 1)), record(2, tick(1, 1, late))])
    assert reasons(oracle) == {Place(0, 1, 0): Reason.LATE_TICK}
    assert oracle.counts["counted"] == 2


def test_a_refused_future_tick_does_not_make_later_ones_late() -> None:
    oracle = read([record(0, tick(1, 1, T0)), record(1, tick(1, 1, T0 + 10**10), timestamp_ms=T0), record(2, tick(1, 1, T0 + 1))])
    assert oracle.counts["counted"] == 2


def test_a_duplicate_has_the_same_source_time_and_id() -> None:
    first = tick(1, 1, T0, id="a", source="x", seq=1)
    again = [first, tick(2, 9, T0, id="a", source="x", seq=2), tick(1, 1, T0, id="b", source="x"), tick(1, 1, T0, id="a", source="y")]
    oracle = read([record(n, line) for n, line in enumerate([first, *again, tick(1, 1, T0 + 1, id="a", source="x")])])
    assert (oracle.counts["duplicates"], oracle.counts["counted"]) == (2, 4)


def test_without_an_id_the_seq_tells_duplicates_and_without_both_nothing_does() -> None:
    oracle = read([record(n, tick(1, 1, T0, seq=5)) for n in range(2)] + [record(n, tick(1, 1, T0)) for n in (2, 3)])
    assert (oracle.counts["duplicates"], oracle.counts["counted"]) == (1, 3)


def test_a_repeat_from_before_the_window_counts() -> None:
    inside, outside = tick(1, 1, T0, seq=1), tick(1, 1, T0 - 1, seq=2)
    oracle = read([record(n, line) for n, line in enumerate([inside, outside, tick(1, 1, T0 + 120_000), inside, outside])])
    assert (oracle.counts["duplicates"], oracle.counts["counted"]) == (1, 4)


def test_duplicates_count_where_deduplication_is_off() -> None:
    oracle = read([record(n, tick(1, 1, T0, seq=1)) for n in range(2)], rules(deduplicate=False))
    assert oracle.counts["counted"] == 2


def test_heartbeats_are_passed_over_and_every_line_is_accounted_for() -> None:
    lines = [tick(1, 1, T0, seq=1), tick(1, 1, T0, seq=1), tick(1, 1, T0, time_frame="5min"), b"{"]
    oracle = read([record(0, *lines), record(1)._replace(key=b"", value=None), record(2)._replace(key=None, value=None)])
    counts = oracle.counts
    assert (counts["heartbeats"], counts["lines"]) == (1, 5)
    assert counts["lines"] == counts["counted"] + counts["duplicates"] + counts["frame_copies"] + len(oracle.refused)
    assert oracle.dead_letters() == {"bad_json": 2}


def test_a_bar_is_owed_when_the_clock_is_past_its_end_and_the_out_of_orderness() -> None:
    history = read([record(0, tick(1, 1, T0), tick(1, 1, T0 + MINUTE + 1_000))]).histories["IBM"]
    assert history.is_owed(T0 + MINUTE)
    assert not history.is_owed(T0 + MINUTE + 1)


def test_only_bars_after_the_first_tick_counted_are_complete() -> None:
    history = read([record(0, tick(1, 1, T0), tick(1, 1, T0 - 1))]).histories["IBM"]
    assert [history.is_complete(start) for start in (T0 - MINUTE, T0, T0 + 1)] == [False, False, True]


def test_a_symbol_in_two_partitions_is_known_to_be_split() -> None:
    oracle = read([record(0, tick(1, 1, T0)), record(0, tick(1, 1, T0), partition=3)])
    assert oracle.histories["IBM"].partitions == {0, 3}


@pytest.mark.parametrize("seconds", [0, -1_000, 4_000], ids=["repeat", "late", "future"])
def test_a_tick_that_does_not_count_makes_its_symbol_split_as_well(seconds: int) -> None:
    second = record(0, tick(1, 1, T0 + seconds * 1_000, seq=1), partition=3)
    oracle = read([record(0, tick(1, 1, T0, seq=1)), second])
    assert oracle.counts["counted"] == 1
    assert oracle.histories["IBM"].partitions == {0, 3}


def test_later_readings_say_from_where_bars_may_still_change() -> None:
    oracle = read([record(0, tick(1, 1, T0 + 2 * MINUTE))])
    history = oracle.histories["IBM"]
    assert history.unsettled_from(1) is None
    oracle.read(*record(1, tick(1, 1, T0 + 30_000)))
    oracle.end_round()
    assert history.unsettled_from(1) == (T0 + 30_000) * 1_000_000
    assert history.unsettled_from(2) is None


@pytest.mark.parametrize(
    ("name", "symbol", "strict"), [("ibm_2013-10-07", "IBM", 387), ("gc_2013-10-08", "GCZ3", 1_377)], ids=["IBM", "GC"]
)
def test_real_ticks_give_the_third_partys_own_bars(name: str, symbol: str, strict: int) -> None:
    if not (DATA / f"{name}_ticks.ndjson.gz").is_file():
        pytest.skip(f"the real ticks are not in {DATA} (set TICKLOOM_TEST_DATA)")
    with gzip.open(DATA / f"{name}_ticks.ndjson.gz") as lines:
        oracle = read([record(n, line.rstrip(), key=symbol.encode(), timestamp_ms=2 * 10**12) for n, line in enumerate(lines)])
    with (DATA / f"{name}_bars_1min.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["strict"] == "1"]
    made = bars(oracle, symbol=symbol)
    expected = {int(row["start_ms"]): tuple(float(row[field]) for field in ("open", "high", "low", "close", "volume")) for row in rows}
    assert len(expected) == strict
    assert {start: made[start][1:6] for start in expected} == expected
