"""The bar as a merge: order does not matter, nothing is lost, and every double is the nearest one."""

from decimal import Decimal
from fractions import Fraction
from functools import reduce
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from tests.udfs import naive_oracle
from udfs.bars import BarReader, Partial, add_tick, bar_of, merge, order_key
from udfs.model import Bar, Flags, Scales, Tick

T0_NS = 1_700_000_040_000_000_000
PLAIN = Scales(0, 0)
ticks = st.builds(
    Tick,
    event_time_ns=st.integers(T0_NS, T0_NS + 3) | st.integers(T0_NS, T0_NS + 59_999_999_999),
    price=st.integers(1, 3) | st.integers(1, 10**19),
    size=st.integers(0, 3) | st.integers(0, 10**19),
    flags=st.integers(0, 3),
    seq=st.none() | st.integers(0, 2),
    trade_id=st.none() | st.sampled_from(("a", "b")),
    source=st.none() | st.sampled_from(("x", "y")),
    offset=st.integers(0, 2),
    line=st.integers(0, 2),
)
several = st.lists(ticks, min_size=1, max_size=12)


def bar_of_all(ticks: list[Tick]) -> Partial:
    return reduce(merge, map(bar_of, ticks))


@given(several, several, several)
def test_merging_is_associative(one: list, other: list, third: list) -> None:
    a, b, c = map(bar_of_all, (one, other, third))
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@given(several, several)
def test_merging_is_commutative_and_leaves_both_as_they_were(one: list, other: list) -> None:
    a, b = bar_of_all(one), bar_of_all(other)
    before = list(a), list(b)
    assert merge(a, b) == merge(b, a)
    assert (a, b) == before


@given(several, ticks)
def test_adding_a_tick_is_merging_the_bar_of_it(several: list, tick: Tick) -> None:
    bar = bar_of_all(several)
    merged = merge(bar, bar_of(tick))
    add_tick(bar, tick)
    assert bar == merged


@given(several, st.randoms(use_true_random=False))
def test_the_order_ticks_are_added_in_does_not_matter(ticks: list, random) -> None:
    shuffled = list(ticks)
    random.shuffle(shuffled)
    bar = bar_of(shuffled[0])
    for tick in shuffled[1:]:
        add_tick(bar, tick)
    assert bar == bar_of_all(ticks)


@given(several, st.integers(0, 12), st.integers(0, 12))
def test_a_bar_says_what_fractions_say(ticks: list, price_decimals: int, size_decimals: int) -> None:
    said = BarReader(Scales(price_decimals, size_decimals)).numbers(bar_of_all(ticks))._asdict()
    (expected,) = naive_oracle.bars(ticks, "1min", price_decimals, size_decimals).values()
    assert said == {name: expected[name] for name in said}


@given(several)
def test_indicators_see_the_same_numbers_as_results_and_nothing_of_a_bar_without_prices(ticks: list) -> None:
    reader, bar = BarReader(Scales()), bar_of_all(ticks)
    numbers, seen = reader.numbers(bar), reader.priced(7, bar)
    if all(tick.flags & Flags.NO_PRICE for tick in ticks):
        assert seen is None
        assert (numbers.open, numbers.high, numbers.low, numbers.close) == (None,) * 4
    else:
        assert seen == Bar(7, numbers.open, numbers.high, numbers.low, numbers.close, numbers.volume)


def test_open_and_close_are_by_time_then_seq_then_arrival() -> None:
    """Without seq comes before with; ties go by offset, line, source and id, never by the order of calls."""
    in_order = [
        Tick(T0_NS, 1, 0, 0, None, None, None, 4, 0),
        Tick(T0_NS, 2, 0, 0, None, None, None, 4, 1),
        Tick(T0_NS, 3, 0, 0, None, None, "a", 4, 1),
        Tick(T0_NS, 4, 0, 0, None, "1", "a", 4, 1),
        Tick(T0_NS, 5, 0, 0, None, None, None, 5, 0),
        Tick(T0_NS, 6, 0, 0, -1, None, None, 3, 0),
        Tick(T0_NS, 7, 0, 0, 8, None, None, 2, 1),
        Tick(T0_NS, 8, 0, 0, 8, None, "b", 1, 1),
        Tick(T0_NS, 9, 0, 0, 9, None, None, 0, 0),
        Tick(T0_NS + 1, 10, 0, 0, None, None, None, 0, 0),
    ]
    assert sorted(in_order, key=order_key) == in_order
    for first, second in permutations(in_order, 2):
        bar = bar_of(first)
        add_tick(bar, second)
        said = BarReader(PLAIN).numbers(bar)
        assert (said.open, said.close) == (min(first.price, second.price), max(first.price, second.price))


def test_a_flag_takes_out_its_own_half_and_vwap_needs_both() -> None:
    bar = bar_of_all(
        [
            Tick(T0_NS, 100, 10),
            Tick(T0_NS + 1, 999, 5, Flags.NO_PRICE),
            Tick(T0_NS + 2, 50, 7, Flags.NO_VOLUME),
            Tick(T0_NS + 3, 999, 99, Flags.NO_PRICE | Flags.NO_VOLUME),
            Tick(T0_NS + 4, 130, 20),
        ]
    )
    said = BarReader(PLAIN).numbers(bar)
    assert said[:4] == (100.0, 130.0, 50.0, 130.0)
    assert (said.volume, said.trades) == (35.0, 3)
    assert said.turnover == 100 * 10 + 130 * 20
    assert said.vwap == 3600 / 30
    assert (said.first_ms, said.last_ms) == (T0_NS // 10**6, T0_NS // 10**6)


def test_sums_that_floats_would_get_wrong_are_exact() -> None:
    """Ten times 0.1, a huge print among small ones, and a quotient with no end."""
    tenth = 10**7
    said = BarReader(Scales()).numbers(bar_of_all([Tick(T0_NS + n, tenth, tenth) for n in range(10)]))
    assert (said.volume, said.turnover, said.vwap) == (1.0, 0.1, 0.1)

    sizes = [10**17 * 10**8, 1, 1]
    said = BarReader(Scales()).numbers(bar_of_all([Tick(T0_NS + n, 3 * 10**8, size) for n, size in enumerate(sizes)]))
    assert said.volume == float(Fraction(sum(sizes), 10**8))
    assert said.vwap == 3.0

    said = BarReader(Scales(2, 0)).numbers(bar_of_all([Tick(T0_NS, 100, 1), Tick(T0_NS + 1, 201, 2)]))
    assert said.vwap == float(Decimal(502) / Decimal(300))


def test_no_size_no_vwap() -> None:
    ticks = [Tick(T0_NS, 5, 0), Tick(T0_NS, 6, 3, Flags.NO_PRICE), Tick(T0_NS, 7, 3, Flags.NO_VOLUME)]
    said = BarReader(Scales()).numbers(bar_of_all(ticks))
    assert (said.vwap, said.turnover, said.trades) == (None, 0.0, 2)
