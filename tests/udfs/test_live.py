"""When forming bars are shown: at once, at last, seldom enough, and cheaply enough."""

import heapq
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.live import LiveRules, LiveThrottle


class Task:
    """A single-threaded task: time passes by waiting for the next tick or timer, by work at ticks, and by showing."""

    def __init__(self, rules: LiveRules, cost_ms: float = 0.0, work_ms: float = 0.0) -> None:
        self.throttle = LiveThrottle(rules)
        self.cost_ms, self.work_ms = cost_ms, work_ms
        self.worked_ms = 0.0
        self.now_ms = 1_000_000.0
        self.spent_ms = 0.0
        self.shown: dict[str, list[float]] = {}
        self._timers: list[tuple[int, str]] = []

    def tick(self, symbol: str) -> None:
        self._work(self.work_ms)
        if self.throttle.tick(symbol, int(self.now_ms)):
            self._show(symbol)
        elif (at_ms := self.throttle.wait(symbol)) is not None:
            heapq.heappush(self._timers, (at_ms, symbol))

    def wait_until(self, until_ms: float) -> None:
        while self._timers and self._timers[0][0] <= max(until_ms, self.now_ms):
            at_ms, symbol = heapq.heappop(self._timers)
            self.now_ms = max(self.now_ms, at_ms)
            if self.throttle.timer(symbol, int(self.now_ms)):
                self._show(symbol)
        self.now_ms = max(self.now_ms, until_ms)

    def _show(self, symbol: str) -> None:
        self._work(self.cost_ms)
        self.spent_ms += self.cost_ms
        self.throttle.shown(symbol, int(self.now_ms), self.cost_ms, self.worked_ms)
        self.shown.setdefault(symbol, []).append(self.now_ms)

    def _work(self, ms: float) -> None:
        self.now_ms += ms
        self.worked_ms += ms


arrivals = st.lists(st.tuples(st.integers(0, 700), st.sampled_from("ABC")), min_size=1, max_size=80)


@given(arrivals)
def test_the_first_tick_shows_at_once_the_last_always_and_none_sooner_than_the_interval(arrivals: list) -> None:
    task, newest = Task(LiveRules(interval_ms=1_000)), {}
    for gap_ms, symbol in arrivals:
        task.wait_until(task.now_ms + gap_ms)
        first = symbol not in newest
        newest[symbol] = task.now_ms
        task.tick(symbol)
        assert not first or task.shown[symbol] == [task.now_ms]
    task.wait_until(task.now_ms + 1_000)
    assert task.shown.keys() == newest.keys()
    for symbol, times in task.shown.items():
        assert times[-1] >= newest[symbol]
        assert all(later - earlier >= 1_000 for earlier, later in pairwise(times))


@given(arrivals)
def test_a_symbol_never_waits_twice_at_once(arrivals: list) -> None:
    throttle, now_ms, pending = LiveThrottle(LiveRules()), 5_000, set()
    for gap_ms, symbol in arrivals:
        now_ms += gap_ms
        if throttle.tick(symbol, now_ms):
            throttle.shown(symbol, now_ms, 0.1, 0.1)
            pending.discard(symbol)
        elif (at_ms := throttle.wait(symbol)) is not None:
            assert symbol not in pending
            assert now_ms < at_ms <= now_ms + 1_000
            pending.add(symbol)


def test_switched_off_nothing_is_shown_or_waited_for() -> None:
    throttle = LiveThrottle(LiveRules(enabled=False))
    assert not throttle.tick("A", 10**9)
    assert throttle.wait("A") is None
    assert not throttle.timer("A", 2 * 10**9)


def test_a_timer_of_before_a_restart_or_of_a_symbol_shown_meanwhile_shows_nothing() -> None:
    throttle = LiveThrottle(LiveRules())
    assert not throttle.timer("A", 5_000)
    throttle.shown("A", 5_000, 0.1, 0.1)
    at_ms = throttle.wait("A")
    assert at_ms == 6_000
    throttle.shown("A", 6_000, 0.1, 0.2)
    assert not throttle.timer("A", 6_000)


def of_many(symbols: int, cost_ms: float, seconds: int, work_ms: float = 0.0) -> Task:
    """Every symbol ticks five times a second, or as often as the task can."""
    task, names = Task(LiveRules(interval_ms=1_000, budget=0.2), cost_ms, work_ms), [f"S{number}" for number in range(symbols)]
    started_ms = task.now_ms
    while task.now_ms < started_ms + seconds * 1_000:
        round_ms = task.now_ms + 200
        for name in names:
            task.tick(name)
        task.wait_until(round_ms)
    return task


def test_within_the_budget_every_symbol_shows_each_interval() -> None:
    task = of_many(200, 0.5, 20)
    gaps = [later - earlier for times in task.shown.values() for earlier, later in pairwise(times)]
    assert max(gaps) <= 1_000 + 200 * 0.5
    assert task.spent_ms / 20_000 < 0.2


def test_5000_symbols_are_shown_in_turn_so_seldom_that_the_budget_is_kept() -> None:
    """0.5 ms x 5,000 / 0.2 = one in 12.5 s each: not much less than the budget allows, and nobody is left behind."""
    task = of_many(5_000, 0.5, 60)
    first_round_ms = 5_000 * 0.5
    assert 0.19 <= (task.spent_ms - first_round_ms) / 60_000 <= 0.205
    gaps = [later - earlier for times in task.shown.values() for earlier, later in pairwise(times[1:])]
    assert max(gaps) <= 13_000
    assert sum(gaps) / len(gaps) >= 12_000


@pytest.mark.parametrize(("work_ms", "share"), [(0.25, 0.05), (0.1, 0.1), (0.05, 0.15)])
def test_a_task_at_work_spends_the_budget_of_what_time_is_left(work_ms: float, share: float) -> None:
    """5,000 ticks a second would take 125, 50 and 25 % of the time; a quarter of the budget always remains.

    The first round, at once, knows nothing of the load, and the times of the second are those the first has led to.
    """
    before, after = of_many(1_000, 2.5, 30, work_ms), of_many(1_000, 2.5, 130, work_ms)
    assert 0.9 * share <= (after.spent_ms - before.spent_ms) / 100_000 <= 1.1 * share


def test_the_interval_shrinks_again_once_the_many_are_quiet() -> None:
    task = of_many(5_000, 0.5, 30)
    few, quiet_from_ms = ["S1", "S2"], task.now_ms
    while task.now_ms < quiet_from_ms + 30_000:
        for name in few:
            task.tick(name)
        task.wait_until(task.now_ms + 200)
    for name in few:
        last = [time for time in task.shown[name] if time > quiet_from_ms + 26_000]
        assert all(later - earlier < 1_300 for earlier, later in pairwise(last))
        assert len(last) >= 3
