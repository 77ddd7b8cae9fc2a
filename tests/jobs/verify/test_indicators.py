import math

import numpy as np
import pytest
import talib

from jobs.verify.indicators import Array, Series, agree, oracle_of

DAY_MS = 86_400_000
DEFAULTS = [
    "sma(20)", "ema(20)", "wma(20)", "rsi(14)", "macd(12,26,9)", "bbands(20,2)", "atr(14)", "stoch(14,3,3)", "adx(14)", "cci(20)",
    "obv()", "willr(14)", "roc(10)", "vwap()",
]  # fmt: skip


def series(close: list[float], volume: list[float] | None = None, start_ms: int = 0) -> Series:
    array = np.array(close, dtype=np.float64)
    starts = start_ms + 60_000 * np.arange(len(close), dtype=np.int64)
    return Series(starts, array + 1, array - 1, array, np.array(volume or [1.0] * len(close), dtype=np.float64))


def values(spec: str, bars: Series) -> list[list[float | None]]:
    oracle = oracle_of(spec)
    assert oracle is not None
    return [[None if math.isnan(value) else value for value in output] for output in oracle.values(talib, bars)]


def test_values_by_hand() -> None:
    assert values("sma(2)", series([1, 3, 5])) == [[None, 2, 4]]
    assert values("ema(2)", series([1, 3, 5])) == [[None, 2, 4]]
    assert values("wma(2)", series([1, 4, 7])) == [[None, 3, 6]]
    assert values("roc(1)", series([2, 3, 6])) == [[None, 50, 100]]
    assert values("rsi(2)", series([1, 2, 1])) == [[None, None, 50]]
    assert values("obv", series([5, 6, 6, 4], [1, 2, 4, 8])) == [[1, 3, 3, -5]]
    assert values("willr(2)", series([5, 5, 6])) == [[None, -50, pytest.approx(-100 / 3)]]
    assert values("atr(1)", series([5, 5, 9])) == [[None, 2, 5]]
    assert values("bbands(2,2)", series([1, 3])) == [[None, 4], [None, 2], [None, 0]]


def test_outputs_are_ready_together() -> None:
    for output in values("adx(3)", series([1, 2, 4, 3, 5, 6, 4])):
        assert [value is None for value in output] == [True] * 5 + [False] * 2


def test_vwap_begins_anew_each_day_and_waits_for_volume() -> None:
    bars = series([5, 7, 9, 3], [0, 1, 3, 2], start_ms=DAY_MS - 180_000)
    assert values("vwap", bars) == [[None, 7, 8.5, 3]]


def test_parameters_left_out_are_the_defaults() -> None:
    macd, stoch, own = oracle_of("macd(3, 5)"), oracle_of("stoch"), oracle_of("my.module:Mine(3)")
    assert macd is not None
    assert stoch is not None
    assert (macd.parameters, stoch.parameters, own) == ((3.0, 5.0, 9.0), (14.0, 3.0, 3.0), None)


@pytest.mark.parametrize("spec", DEFAULTS)
def test_every_default_takes_any_number_of_bars(spec: str) -> None:
    oracle = oracle_of(spec)
    assert oracle is not None
    for count in (1, 2, 60):
        bars = series([float(n % 7 + 3) for n in range(count)])
        assert [len(output) for output in oracle.values(talib, bars)] == [count] * max(1, len(oracle.outputs))
        assert len(oracle.scale(bars)) == count


def test_the_scale_is_the_largest_input_in_the_window() -> None:
    sma, ema = oracle_of("sma(2)"), oracle_of("ema(2)")
    assert sma is not None
    assert ema is not None
    bars = series([9, 5, 1, 2])
    assert (list(sma.scale(bars)), list(ema.scale(bars))) == ([9, 9, 5, 2], [9, 9, 9, 9])


def test_agreement_is_relative_and_a_missing_value_agrees_with_none_only() -> None:
    one, other = np.array([1.0, 1.0, math.nan, math.nan]), np.array([1.0 + 5e-10, 1.0 + 5e-9, math.nan, 1.0])
    assert list(agree(one, other, np.zeros(4))) == [True, False, True, False]
    assert list(agree(one, other, np.full(4, 10.0))) == [True, True, True, False]


def exact(spec: str, bars: Series) -> list[Array]:
    oracle = oracle_of(spec)
    assert oracle is not None
    found = oracle.exact(bars, range(len(bars)))
    assert found is not None
    return found


@pytest.mark.parametrize("spec", ["sma(5)", "wma(5)", "bbands(5,2)", "stoch(5,3,2)", "cci(5)", "obv"])
def test_exact_sums_say_what_talib_says_of_an_ordinary_series(spec: str) -> None:
    bars = series([100 + 7 * math.sin(n) for n in range(50)], [float(n % 9) for n in range(50)])
    oracle = oracle_of(spec)
    assert oracle is not None
    expected, found = oracle.values(talib, bars), exact(spec, bars)
    assert all(agree(one, other, oracle.scale(bars)).all() for one, other in zip(expected[1:], found[1:], strict=True))
    ready = ~np.isnan(expected[0])
    assert agree(expected[0][ready], found[0][ready], oracle.scale(bars)[ready]).all()


@pytest.mark.parametrize(("spec", "after"), [("sma(3)", [1.0]), ("wma(3)", [1.0]), ("bbands(3,2)", [1.0, 1.0, 1.0])])
def test_exact_sums_forget_a_spike_that_has_left_the_window(spec: str, after: list[float]) -> None:
    bars = series([1e15 / 3, 1.0, 1.0, 1.0])
    assert [output[-1] for output in exact(spec, bars)] == after


def test_flat_prices_have_no_channel_index() -> None:
    assert exact("cci(3)", series([0.1] * 4))[0][-1] == 0.0
