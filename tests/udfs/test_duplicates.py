"""The duplicates' log: what it knows again, for how long, and at what cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.dict_store import DictStore
from udfs.duplicates import DuplicatesLog
from udfs.model import Tick
from udfs.state_layout import Hot, new_hot

SECOND = 10**9
T0 = 1_700_000_040 * SECOND


class Log:
    """A log as one symbol's ticks meet it: the clock moves on with each newer tick. Everything is pickled in between."""

    def __init__(self, window_ms: int = 120_000) -> None:
        self.log = DuplicatesLog(window_ms)
        self.store = DictStore()
        self.hot: Hot = new_hot("", 1, 0)

    def is_new(self, tick: Tick) -> bool:
        if tick.event_time_ns > self.hot.clock_ns:
            self.hot.clock_ns = tick.event_time_ns
            self.log.note(self.store, self.hot, tick)
            new = True
        else:
            new = not self.log.seen(self.store, self.hot, tick)
        self.store.put_hot(self.hot.part())
        self.hot = Hot(*self.store.get_hot()[1:])  # type: ignore[index]
        return new


def tick(at_ns: int, seq: int | None = None, trade_id: str | None = None, source: str | None = None) -> Tick:
    return Tick(at_ns, 10**8, 10**8, 0, seq, trade_id, source)


moves = st.lists(
    st.tuples(
        st.sampled_from((0, 0, 1, 200 * 10**6, SECOND, 7 * SECOND, 61 * SECOND, 127 * SECOND, 128 * SECOND, 1_280 * SECOND)),
        st.sampled_from((0, 0, 0, 1, SECOND, 3 * SECOND, 119 * SECOND, 120 * SECOND, 120 * SECOND + 1, 500 * SECOND)),
        st.sampled_from((None, 0, 1, 2)),
        st.sampled_from((None, None, "0", "x")),
        st.sampled_from((None, None, "a")),
    ),
    min_size=20,
    max_size=150,
)


@given(moves, st.sampled_from((120_000, 0, 1, 1_000, 126_000, 126_001, 900_000)))
def test_a_tick_is_known_again_exactly_when_it_was_met_and_lies_within_the_window(moves: list, window_ms: int) -> None:
    log, known, clock_ns = Log(window_ms), set(), T0
    for forward_ns, back_ns, seq, trade_id, source in moves:
        clock_ns += forward_ns
        each = tick(clock_ns - back_ns, seq, trade_id, source)
        identity = (source, each.event_time_ns, seq if trade_id is None else trade_id)
        within = each.event_time_ns >= log.hot.clock_ns - window_ms * 10**6
        assert log.is_new(each) is not (within and identity[2] is not None and identity in known), each
        known.add(identity)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=300), st.integers(0, 3))
def test_within_one_second_nothing_is_forgotten_and_nothing_made_up(steps: list, spread: int) -> None:
    """Enough ticks for many chunks, in order and out of it."""
    log, known = Log(), set()
    for number, step in enumerate(steps):
        each = tick(T0 + (number // (spread + 1)) * 10**6 - step * 10**5 * (step > 35), step % 7)
        assert log.is_new(each) is (each not in known)
        known.add(each)


@given(st.lists(st.tuples(st.integers(0, 2_999), st.integers(0, 1)), min_size=70, max_size=120), st.integers(1, 50))
def test_in_whatever_order_ticks_of_a_few_seconds_come_none_is_forgotten_or_made_up(places: list, spread: int) -> None:
    log, known = Log(), set()
    for number, (millisecond, seq) in enumerate(places):
        each = tick(T0 + (millisecond // spread + number) * 10**6, seq)
        assert log.is_new(each) is (each not in known)
        known.add(each)
    for each in known:
        assert not log.is_new(each)


def test_the_window_ends_to_the_nanosecond() -> None:
    log = Log(120_000)
    log.is_new(tick(T0, 1))
    log.is_new(tick(T0, 2))
    log.is_new(tick(T0 + 120 * SECOND, 3))
    assert not log.is_new(tick(T0, 1))
    log.is_new(tick(T0 + 120 * SECOND + 1, 4))
    assert log.is_new(tick(T0, 2))


def test_id_goes_before_seq_and_sources_are_told_apart() -> None:
    log = Log()
    assert log.is_new(tick(T0, 1, "a", "x"))
    assert not log.is_new(tick(T0, 2, "a", "x"))
    assert log.is_new(tick(T0, 1, None, "x"))
    assert log.is_new(tick(T0, 1, "1", "x"))
    assert log.is_new(tick(T0, 1, "a", "y"))
    assert log.is_new(tick(T0, 1, "a", None))
    assert log.is_new(tick(T0, None, None, "x"))
    assert log.is_new(tick(T0, None, None, "x"))
    assert log.is_new(tick(T0 + 1, 1, "a", "x"))


@pytest.mark.parametrize("window_ms", [120_000, 900_000])
def test_a_slot_used_again_never_makes_a_new_tick_old(window_ms: int) -> None:
    """However many seconds lie between two ticks that differ in nothing else, looked for from a second later."""
    for seconds in range(1, 2_100):
        log = Log(window_ms)
        assert log.is_new(tick(T0, 1))
        assert log.is_new(tick(T0 + (seconds + 1) * SECOND, 2))
        assert log.is_new(tick(T0 + seconds * SECOND, 1))
        assert not log.is_new(tick(T0 + seconds * SECOND, 1))


def test_a_slot_used_again_forgets_all_that_was_in_it() -> None:
    """Busy seconds, each with chunks of its own, for several turns of the ring, in order and after a jump."""
    log = Log()
    for second in (*range(300), *range(700, 760), 5_000):
        for number in range(40):
            assert log.is_new(tick(T0 + second * SECOND + number, number))
        if second:
            for number in range(50, 90):
                assert log.is_new(tick(T0 + (second - 1) * SECOND + number, number))
    assert len(log.hot.chunks) <= 128


def test_a_long_window_is_kept_whole() -> None:
    log = Log(3_600_000)
    for second in range(0, 3_601, 7):
        assert log.is_new(tick(T0 + second * SECOND, second))
    for second in range(0, 3_601, 7):
        assert not log.is_new(tick(T0 + second * SECOND, second))


@pytest.mark.parametrize("at_once", [False, True])
def test_5000_ticks_in_a_second_cost_a_put_each_sixteen_and_no_look(at_once: bool) -> None:
    log = Log()
    for number in range(5_000):
        assert log.is_new(tick(T0 + (number * 200_000 if not at_once else number), number))
    assert log.store.gets["seen"] == 0
    assert log.store.puts["seen"] <= 5_000 / 16
    assert len(log.hot.recent) <= 16


def test_ticks_in_order_never_make_anybody_look() -> None:
    log = Log()
    for number in range(2_000):
        log.is_new(tick(T0 + number * 17 * 10**6, number))
    assert log.store.gets["seen"] == 0
    assert log.store.puts["seen"] < 200


def test_the_log_does_not_grow_with_time() -> None:
    log = Log()
    sizes = []
    for minute in range(30):
        for number in range(600):
            log.is_new(tick(T0 + minute * 60 * SECOND + number * 100 * 10**6, number))
        sizes.append(log.store.sizes()["seen"])
    assert max(sizes[10:]) <= 1.05 * sizes[9]


def test_resending_a_busy_second_reads_little() -> None:
    """5,000 ticks of one second, all sent again while the second is still the newest, and once more later: by bisection."""
    log = Log()
    ticks = [tick(T0 + number * 200_000, number) for number in range(5_000)]
    assert all(log.is_new(each) for each in ticks)
    assert not any(log.is_new(each) for each in ticks)
    assert log.is_new(tick(T0 + 3 * SECOND, 9_999))
    assert not any(log.is_new(each) for each in ticks)
    assert log.store.gets["seen"] / 10_000 <= 11
    assert log.store.puts["seen"] <= 5_000 / 16 + 1


@pytest.mark.parametrize("behind_ns", [SECOND // 2, 2 * SECOND])
@pytest.mark.parametrize("ahead_each", [1, 5_000])
def test_a_second_feed_behind_the_first_costs_a_small_put_a_tick(behind_ns: int, ahead_each: int) -> None:
    """The first feed sets the clock, with each of its ticks or once in 5,000; the hot part does not grow with what comes behind it."""
    log, hot_sizes = Log(), []
    for number in range(5_000):
        if number % ahead_each == 0:
            log.is_new(tick(T0 + behind_ns + number * 200_000, number, None, "a"))
        assert log.is_new(tick(T0 + number * 200_000, number, None, "b"))
        hot_sizes.append(len(log.store.kept["hot", None]))
    assert log.store.gets["seen"] <= 10 * 5_000
    assert log.store.puts["seen"] <= 1.4 * 5_000
    if behind_ns > SECOND:
        assert max(len(data) for (kind, _), data in log.store.kept.items() if kind == "seen") <= 1_000
    assert max(hot_sizes) <= 1_500
