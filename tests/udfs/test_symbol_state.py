"""One symbol by literal examples: what is refused, closed, revised, split; its state's size; and other rules after a restart."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Figures
from tests.udfs.driver import Driver, content
from tests.udfs.histories import MS, SECOND, SPECS, T0_MS, Reading, history, pause, readings, rules_of, steps
from tests.udfs.naive_oracle import bars, count, fold
from udfs.indicators import DEFAULT_LABELS
from udfs.model import Flags, Result, Status, Tick
from udfs.rules import Rules
from udfs.symbol_state import END_OF_TIME_MS

FRAMES = ("1min", "5min", "15min", "1hour", "1day")


def tick(at_s: float, price: float = 100.0, size: float = 1.0, **fields: Any) -> Tick:
    """A tick at so many seconds after T0."""
    return Tick(T0_MS * MS + round(at_s * SECOND), round(price * 10**8), round(size * 10**8), **fields)


def send(driver: Driver, *ticks: Tick, ahead_ms: int = 0) -> list[Result]:
    """One record stamped with its newest tick, as the gateway does; what was said in that very call."""
    before = len(driver.results)
    driver.record(ticks, max(tick.event_time_ns for tick in ticks) // MS + ahead_ms)
    return driver.results[before:]


def said(results: Sequence[Result]) -> list[tuple[str, int, str, int]]:
    return [(result.time_frame, (result.start_ms - T0_MS) // 1_000, result.status.value, result.revision) for result in results]


# Closing -----------------------------------------------------------------------------------------------------------


def test_a_bar_closes_in_the_call_that_brings_its_symbol_past_its_end_by_the_out_of_orderness() -> None:
    driver = Driver(rules_of("1min", "2min"))
    assert send(driver, tick(10)) == []
    assert send(driver, tick(60.999999999)) == []
    assert said(send(driver, tick(61))) == [("1min", 0, "final", 0)]
    assert said(send(driver, tick(121))) == [("1min", 60, "final", 0), ("2min", 0, "final", 0)]


def test_a_quiet_symbol_closes_by_the_watermark_at_the_last_millisecond_of_its_bar() -> None:
    driver = Driver(rules_of("1min"))
    send(driver, tick(10))
    assert driver.event_timers == {T0_MS + 59_999}
    driver.watermark(T0_MS + 59_998)
    assert driver.results == []
    driver.watermark(T0_MS + 59_999)
    assert said(driver.results) == [("1min", 0, "final", 0)]


def test_a_feed_that_is_late_as_a_whole_is_given_its_delay() -> None:
    """Its records are stamped ten minutes ahead of its ticks, and so is the watermark of its partition."""
    driver = Driver(rules_of("1min"))
    send(driver, tick(10), ahead_ms=600_000)
    driver.watermark(T0_MS + 600_000 + 59_998)
    assert driver.results == []
    driver.watermark(T0_MS + 600_000 + 59_999)
    assert said(driver.results) == [("1min", 0, "final", 0)]


def test_a_timer_asked_for_before_the_delay_grew_waits_again() -> None:
    driver = Driver(rules_of("1min"))
    send(driver, tick(10))
    send(driver, tick(11), ahead_ms=5_000)
    driver.watermark(T0_MS + 59_999)
    assert driver.results == []
    driver.watermark(T0_MS + 64_999)
    assert said(driver.results) == [("1min", 0, "final", 0)]


def test_one_timer_is_pending_for_the_earliest_end_of_any_frame() -> None:
    driver = Driver(rules_of(*FRAMES))
    for second in range(0, 240, 7):
        send(driver, tick(second))
    assert len(driver.event_timers) == 1
    driver.finish()
    assert [result.time_frame for result in driver.results[-5:]] == ["1min", "5min", "15min", "1hour", "1day"]
    assert driver.event_timers == set()


def test_an_interval_without_ticks_gives_no_bar() -> None:
    driver = Driver(rules_of("1min"))
    send(driver, tick(0), tick(600))
    driver.finish()
    assert said(driver.results) == [("1min", 0, "final", 0), ("1min", 600, "final", 0)]


def test_a_burst_that_spans_hours_in_one_record_closes_every_bar_oldest_first() -> None:
    driver = Driver(rules_of("1min", "1hour"))
    now = send(driver, *(tick(1_800 * number) for number in range(6)))
    assert said(now) == [
        *(("1min", 1_800 * number, "final", 0) for number in range(5)),
        *(("1hour", start, "final", 0) for start in (-840, 2_760)),
    ]


# What counts -------------------------------------------------------------------------------------------------------


def test_the_future_begins_a_nanosecond_beyond_the_record_and_its_allowance() -> None:
    driver = Driver(rules_of("1min"))
    at_limit = Tick((T0_MS + 5_000) * MS, 10**8, 0)
    driver.record([at_limit._replace(event_time_ns=at_limit.event_time_ns + 1), at_limit], T0_MS)
    assert driver.refused == [(0, 0, "future_time")]
    assert driver.counted == 1


def test_a_tick_refused_for_the_future_moves_nothing() -> None:
    driver = Driver(rules_of("1min"))
    send(driver, tick(10))
    driver.record([tick(10_000)], T0_MS + 10_000)
    assert driver.results == []
    send(driver, tick(9))
    assert driver.refused == [(1, 0, "future_time")]
    assert driver.counted == 2


def test_lateness_ends_to_the_nanosecond_by_the_symbols_own_clock() -> None:
    driver = Driver(rules_of("1min"))
    edge = tick(1_000)._replace(event_time_ns=T0_MS * MS + 100 * SECOND)
    driver.record([tick(1_000), edge, edge._replace(event_time_ns=edge.event_time_ns - 1)], T0_MS + 10**7)
    assert driver.refused == [(0, 2, "late_tick")]
    assert driver.counted == 2


def test_a_late_copy_is_late_first_and_a_duplicate_only_in_time() -> None:
    driver = Driver(rules_of("1min", deduplicate_window_ms=3_600_000))
    send(driver, tick(0, seq=1), tick(1, seq=2), tick(901, seq=3))
    send(driver, tick(0, seq=1), tick(1, seq=2))
    assert driver.refused == [(1, 0, "late_tick")]
    assert driver.duplicates == 1


def test_equal_content_is_no_duplicate_and_without_deduplication_nothing_is() -> None:
    driver = Driver(rules_of("1min"))
    send(driver, *[tick(1)] * 5, *[tick(1, seq=1)] * 3)
    assert (driver.counted, driver.duplicates) == (6, 2)
    driver = Driver(rules_of("1min", deduplicate=False))
    send(driver, *[tick(1, seq=1)] * 3)
    assert (driver.counted, driver.duplicates) == (3, 0)
    assert "seen" not in driver.store.sizes()


def test_late_counts_each_tick_of_a_closed_minute_and_no_other() -> None:
    driver = Driver(rules_of("1min"))
    send(driver, tick(10), tick(70))
    send(driver, tick(11), tick(12), tick(65), tick(13), tick(66))
    assert driver.late == 3


def test_a_symbol_met_in_two_partitions_is_served_and_counted() -> None:
    driver = Driver(rules_of("1min"))
    driver.record([tick(1)], T0_MS + 1_000, partition=3)
    driver.record([tick(2)], T0_MS + 2_000, partition=3)
    assert driver.split_records == 0
    driver.record([tick(3)], T0_MS + 3_000, partition=4)
    driver.record([tick(4)], T0_MS + 4_000, partition=3)
    assert driver.split_records == 2
    assert driver.counted == 4


# Revisions ---------------------------------------------------------------------------------------------------------


def test_a_late_tick_revises_every_frame_it_falls_into_and_the_indicators_after_it() -> None:
    driver = Driver(rules_of("1min", "5min", indicators={"SMA": "sma(2)"}))
    for minute in range(8):
        send(driver, tick(60 * minute, 100 + minute))
    driver.results.clear()
    assert send(driver, tick(70, 300)) == []
    driver.clock(999)
    assert driver.results == []
    driver.clock(1_000)
    assert said(driver.results) == [("1min", 60, "revised", 1), ("1min", 120, "revised", 1), ("5min", 60, "revised", 1)]
    assert [result.close for result in driver.results] == [300.0, 102.0, 105.0]
    assert [result.high for result in driver.results] == [300.0, 102.0, 300.0]
    assert [result.results["SMA"] for result in driver.results] == [200.0, 201.0, (100 + 105) / 2]


def test_a_late_tick_that_changes_nothing_is_not_said() -> None:
    driver = Driver(rules_of("1min"))
    send(driver, tick(10, 100, seq=1), tick(20, 101, seq=2), tick(70))
    driver.results.clear()
    send(driver, tick(15, 100.5, 0.0, flags=Flags.NO_VOLUME, seq=3))
    driver.clock(10_000)
    assert driver.results == []
    assert driver.late == 1


def test_a_late_bar_of_its_own_is_a_final_and_later_bars_are_revised() -> None:
    driver = Driver(rules_of("1min", indicators={"SMA": "sma(2)"}))
    send(driver, tick(0, 100), tick(120, 102), tick(240, 104), tick(300, 105))
    driver.results.clear()
    send(driver, tick(70, 500))
    driver.clock(1_000)
    assert said(driver.results) == [("1min", 60, "final", 0), ("1min", 120, "revised", 1)]
    assert [result.results["SMA"] for result in driver.results] == [300.0, 301.0]
    assert [result.cause for result in driver.results] == [None, "late"]


def test_waiting_ticks_are_said_before_the_next_close_and_their_timers_then_find_nothing() -> None:
    driver = Driver(rules_of("1min"))
    send(driver, tick(0), tick(70))
    send(driver, tick(10, 99))
    assert END_OF_TIME_MS in driver.event_timers
    assert said(send(driver, tick(130))) == [("1min", 0, "revised", 1), ("1min", 60, "final", 0)]
    driver.results.clear()
    driver.clock(10_000)
    assert driver.results == []


def test_a_bounded_input_says_its_last_late_ticks_without_any_clock() -> None:
    driver = Driver(rules_of("1min"))
    send(driver, tick(0), tick(70))
    driver.watermark(T0_MS + 119_999)
    send(driver, tick(10, 99), tick(60, 98))
    driver.results.clear()
    driver.finish()
    assert said(driver.results) == [("1min", 0, "revised", 1), ("1min", 60, "revised", 1)]


def test_volume_only_bars_have_no_prices_and_do_not_advance_indicators() -> None:
    driver = Driver(rules_of("1min", indicators={"SMA": "sma(2)", "MACD": "macd(2,3,2)"}))
    send(driver, tick(0, 100), tick(60, 999, 5, flags=Flags.NO_PRICE), tick(120, 102), tick(180, 104))
    driver.finish()
    volume_only = driver.results[1]
    assert (volume_only.open, volume_only.high, volume_only.low, volume_only.close, volume_only.vwap) == (None,) * 5
    assert (volume_only.volume, volume_only.trades, volume_only.results) == (5.0, 1, {"SMA": None, "MACD": None})
    assert [result.results["SMA"] for result in driver.results] == [None, None, 101.0, 103.0]


def test_forming_shows_only_configured_frames_that_have_an_open_bar() -> None:
    driver = Driver(rules_of("5min", "15min"))
    send(driver, tick(0, 100), tick(61, 101))
    assert [result.time_frame for result in driver.forming()] == ["5min", "15min"]
    assert {result.status for result in driver.forming()} == {Status.FORMING}
    assert {result.as_of_ms for result in driver.forming()} == {T0_MS + 61_000}
    driver.watermark(T0_MS + 600_000)
    assert [result.time_frame for result in driver.forming()] == ["15min"]
    driver.finish()
    assert driver.forming() == []


# Sizes -------------------------------------------------------------------------------------------------------------


def test_a_steady_symbols_state_stays_small(figures: Figures) -> None:
    """Five frames, 14 indicators, defaults: two days of slow ticks, then 40 minutes at 5 a second, seq on each."""
    driver = Driver(rules_of(*FRAMES, indicators=DEFAULT_LABELS))
    largest: dict[str, int] = {}
    slow = [20.0 * number for number in range(2 * 4_320)]
    fast = [slow[-1] + 0.2 * number for number in range(1, 40 * 300)]
    for seq, at_s in enumerate(slow + fast):
        send(driver, tick(at_s, 184.05 + (seq * 7_919 % 1_000) / 100, 100 + seq % 900, seq=seq))
        if seq % 50 == 0:
            for name, size in driver.store.sizes().items():
                largest[name] = max(largest.get(name, 0), size)
    figures(f"state of a steady symbol, largest seen, bytes: {largest}, in all {sum(driver.store.sizes().values())}")
    assert max(size for name, size in largest.items() if name.startswith("frame")) <= 8_192
    assert largest["hot"] <= 1_536
    assert largest["partials"] <= 1_536


def test_a_busy_symbols_hot_part_stays_small(figures: Figures) -> None:
    """100 ticks a second with seq, source and disorder, for longer than the duplicates' window."""
    driver, largest = Driver(rules_of("1min")), 0
    for number in range(15_000):
        at_s = number / 100 - (0.3 if number % 20 == 0 else 0.0)
        send(driver, tick(max(0, at_s), 100 + number % 7, seq=number, source="feed-a"), ahead_ms=300)
        largest = max(largest, len(driver.store.kept["hot", None]))
    figures(f"hot part of a busy symbol, largest seen: {largest} bytes; its log in all: {driver.store.sizes()['seen']}")
    assert largest <= 2_048
    assert driver.counted == 15_000


def test_a_backlog_does_not_grow_the_hot_part() -> None:
    """100,000 ticks, two a second, without any watermark: closed by the symbol's own clock."""
    driver = Driver(rules_of(*FRAMES))
    largest = 0
    for first in range(0, 100_000, 20):
        driver.record([tick(number / 2, 100 + number % 7, seq=number) for number in range(first, first + 20)], T0_MS + 10**9)
        largest = max(largest, len(driver.store.kept["hot", None]))
    assert largest <= 1_536
    assert len(driver.newest()) > 800


def test_records_of_a_busy_symbol_touch_nothing_but_the_hot_part_and_the_log() -> None:
    driver = Driver(rules_of(*FRAMES, indicators=DEFAULT_LABELS))
    send(driver, tick(0, seq=0))
    before = driver.store.gets.copy(), driver.store.puts.copy()
    for number in range(1, 500):
        send(driver, tick(number / 10, seq=number))
    gets, puts = driver.store.gets - before[0], driver.store.puts - before[1]
    assert gets == {}  # the hot part was at hand
    assert puts["hot"] == 499
    assert puts["seen"] <= 50
    assert puts.keys() == {"hot", "seen"}


# Other rules after a restart ---------------------------------------------------------------------------------------

moves = st.one_of(st.lists(steps, min_size=2, max_size=20), st.lists(steps, min_size=30, max_size=120))


def restarted(before: Rules, after: Rules, moves: list, reading: Reading, at: int) -> tuple[Driver, int]:
    """A history read under one set of rules and then another; how many results came before the change."""
    driver, cut = Driver(before), None
    packages = reading.packages(history(moves, before))
    for number, (package, between) in enumerate(packages):
        if number == at % len(packages):
            driver.restart(after)
            cut = len(driver.results)
        driver.record([arrival.tick for arrival in package], package[-1].at_ms)
        pause(driver, between)
    driver.finish()
    assert cut is not None
    return driver, cut


def ticks_of(driver: Driver) -> list[Tick]:
    return count(driver.records, driver.rules.allowed_lateness_ms, driver.rules.max_future_ms, driver.rules.deduplicate_window_ms).ticks


def without_results(result: Result) -> dict[str, Any]:
    return {name: value for name, value in content(result).items() if name != "results"}


@given(moves, readings, st.integers(0, 100), st.sampled_from((1, 3, 64)))
def test_indicators_added_later_agree_from_their_since_on_and_the_others_go_on(
    moves: list, reading: Reading, at: int, warm_bars: int
) -> None:
    old = {"SMA": SPECS["SMA"], "Gone": "ema(2)"}
    new = {"EMA": SPECS["EMA"], "Average": SPECS["SMA"], "MACD": SPECS["MACD"], "OBV": SPECS["OBV"]}
    before = rules_of("1min", "5min", indicators=old, warm_bars=warm_bars)
    after = rules_of("1min", "5min", indicators=new, warm_bars=warm_bars)
    driver, cut = restarted(before, after, moves, reading, at)
    added_later = {(result.time_frame, result.start_ms): result for result in driver.results[cut:]}
    newest = driver.newest()
    for label in ("1min", "5min"):
        of_frame = bars(ticks_of(driver), label)
        kept = fold(SPECS["SMA"], of_frame)
        assert {start: without_results(newest[label, start]) for start in of_frame} == of_frame
        for start in of_frame:
            result = newest[label, start]
            assert result.results["SMA" if (label, start) not in added_later else "Average"] == kept[start]
            if (label, start) not in added_later:
                continue
            since = result.since or {}
            assert "Average" not in since
            was_new = any(result.time_frame == label for result in driver.results[:cut])
            assert not was_new or since.keys() == {"EMA", "MACD", "OBV"}
            for name in ("EMA", "MACD", "OBV"):
                assert since.get(name, 0) <= start
                assert result.results[name] == fold(new[name], of_frame, since.get(name))[start], name


def begins(driver: Driver, label: str, minutes: range) -> set[int]:
    """The minutes in which an indicator is said to begin while a tick a minute comes."""
    driver.results.clear()
    for minute in minutes:
        send(driver, tick(60 * minute, 100 + minute))
    return {(since - T0_MS) // 60_000 for result in driver.results if (since := (result.since or {}).get(label)) is not None}


def test_an_indicator_added_later_says_where_it_begins_even_if_that_is_the_first_bar_there_ever_was() -> None:
    driver = Driver(rules_of("1min", indicators={"RSI": "rsi(2)"}))
    assert begins(driver, "RSI", range(5)) == set()
    driver.restart(rules_of("1min", indicators={"RSI": "rsi(3)"}))
    assert begins(driver, "RSI", range(5, 10)) == {0}


def test_another_meaning_of_a_label_begins_at_another_bar_than_the_one_before() -> None:
    driver = Driver(rules_of("1min", indicators={"EMA": "ema(2)"}, allowed_lateness_ms=120_000))
    begun = [begins(driver, "EMA", range(10))]
    for period in (3, 4, 5):
        driver.restart(rules_of("1min", indicators={"EMA": f"ema({period})"}, allowed_lateness_ms=120_000))
        begun.append(begins(driver, "EMA", range(10 * period, 10 * period + 5)))
    assert begun == [set(), {0}, {1}, {2}]


def test_a_late_tick_before_the_first_bar_folded_moves_the_beginning_back() -> None:
    driver = Driver(rules_of("1min"))
    for minute in range(10, 13):
        send(driver, tick(60 * minute, 100 + minute))
    driver.restart(rules_of("1min", indicators={"EMA": "ema(2)"}))
    assert begins(driver, "EMA", range(13, 15)) == {10}
    send(driver, tick(60 * 5, 500))
    assert begins(driver, "EMA", range(15, 18)) == {5}
    of_frame, newest = bars(ticks_of(driver), "1min"), driver.newest()
    expected = fold("ema(2)", of_frame)
    revised = [start for (_, start), result in newest.items() if "EMA" in result.results]
    assert len(revised) > 5
    assert {start: newest["1min", start].results["EMA"] for start in revised} == {start: expected[start] for start in revised}


@given(moves, readings, st.integers(0, 100), st.sampled_from((1, 3, 64)), st.sampled_from((("1min", "15min"), ("15min",))))
def test_a_frame_added_later_is_rebuilt_from_the_minutes_kept(
    moves: list, reading: Reading, at: int, warm_bars: int, frames: tuple
) -> None:
    indicators = {"SMA": SPECS["SMA"], "OBV": SPECS["OBV"]}
    before = rules_of(*frames, indicators=indicators, warm_bars=warm_bars)
    after = rules_of(*frames, "2min", "1hour", indicators=indicators, warm_bars=warm_bars)
    driver, cut = restarted(before, after, moves, reading, at)
    newest, ticks = driver.newest(), ticks_of(driver)
    for frame in after.frames:
        of_frame = bars(ticks, frame.label)
        found = {start: newest[frame.label, start] for start in of_frame if (frame.label, start) in newest}
        if not found:  # nothing of the symbol has closed since the change, so that nothing was rebuilt yet
            assert driver.results[cut:] == []
            continue
        begun = min(found)
        assert sorted(found) == [start for start in of_frame if start >= begun]
        assert {start for label, start in newest if label == frame.label} == found.keys()
        assert found[begun].complete is False
        for start, result in found.items():
            assert result.complete is (start * MS > ticks[0].event_time_ns and start > begun) or not result.complete
            if result.complete or start > begun:
                assert without_results(result) == of_frame[start]
        as_found = {start: without_results(result) for start, result in found.items()}
        for name, spec in indicators.items():
            assert {start: result.results[name] for start, result in found.items()} == fold(spec, as_found)
    assert all(result.time_frame in frames for result in driver.results[:cut])


def test_a_frame_added_later_begins_with_the_oldest_minute_kept_and_says_what_it_lacks() -> None:
    kept = {"warm_bars": 3, "allowed_lateness_ms": 60_000}
    driver = Driver(rules_of("1min", **kept))
    for minute in range(12):
        send(driver, tick(60 * minute, 100 + minute))
    driver.restart(rules_of("1min", "2min", **kept))
    driver.results.clear()
    for minute in range(12, 15):
        send(driver, tick(60 * minute, 100 + minute))
    rebuilt = [result for result in driver.results if result.time_frame == "2min"]
    assert [(result.start_ms - T0_MS) // 60_000 for result in rebuilt] == [6, 8, 10]
    assert [result.complete for result in rebuilt] == [False, True, True]
    assert {result.status for result in rebuilt} == {Status.FINAL}
    assert [(result.open, result.close) for result in rebuilt] == [(107.0, 107.0), (108.0, 109.0), (110.0, 111.0)]


def test_a_frame_removed_leaves_nothing_behind_and_comes_back_as_a_new_one() -> None:
    with_five, without = rules_of("1min", "5min", indicators={"SMA": "sma(2)"}), rules_of("1min", indicators={"SMA": "sma(2)"})
    driver = Driver(with_five)
    for minute in range(0, 200):
        send(driver, tick(60 * minute, 100 + minute))
    driver.restart(without)
    for minute in range(200, 203):
        send(driver, tick(60 * minute, 100 + minute))
    assert not [key for _, key in driver.store.kept if str(key).startswith("5min")]
    assert "5min" not in (driver.store.get_partials() or ((), {}))[2]
    driver.restart(with_five)
    driver.results.clear()
    for minute in range(203, 300):
        send(driver, tick(60 * minute, 100 + minute))
    starts = [result.start_ms for result in driver.results if result.time_frame == "5min"]
    assert len(starts) > 20
    assert all(later - earlier == 300_000 for earlier, later in pairwise(starts))


def test_bars_of_a_frame_that_comes_back_win_over_those_it_said_before_it_went() -> None:
    with_five, without = rules_of("1min", "5min"), rules_of("1min")
    driver = Driver(with_five, run=7)
    for rules, minutes in ((with_five, range(0, 30)), (without, range(30, 33)), (with_five, range(33, 60))):
        if minutes.start:
            driver.restart(rules)
        for minute in minutes:
            send(driver, tick(60 * minute, 100 + minute))
    said = [(result.time_frame, result.start_ms, result.run, result.revision) for result in driver.results]
    assert len(said) == len(set(said))
    fives = [result for result in driver.results if result.time_frame == "5min"]
    assert len(fives) > len({result.start_ms for result in fives}), "some are said a second time"
    assert {result.run for result in fives} == {7, 9}
    assert {result.run for result in driver.results if result.time_frame == "1min"} == {7}


def test_the_minute_shown_later_begins_with_the_oldest_kept_and_says_what_it_lacks() -> None:
    """Minutes are kept for the larger frames even when nobody asked for them."""
    driver = Driver(rules_of("5min", warm_bars=3, allowed_lateness_ms=120_000))
    for minute in range(20):
        send(driver, tick(60 * minute, 100 + minute))
    assert {result.time_frame for result in driver.results} == {"5min"}
    driver.restart(rules_of("1min", "5min", indicators={"SMA": "sma(2)"}, warm_bars=3, allowed_lateness_ms=120_000))
    driver.results.clear()
    send(driver, tick(60 * 20, 120))
    send(driver, tick(60 * 18 + 30, 500))
    driver.finish()
    minutes = [result for result in driver.newest().values() if result.time_frame == "1min"]
    starts = [(result.start_ms - T0_MS) // 60_000 for result in minutes]
    assert starts == list(range(starts[0], 21))
    assert [result.complete for result in minutes] == [False] + [True] * (len(minutes) - 1)
    assert [result.high for result in minutes] == [500.0 if minute == 18 else 100.0 + minute for minute in starts]


@pytest.mark.parametrize(("before", "after"), [(64, 3), (3, 64), (5, 7), (64, 1)])
def test_other_warm_bars_lose_nothing_but_warm_up(before: int, after: int) -> None:
    driver = Driver(rules_of("1min", "5min", indicators={"SMA": "sma(2)"}, warm_bars=before))
    for minute in range(150):
        send(driver, tick(60 * minute, 100 + minute))
    both = {"SMA": "sma(2)", "EMA": "ema(3)"}
    driver.restart(rules_of("1min", "5min", indicators=both, warm_bars=after))
    for minute in range(150, 300):
        send(driver, tick(60 * minute, 100 + minute))
    driver.finish()
    newest = driver.newest()
    for label in ("1min", "5min"):
        of_frame = bars(ticks_of(driver), label)
        for start, value in fold("sma(2)", of_frame).items():
            result = newest[label, start]
            assert without_results(result) == of_frame[start]
            assert result.results["SMA"] == value
            if "EMA" in result.results:
                assert result.results["EMA"] == fold("ema(3)", of_frame, (result.since or {}).get("EMA"))[start]
    assert sum(1 for kind, key in driver.store.kept if kind == "history" and str(key).startswith("1min")) <= max(before, after)
