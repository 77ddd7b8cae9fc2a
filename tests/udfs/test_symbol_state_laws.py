"""The laws of one symbol over whole random histories: what bars finally say depends on the sequence of ticks alone."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.driver import Driver, content
from tests.udfs.histories import (
    DAY,
    MS,
    SECOND,
    T0_MS,
    Arrival,
    Reading,
    history,
    indicators,
    labels,
    pause,
    readings,
    rules,
    rules_of,
    steps,
)
from tests.udfs.naive_oracle import LENGTHS_MS, Counted, Key, contents, count
from udfs.frames import MINUTE_MS
from udfs.model import Result, Status, Tick
from udfs.rules import Rules

moves = st.one_of(st.lists(steps, min_size=1, max_size=12), st.lists(steps, min_size=25, max_size=120))
"""Short ones for the corner cases, long ones for what needs a ring, a history and a warm-up."""


def played(rules: Rules, arrivals: Sequence[Arrival], reading: Reading) -> Driver:
    """The history read in one way, to its end."""
    driver = Driver(rules)
    for package, between in reading.packages(arrivals):
        driver.record([arrival.tick for arrival in package], package[-1].at_ms)
        pause(driver, between)
    driver.finish()
    return driver


def counted(driver: Driver) -> Counted:
    rules = driver.rules
    window_ms = rules.deduplicate_window_ms if rules.deduplicate else None
    return count(driver.records, rules.allowed_lateness_ms, rules.max_future_ms, window_ms)


def expected(rules: Rules, ticks: Sequence[Tick]) -> dict[Key, dict[str, object]]:
    return contents(ticks, [frame.label for frame in rules.frames], rules.indicators)


def of_each_bar(results: Sequence[Result]) -> dict[Key, list[Result]]:
    said: dict[Key, list[Result]] = {}
    for result in results:
        said.setdefault((result.time_frame, result.start_ms), []).append(result)
    return said


@settings(max_examples=max(200, settings().max_examples))
@given(rules, moves, readings)
def test_the_newest_content_of_every_bar_is_what_the_ticks_say_however_they_are_read(rules: Rules, moves: list, reading: Reading) -> None:
    driver = played(rules, history(moves, rules), reading)
    truth = counted(driver)
    assert driver.refused == truth.refused
    assert driver.duplicates == truth.duplicates
    assert driver.counted == len(truth.ticks)
    assert driver.contents() == expected(rules, truth.ticks)


@given(rules, moves, readings)
def test_every_tick_is_counted_or_a_duplicate_or_refused(rules: Rules, moves: list, reading: Reading) -> None:
    driver = played(rules, history(moves, rules), reading)
    assert driver.counted + driver.duplicates + len(driver.refused) == len(moves)


@given(rules, moves, readings, readings)
def test_two_ways_of_reading_one_topic_give_one_content(rules: Rules, moves: list, one: Reading, other: Reading) -> None:
    """Records as they are cut once; what happens between them differs."""
    arrivals = history(moves, rules)
    again = Driver(rules)
    for number, (package, _) in enumerate(one.packages(arrivals)):
        again.record([arrival.tick for arrival in package], package[-1].at_ms)
        pause(again, other.pauses[number % len(other.pauses)])
    again.finish()
    assert again.contents() == played(rules, arrivals, one).contents()


@given(rules, moves, readings, readings)
def test_however_ticks_are_cut_into_records_the_content_is_the_same(rules: Rules, moves: list, one: Reading, other: Reading) -> None:
    """Ticks that only their line tells apart (equal time and seq) aside: a line is part of the topic."""
    arrivals = history([move._replace(identity="both" if move.identity in ("again", "twin") else move.identity) for move in moves], rules)
    assert played(rules, arrivals, one).contents() == played(rules, arrivals, other).contents()


@given(
    labels,
    indicators,
    st.lists(
        st.tuples(st.integers(0, 999), st.integers(1, 20), st.integers(0, 3), st.sampled_from((0, 0, 0, 1, 2, 3))), min_size=1, max_size=60
    ),
    st.lists(st.integers(0, 900_000 * MS - 1), min_size=1, max_size=60),
    readings,
)
def test_any_order_of_arrival_within_lateness_gives_the_same_content(
    labels: list, indicators: dict, trades: list, jitters_ns: list, reading: Reading
) -> None:
    rules = rules_of(*labels, indicators=indicators)
    ticks, time_ns = [], T0_MS * MS
    for seq, (gap, price, size, flags) in enumerate(trades):
        time_ns += gap**3 // 1000 * MS
        ticks.append(Tick(time_ns, price * 10**8, size * 10**8, flags, seq))
    delays = (jitters_ns[number % len(jitters_ns)] for number in range(len(ticks)))
    arriving = sorted((tick.event_time_ns + delay, tick) for tick, delay in zip(ticks, delays, strict=True))
    driver = played(rules, [Arrival(tick, at_ns // MS) for at_ns, tick in arriving], reading)
    assert driver.refused == []
    assert driver.contents() == expected(rules, ticks)


@given(rules, moves, readings)
def test_a_bar_is_said_final_first_and_then_revised_step_by_step_and_never_twice_the_same(
    rules: Rules, moves: list, reading: Reading
) -> None:
    driver = played(rules, history(moves, rules), reading)
    for said in of_each_bar(driver.results).values():
        assert [result.revision for result in said] == list(range(len(said)))
        assert [result.status for result in said] == [Status.FINAL] + [Status.REVISED] * (len(said) - 1)
        assert [result.cause for result in said] == [None] + ["late"] * (len(said) - 1)
        assert all(content(one) != content(other) for one, other in pairwise(said))
        assert all(result.as_of_ms is None and result.since is None and result.v == 1 for result in said)


@given(rules, moves, readings)
def test_one_run_and_one_idea_of_what_is_complete_for_the_life_of_a_symbol(rules: Rules, moves: list, reading: Reading) -> None:
    driver = played(rules, history(moves, rules), reading)
    ticks = counted(driver).ticks
    for result in driver.results:
        assert result.run == driver.results[0].run
        assert result.complete is (result.start_ms * MS > ticks[0].event_time_ns)
        assert result.stock_id == "IBM"


@given(rules, moves, readings)
def test_finals_are_said_in_due_time(rules: Rules, moves: list, reading: Reading) -> None:
    """In the very call once the symbol's clock is past end + out-of-orderness, and by the timer once event time is."""
    driver = Driver(rules)
    closing: dict[Key, int] = {}
    for package, between in reading.packages(history(moves, rules)):
        hot = driver.record([arrival.tick for arrival in package], package[-1].at_ms)
        truth = counted(driver)
        closing = {key: bar["end_ms"] for key, bar in contents(truth.ticks, [frame.label for frame in rules.frames], {}).items()}
        if hot is not None:
            due = {key for key, end_ms in closing.items() if (end_ms + rules.out_of_orderness_ms) * MS <= truth.clocks_ns[-1]}
            assert {key for key in due - driver.newest().keys() if not _may_wait(key, hot.waiting)} == set()
        before_ms = driver.watermark_ms
        pause(driver, between)
        if driver.watermark_ms > before_ms and (hot := driver.hot()) is not None:
            due = {key for key, end_ms in closing.items() if end_ms - 1 + hot.delay_ms <= driver.watermark_ms}
            assert {key for key in due - driver.newest().keys() if not _may_wait(key, hot.waiting)} == set()


def _may_wait(key: Key, waiting: dict[int, object]) -> bool:
    """Whether late ticks of the bar wait for the next revision: it may be made of nothing else."""
    label, start_ms = key
    return any(start_ms <= minute_ns // MS < start_ms + LENGTHS_MS[label] for minute_ns in waiting)


@given(rules, moves, readings)
def test_no_late_tick_waits_longer_than_the_revision_interval(rules: Rules, moves: list, reading: Reading) -> None:
    driver = Driver(rules)
    for package, between in reading.packages(history(moves, rules)):
        driver.record([arrival.tick for arrival in package], package[-1].at_ms)
        hot = driver.hot()
        if hot is not None and hot.waiting:
            assert any(at_ms <= driver.now_ms + rules.revision_interval_ms for at_ms in driver.processing_timers)
        pause(driver, between)
    driver.clock(driver.now_ms + rules.revision_interval_ms)
    hot = driver.hot()
    assert hot is None or not hot.waiting


@given(rules, moves, readings)
def test_forming_is_what_the_final_would_be_if_the_bar_closed_now_and_leaves_no_trace(rules: Rules, moves: list, reading: Reading) -> None:
    driver = Driver(rules)
    for package, between in reading.packages(history(moves, rules)):
        driver.record([arrival.tick for arrival in package], package[-1].at_ms)
        pause(driver, between)
        _check_forming(driver)
        driver.clock(driver.now_ms + rules.revision_interval_ms)
        _check_forming(driver)


def _check_forming(driver: Driver) -> None:
    hot, kept, puts = driver.hot(), dict(driver.store.kept), driver.store.puts.copy()
    forming = driver.forming()
    assert (driver.store.kept, driver.store.puts) == (kept, puts)
    newest = _finals_if_all_closed(driver, -1 if hot is None else hot.closed_ns)
    assert [result.time_frame for result in forming] == [frame.label for frame in driver.rules.frames if frame.label in newest]
    for result in forming:
        final = newest[result.time_frame]
        shown, closed = content(result), content(final)
        if hot is not None and hot.waiting:  # late ticks touch closed bars, and so the indicators after them, once an interval
            del shown["results"], closed["results"]
        assert shown == closed
        assert (result.status, result.revision, result.run, result.complete) == (Status.FORMING, 0, final.run, final.complete)
        assert result.as_of_ms == counted(driver).clocks_ns[-1] // MS


def _finals_if_all_closed(driver: Driver, closed_ns: int) -> dict[str, Result]:
    """Frame -> the final of its newest open bar, had the watermark passed everything now."""
    other = Driver(driver.rules)
    other.store = driver.store.reopened()
    other.event_timers = set(driver.event_timers)
    other.finish()
    finals = (result for result in other.newest().values() if result.end_ms * MS > closed_ns)
    return {result.time_frame: result for result in sorted(finals, key=lambda result: result.start_ms)}


@given(moves)
def test_before_any_tick_counts_nothing_is_kept_shown_or_asked_for(moves: list) -> None:
    rules = rules_of("1min", "5min")
    driver = Driver(rules)
    assert driver.forming() == []
    driver.record([arrival.tick._replace(event_time_ns=T0_MS * MS + 2_000 * DAY) for arrival in history(moves, rules)], T0_MS)
    driver.finish()
    assert (driver.store.kept, driver.event_timers, driver.processing_timers, driver.results) == ({}, set(), set(), [])
    assert driver.forming() == []
    assert {reason for _, _, reason in driver.refused} == {"future_time"}


@given(st.lists(st.integers(0, 20 * 60 * SECOND), min_size=1, max_size=40), st.integers(0, 3))
def test_late_counts_every_tick_of_a_minute_already_closed(behind_ns: list, cut: int) -> None:
    """Counted one by one, in whichever records they come."""
    driver = Driver(rules_of("1min", deduplicate=False, allowed_lateness_ms=20 * MINUTE_MS))
    start_ns = (T0_MS + 3_600_000) * MS
    driver.record([Tick(start_ns, 10**8, 0)], T0_MS + 3_600_000)
    driver.watermark(T0_MS + 3_660_000 - 1)
    closed_ns = start_ns + 60 * SECOND
    late = [Tick(start_ns - behind, 10**8, 0) for behind in behind_ns]
    for first in range(0, len(late), cut + 1):
        driver.record(late[first : first + cut + 1], T0_MS + 3_600_000)
    assert driver.late == sum(tick.event_time_ns < closed_ns for tick in late) == len(late)
