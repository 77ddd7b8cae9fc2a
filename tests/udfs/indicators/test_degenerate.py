"""Answers to degenerate input, worked out by hand from the table in the reference."""

import pytest

from udfs.frames import DAY_MS, HOUR_MS
from udfs.indicators import parse_spec
from udfs.indicators.base import Step
from udfs.indicators.contract import fold
from udfs.model import Bar


def bars_of(*closes: float, volume: float = 1.0) -> list[Bar]:
    return [Bar(index * HOUR_MS, close, close, close, close, volume) for index, close in enumerate(closes)]


@pytest.mark.parametrize(
    ("spec", "answer"),
    [
        ("sma(3)", pytest.approx(0.1, rel=1e-15)),
        ("wma(3)", pytest.approx(0.1, rel=1e-15)),
        ("ema(3)", pytest.approx(0.1, rel=1e-15)),
        ("rsi(3)", 0.0),
        ("macd(2,3,2)", pytest.approx((0.0, 0.0, 0.0), abs=1e-16)),
        ("atr(3)", 0.0),
        ("stoch(3,2,2)", (0.0, 0.0)),
        ("adx(3)", (0.0, 0.0, 0.0)),
        ("cci(3)", 0.0),
        ("willr(3)", 0.0),
        ("roc(3)", 0.0),
        ("obv", 1.0),
    ],
)
def test_flat_prices(spec: str, answer: Step) -> None:
    assert fold(parse_spec(spec), bars_of(*[0.1] * 12))[-1] == answer


@pytest.mark.parametrize("price", [0.1, 0.3, 123.456, 99999.99, 1e9 / 7, 1e-8])
@pytest.mark.parametrize("period", [3, 7, 14, 20, 49])
def test_flat_prices_leave_no_rounding_in_bands_and_cci(price: float, period: int) -> None:
    bars = bars_of(*[price] * period)
    upper, middle, lower = fold(parse_spec(f"bbands({period})"), bars)[-1]  # type: ignore[misc]
    assert upper == middle == lower == pytest.approx(price, rel=1e-15)
    assert fold(parse_spec(f"cci({period})"), bars)[-1] == 0.0


def test_the_smallest_move_is_not_taken_for_flat() -> None:
    upper, middle, lower = fold(parse_spec("bbands(4,1)"), bars_of(3.0, 3.0, 3.0, 3.00000001))[-1]  # type: ignore[misc]
    assert upper > middle > lower
    assert fold(parse_spec("cci(4)"), bars_of(3.0, 3.0, 3.0, 3.00000001))[-1] == pytest.approx(0.75 / (0.015 * 0.375), rel=1e-6)


def test_only_gains_are_an_rsi_of_100_and_only_losses_of_0() -> None:
    assert fold(parse_spec("rsi(3)"), bars_of(1.0, 2.0, 3.0, 4.0))[-1] == 100.0
    assert fold(parse_spec("rsi(3)"), bars_of(4.0, 3.0, 2.0, 1.0))[-1] == 0.0


def test_obv_counts_nothing_for_an_equal_close() -> None:
    assert fold(parse_spec("obv"), bars_of(5.0, 5.0, 6.0, 4.0, 4.0, volume=10.0)) == [10.0, 10.0, 20.0, 10.0, 10.0]


def test_vwap_has_no_value_until_the_day_has_volume() -> None:
    silent, traded = bars_of(5.0, 7.0, volume=0.0), Bar(2 * HOUR_MS, 8.0, 9.0, 7.0, 8.0, 3.0)
    assert fold(parse_spec("vwap"), [*silent, traded]) == [None, None, 8.0]


def test_vwap_starts_again_with_the_utc_day() -> None:
    first, second = Bar(DAY_MS - HOUR_MS, 2.0, 2.0, 2.0, 2.0, 5.0), Bar(DAY_MS, 4.0, 4.0, 4.0, 4.0, 1.0)
    third = Bar(DAY_MS + HOUR_MS, 7.0, 7.0, 7.0, 7.0, 2.0)
    assert fold(parse_spec("vwap"), [first, second, third]) == [2.0, 4.0, 6.0]


def test_a_window_forgets_a_jump_completely() -> None:
    calm = bars_of(*(1.0 + index / 8 for index in range(30)))
    spiked = [*bars_of(1e9, 3e9, 1e9), *calm]
    for spec in ("sma(5)", "wma(5)", "bbands(5)", "cci(5)", "willr(5)", "stoch(5,2,2)", "roc(5)"):
        assert fold(parse_spec(spec), spiked)[-20:] == fold(parse_spec(spec), calm)[-20:], spec


def test_the_rsi_of_a_published_example() -> None:
    """StockCharts' worksheet "Relative Strength Index", printed to two decimals; its closes are rounded to four."""
    closes = (
        *(44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931, 46.0328, 45.6140),
        *(46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439, 46.2122, 46.2521, 45.7137, 46.4515, 45.7835, 45.3548),
        *(44.0288, 44.1783, 44.2181, 44.5672, 43.4205, 42.6628, 43.1314),
    )
    published = (
        *(70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93, 63.26, 56.06, 62.38, 54.71, 50.42, 39.99, 41.46, 41.87),
        *(45.46, 37.30, 33.08, 37.77),
    )
    assert fold(parse_spec("rsi(14)"), bars_of(*closes))[14:] == pytest.approx(published, abs=0.006)
