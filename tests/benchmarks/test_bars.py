"""What peers compute, and the check that says whether they computed it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.bars_check import MINUTE_MS, Minute, verdict
from benchmarks.peers.bars import Tick, first, grow, merge

TICK = st.tuples(st.just("A"), st.integers(0, MINUTE_MS), st.integers(1, 50).map(float), st.integers(0, 9).map(float))
TICKS = st.lists(TICK, min_size=1)


def by_definition(ticks: list[Tick]) -> Minute:
    times = [tick[1] for tick in ticks]
    opens = [tick[2] for tick in ticks if tick[1] == min(times)]
    closes = [tick[2] for tick in ticks if tick[1] == max(times)]
    prices = [tick[2] for tick in ticks]
    return Minute(opens[0], max(prices), min(prices), closes[-1], sum(tick[3] for tick in ticks))


@given(TICKS)
def test_a_bar_grows_to_what_its_ticks_say_in_any_order_of_time(ticks: list[Tick]) -> None:
    bar = first(ticks[0])
    for tick in ticks[1:]:
        grow(bar, tick)
    assert Minute(*bar[:5]) == by_definition(ticks)


@given(TICKS, TICKS)
def test_merging_two_bars_is_the_bar_of_all_their_ticks(left: list[Tick], right: list[Tick]) -> None:
    bars = []
    for ticks in (left, right):
        bars.append(first(ticks[0]))
        for tick in ticks[1:]:
            grow(bars[-1], tick)
    merged, expected = Minute(*merge(*bars)[:5]), by_definition(left + right)
    assert (merged.high, merged.low, merged.volume) == (expected.high, expected.low, expected.volume)


RIGHT = {0: Minute(1, 2, 1, 2, 5), MINUTE_MS: Minute(2, 3, 2, 3, 6)}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (RIGHT, "2 of 2 equal"),
        ({0: RIGHT[0]}, "1 of 2 equal"),
        ({}, "WRONG: no bars"),
        ({0: RIGHT[0]._replace(close=9)}, "WRONG: 1 of 1"),
        ({7: RIGHT[0]}, "WRONG: 1 of 1"),
    ],
)
def test_a_wrong_bar_is_told_from_one_that_is_missing(found: dict[int, Minute], said: str) -> None:
    assert verdict(RIGHT, found).startswith(said)
