"""The duplicates' log: what it knows again, for how long, and at what cost."""

import base64
import json
import pickle
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.dict_store import DictStore
from udfs.duplicates import DuplicatesLog
from udfs.model import Tick
from udfs.state_layout import Hot, new_hot, read_hot

SECOND = 10**9
T0 = 1_700_000_040 * SECOND
LAID_ANEW = 16 + 17
"""Gets, or puts, when a symbol proves to be busy and its few long stretches become many short ones, once."""


class Log:
    """A log as one symbol's ticks meet it: the clock moves on with each newer tick. Everything is pickled in between."""

    def __init__(self, window_ms: int = 120_000) -> None:
        self.log = DuplicatesLog(window_ms)
        self.store = DictStore()
        self.hot: Hot = new_hot("", 1, 0)

    def is_new(self, tick: Tick) -> bool:
        if not self.log.fits(self.hot):
            self.log.lay_anew(self.store, self.hot)
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
        st.sampled_from((0, 0, 1, 200 * 10**6, SECOND, 7 * SECOND, 61 * SECOND, 127 * SECOND, 128 * SECOND, 144 * SECOND, 1_280 * SECOND)),
        st.sampled_from((0, 0, 0, 1, SECOND, 3 * SECOND, 119 * SECOND, 120 * SECOND, 120 * SECOND + 1, 500 * SECOND)),
        st.sampled_from((None, 0, 1, 2)),
        st.sampled_from((None, None, "0", "x")),
        st.sampled_from((None, None, "a")),
    ),
    min_size=20,
    max_size=150,
)


@given(moves, st.sampled_from((120_000, 0, 1, 1_000, 14_000, 126_000, 126_001, 900_000)), st.sampled_from((0, 1, 7)))
def test_a_tick_is_known_again_exactly_when_it_was_met_and_lies_within_the_window(moves: list, window_ms: int, laid_anew: int) -> None:
    """However often the log is laid anew."""
    log, known, clock_ns = Log(window_ms), set(), T0
    for number, (forward_ns, back_ns, seq, trade_id, source) in enumerate(moves):
        if laid_anew and number % laid_anew == 0:
            log.log.lay_anew(log.store, log.hot)
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


@given(st.lists(st.tuples(st.integers(0, 2_999), st.integers(0, 1)), min_size=70, max_size=120), st.integers(1, 50), st.integers(5, 90))
def test_in_whatever_order_ticks_of_a_few_seconds_come_none_is_forgotten_or_made_up(places: list, spread: int, laid_anew: int) -> None:
    log, known = Log(), set()
    for number, (millisecond, seq) in enumerate(places):
        if number % laid_anew == 0:
            log.log.lay_anew(log.store, log.hot)
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


@pytest.mark.parametrize("window_ms", [120_000, 900_000])
def test_what_version_1_had_logged_is_known_again_after_the_upgrade(window_ms: int) -> None:
    """`golden/log-1.json` was written by the code of that version."""
    golden = json.loads((Path(__file__).parent / "golden" / "log-1.json").read_text())[str(window_ms)]
    ticks = [tick(*said) for said in golden["ticks"]]
    log = Log(window_ms)
    for name, data in golden["kept"].items():
        kind, _, key = name.partition("/")
        log.store.kept[kind, int(key) if key else None] = base64.b64decode(data)
    log.hot = read_hot(pickle.loads(log.store.kept["hot", None]), "")
    oldest_ns = max(each.event_time_ns for each in ticks) - window_ms * 10**6
    told_apart = 0
    for each in ticks:
        is_known = each.event_time_ns >= oldest_ns and (each.seq is not None or each.trade_id is not None)
        assert log.is_new(each) is not is_known
        assert log.is_new(each._replace(source="other")) is not False or each.seq is each.trade_id is None
        told_apart += is_known
    assert told_apart > 150
    assert log.store.get_hot()[0] == 2  # type: ignore[index]


def test_another_window_takes_over_what_the_one_before_knew() -> None:
    log = Log(120_000)
    for second in range(130):
        assert log.is_new(tick(T0 + second * SECOND, second))
    for window_ms, known_from in ((900_000, 9), (60_000, 69), (1_000, 128), (120_000, 128)):
        log.log = DuplicatesLog(window_ms)
        for second in range(known_from + 1, 130):
            assert not log.is_new(tick(T0 + second * SECOND, second))


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
    assert sum(kind == "seen" for kind, _ in log.store.kept) <= 128 * (1 + 90 // 16)


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
    assert log.store.gets["seen"] <= LAID_ANEW
    assert log.store.puts["seen"] <= 5_000 / 16 + LAID_ANEW
    assert len(log.hot.recent) <= 16


def test_ticks_in_order_never_make_anybody_look() -> None:
    log = Log()
    for number in range(2_000):
        log.is_new(tick(T0 + number * 17 * 10**6, number))
    assert log.store.gets["seen"] <= LAID_ANEW
    assert log.store.puts["seen"] < 200


@pytest.mark.parametrize(("every_ms", "puts"), [(250, 1 / 10), (1_000, 1 / 8), (20_000, 1)])
def test_a_put_is_shared_by_as_many_ticks_as_the_pace_allows(every_ms: int, puts: float) -> None:
    """In order: four ticks a second, one a second, and one in twenty."""
    log = Log()
    for number in range(4_000):
        log.is_new(tick(T0 + number * every_ms * 10**6, number))
    assert log.store.puts["seen"] <= puts * 4_000
    assert log.store.gets["seen"] <= 4_000 / 36 if every_ms == 250 else log.store.gets["seen"] == 0


def test_a_symbol_that_was_busy_goes_back_to_long_stretches_and_knows_all_it_knew() -> None:
    log, now_ns = Log(), T0
    known: list[Tick] = []
    for gap_ns in [10**6] * 600 + [SECOND] * 400 + [10**7] * 600 + [SECOND // 4] * 800:
        now_ns += gap_ns
        known.append(tick(now_ns, len(known)))
        assert log.is_new(known[-1])
        if len(known) % 90 == 0:
            within = [each for each in known if each.event_time_ns >= now_ns - 120 * SECOND]
            assert not any(log.is_new(each) for each in within[:: max(1, len(within) // 30)])
    assert log.hot.slots == 16
    assert sum(kind == "seen" for kind, _ in log.store.kept) <= 16 * 4


def test_whatever_its_pace_a_log_is_laid_anew_once_a_turn_of_the_ring_at_most() -> None:
    """Fifteen ticks and then a hundred of one instant, each second: many chunks in a long stretch, few in short ones."""
    log, laid_at = Log(), [T0]
    layout = log.hot.slots
    for second in range(400):
        for number in range(115):
            log.is_new(tick(T0 + second * SECOND + min(number, 15), second * 1_000 + number))
            if log.hot.slots != layout:
                layout = log.hot.slots
                laid_at.append(T0 + second * SECOND)
    assert len(laid_at) >= 3
    assert all(later - earlier >= 100 * SECOND for earlier, later in pairwise(laid_at[2:]))


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
    assert log.store.puts["seen"] <= 5_000 / 16 + 1 + LAID_ANEW


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
