"""One frame's closed bars: which stay revisable, what becomes of the others, and what restarts of them cost."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.driver import Driver
from tests.udfs.histories import MS, SECOND, SPECS, T0_MS, Reading, history, pause, readings, rules, rules_of, steps
from tests.udfs.naive_oracle import LENGTHS_MS, bars, count
from udfs.closed_bars import ClosedBars
from udfs.frames import MINUTE, MINUTE_MS
from udfs.indicators import parse_spec
from udfs.model import Bar, Tick
from udfs.panel import Panel
from udfs.rules import Rules
from udfs.state_layout import FrameState, read_frame

moves = st.lists(steps, min_size=10, max_size=100)


def frame_of(driver: Driver, label: str) -> FrameState:
    part = driver.store.get_frame(label)
    assert part is not None
    return read_frame(part)


def steady(driver: Driver, minutes: int, first: int = 0) -> None:
    for minute in range(first, first + minutes):
        tick = Tick((T0_MS + minute * MINUTE_MS) * MS, (100 + minute % 17) * 10**8, 10**8, 0, minute)
        driver.record([tick], tick.event_time_ns // MS)


@pytest.mark.parametrize("lateness_ms", [0, 60_000, 900_000, 3_600_000])
def test_only_bars_that_can_still_be_revised_stay_in_the_ring(lateness_ms: int) -> None:
    driver = Driver(rules_of("1min", "5min", "1hour", allowed_lateness_ms=lateness_ms))
    for hour in range(4):
        steady(driver, 60, 60 * hour)
        for label in ("1min", "5min", "1hour"):
            if (part := driver.store.get_frame(label)) is not None:
                assert len(read_frame(part).ring) <= ceil(lateness_ms / LENGTHS_MS[label]) + 2
        hot = driver.hot()
        assert hot is not None
        assert all((start_ms + MINUTE_MS) * MS > hot.floor_ns for start_ms, *_ in frame_of(driver, "1min").ring)


@given(rules, moves, readings)
def test_states_before_and_after_the_ring_are_those_of_the_bars_before_and_after_it(rules: Rules, moves: list, reading: Reading) -> None:
    driver = Driver(rules)
    for package, between in reading.packages(history(moves, rules)):
        driver.record([arrival.tick for arrival in package], package[-1].at_ms)
        pause(driver, between)
    driver.finish()
    window_ms = rules.deduplicate_window_ms if rules.deduplicate else None
    ticks = count(driver.records, rules.allowed_lateness_ms, rules.max_future_ms, window_ms).ticks
    for frame in rules.frames:
        of_frame = bars(ticks, frame.label)
        if not of_frame:
            continue
        state = frame_of(driver, frame.label)
        ring = [start_ms for start_ms, *_ in state.ring]
        assert ring == list(of_frame)[len(of_frame) - len(ring) :]
        assert state.folded == len(of_frame) - len(ring)
        for position, spec in enumerate(state.specs.split("\n") if state.specs else ()):
            indicator = parse_spec(spec)
            folded, before = indicator.initial(), None
            for number, (start_ms, bar) in enumerate(of_frame.items()):
                before = folded if number == state.folded else before
                if bar["open"] is not None:
                    folded, _ = indicator.step(folded, Bar(start_ms, *(bar[name] for name in ("open", "high", "low", "close", "volume"))))
            assert state.head[position] == folded
            assert state.base[position] == (folded if before is None else before)


@given(rules, moves, readings)
def test_the_kept_bars_are_the_newest_without_a_gap(rules: Rules, moves: list, reading: Reading) -> None:
    driver = Driver(rules)
    for package, between in reading.packages(history(moves, rules)):
        driver.record([arrival.tick for arrival in package], package[-1].at_ms)
        pause(driver, between)
    driver.finish()
    window_ms = rules.deduplicate_window_ms if rules.deduplicate else None
    minutes = bars(count(driver.records, rules.allowed_lateness_ms, rules.max_future_ms, window_ms).ticks, "1min")
    if not minutes:
        return
    kept = ClosedBars(MINUTE, Panel({}), rules, shown=False).kept_bars(driver.store)
    ring = len(frame_of(driver, "1min").ring)
    assert [start_ms for start_ms, _ in kept] == list(minutes)[-min(len(minutes), ring + rules.warm_bars) :]


def test_history_is_one_small_put_a_bar_and_never_more_than_the_bars_to_warm_up_with() -> None:
    driver = Driver(rules_of("1min", warm_bars=5))
    steady(driver, 120)
    assert driver.store.puts["history"] == frame_of(driver, "1min").folded > 90
    kept = {key: data for (kind, key), data in driver.store.kept.items() if kind == "history"}
    assert sorted(kept) == [f"1min/{slot}" for slot in range(5)]
    assert max(map(len, kept.values())) < 150


def test_a_jump_over_many_bars_keeps_only_what_warm_up_needs() -> None:
    driver = Driver(rules_of("1min", warm_bars=5))
    late = [Tick((T0_MS + minute * MINUTE_MS) * MS, 10**8, 0) for minute in range(14)]
    driver.record([*late, Tick((T0_MS + 10**9) * MS, 10**8, 0)], T0_MS + 10**9)
    assert driver.store.puts["history"] == 5
    assert frame_of(driver, "1min").folded == 14
    assert frame_of(driver, "1min").ring == ()


def test_a_close_reads_and_writes_each_frame_once_however_many_bars_it_closes() -> None:
    driver = Driver(rules_of("1min", "2min", "5min"))
    driver.record([Tick((T0_MS + minute * MINUTE_MS) * MS, 10**8, 0) for minute in range(40)], T0_MS + 10**7)
    assert driver.store.puts["frame"] == 3
    assert driver.store.gets["frame"] == 3
    assert driver.store.puts["partials"] == 1


def test_revising_steps_the_ring_again_but_leaves_history_and_base_alone() -> None:
    driver = Driver(rules_of("1min", indicators={"SMA": SPECS["SMA"]}))
    steady(driver, 60)
    before, puts = frame_of(driver, "1min"), driver.store.puts["history"]
    driver.record([Tick((T0_MS + 50 * MINUTE_MS) * MS + SECOND, 999 * 10**8, 10**8)], T0_MS + 60 * MINUTE_MS)
    driver.clock(2_000)
    after = frame_of(driver, "1min")
    assert (after.base, after.folded, len(after.ring)) == (before.base, before.folded, len(before.ring))
    assert driver.store.puts["history"] == puts
    assert [revision for start_ms, _, revision, _ in after.ring if revision] == [1, 1]
