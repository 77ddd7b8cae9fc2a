"""What the indicators are held against: TA-Lib over whole arrays, exact fractions where TA-Lib's running sums are not enough."""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import talib

from udfs.frames import DAY_MS
from udfs.indicators.base import Indicator, Step
from udfs.indicators.contract import fold
from udfs.model import Bar

Arrays = tuple[Any, ...]
Oracle = Callable[[Any, Sequence[Bar]], Arrays]

RELATIVE_TOLERANCE = 1e-9


class Parity(NamedTuple):
    """How one indicator is checked. Oracles take (indicator, bars), give an array an output, NaN where there is no value."""

    talib: Oracle
    scale: str | float
    """s of rule 4.8: the largest of this field of the bars in the window, or a number for outputs without a unit."""
    windowed: bool
    """Whether bars before the last `bars_needed` are forgotten."""
    exact: Oracle | None = None
    """By definition, in fractions, where TA-Lib loses digits to running sums."""


def column(bars: Sequence[Bar], field: str) -> Any:
    return np.array([getattr(bar, field) for bar in bars], dtype=float)


def closes(function: Callable[..., Any]) -> Oracle:
    """A TA-Lib function of the close and one period."""
    return lambda indicator, bars: (function(column(bars, "close"), indicator.period),)


def high_low_close(*functions: Callable[..., Any]) -> Oracle:
    """TA-Lib functions of high, low, close and one period, an output each."""

    def oracle(indicator: Any, bars: Sequence[Bar]) -> Arrays:
        prices = [column(bars, field) for field in ("high", "low", "close")]
        return tuple(function(*prices, indicator.period) for function in functions)

    return oracle


def macd(indicator: Any, bars: Sequence[Bar]) -> Arrays:
    return tuple(talib.MACD(column(bars, "close"), indicator.fast_period, indicator.slow_period, indicator.signal_period))


def bbands(indicator: Any, bars: Sequence[Bar]) -> Arrays:
    return tuple(talib.BBANDS(column(bars, "close"), indicator.period, indicator.deviations, indicator.deviations))


def stoch(indicator: Any, bars: Sequence[Bar]) -> Arrays:
    high, low, close = (column(bars, field) for field in ("high", "low", "close"))
    slow: Any = talib.STOCH  # its stub wants an enum that talib does not export; 0 is the simple average
    return tuple(slow(high, low, close, indicator.period, indicator.k_period, 0, indicator.d_period, 0))


def obv(_indicator: Any, bars: Sequence[Bar]) -> Arrays:
    return (talib.OBV(column(bars, "close"), column(bars, "volume")),)


def vwap(_indicator: Any, bars: Sequence[Bar]) -> Arrays:
    """TA-Lib's VWAP of each UTC day; no value where it says 0 because no volume has been seen."""
    days = column(bars, "start_ms") // DAY_MS
    values = []
    for day in np.unique(days):
        of_day = [bar for bar, its_day in zip(bars, days, strict=True) if its_day == day]
        high, low, close, volumes = (column(of_day, field) for field in ("high", "low", "close", "volume"))
        average = talib.VWAP(high, low, close, volumes)
        values.append(np.where(np.cumsum(volumes) > 0, average, np.nan))
    return (np.concatenate(values),)


def over_windows(function: Callable[[Any, list[Fraction]], tuple[float, ...]]) -> Oracle:
    """`function` of the exact closes in each full window."""

    def oracle(indicator: Any, bars: Sequence[Bar]) -> Arrays:
        exact = [Fraction(bar.close) for bar in bars]
        rows = [function(indicator, exact[end - indicator.period : end]) for end in range(indicator.period, len(bars) + 1)]
        missing = [(math.nan,) * len(rows[0])] * (indicator.period - 1)
        return tuple(np.array(missing + rows).T)

    return oracle


def exact_mean(_indicator: Any, window: list[Fraction]) -> tuple[float, ...]:
    return (float(sum(window) / len(window)),)


def exact_weighted_mean(_indicator: Any, window: list[Fraction]) -> tuple[float, ...]:
    weights = range(1, len(window) + 1)
    return (float(sum(weight * close for weight, close in zip(weights, window, strict=True)) / sum(weights)),)


def exact_bands(indicator: Any, window: list[Fraction]) -> tuple[float, ...]:
    mean = sum(window) / len(window)
    variance = sum((close - mean) ** 2 for close in window) / len(window)
    width = indicator.deviations * math.sqrt(variance)
    return float(mean) + width, float(mean), float(mean) - width


PARITY: dict[str, Parity] = {
    "sma": Parity(closes(talib.SMA), "close", windowed=True, exact=over_windows(exact_mean)),
    "ema": Parity(closes(talib.EMA), "close", windowed=False),
    "wma": Parity(closes(talib.WMA), "close", windowed=True, exact=over_windows(exact_weighted_mean)),
    "rsi": Parity(closes(talib.RSI), 0.0, windowed=False),
    "macd": Parity(macd, "close", windowed=False),
    "bbands": Parity(bbands, "close", windowed=True, exact=over_windows(exact_bands)),
    "atr": Parity(high_low_close(talib.ATR), "high", windowed=False),
    "stoch": Parity(stoch, 100.0, windowed=True),
    "adx": Parity(high_low_close(talib.ADX, talib.PLUS_DI, talib.MINUS_DI), 0.0, windowed=False),
    "cci": Parity(high_low_close(talib.CCI), 0.0, windowed=True),
    "obv": Parity(obv, "volume", windowed=False),
    "willr": Parity(high_low_close(talib.WILLR), 0.0, windowed=True),
    "roc": Parity(closes(talib.ROC), 0.0, windowed=True),
    "vwap": Parity(vwap, "high", windowed=False),
}
"""Name in the registry -> its parity line. An indicator TA-Lib does not have needs a golden CSV instead."""


def values_of(arrays: Arrays) -> list[Step]:
    """An oracle's arrays as an indicator would say it: None until every output has a value."""
    rows = [tuple(float(number) for number in row) for row in zip(*arrays, strict=True)]
    return [None if any(math.isnan(number) for number in row) else row if len(row) > 1 else row[0] for row in rows]


def scales(parity: Parity, indicator: Indicator, bars: Sequence[Bar]) -> list[float]:
    """s of rule 4.8 at each bar."""
    scale = parity.scale
    if isinstance(scale, float):
        return [scale] * len(bars)
    inputs = [abs(getattr(bar, scale)) for bar in bars]
    reach = indicator.bars_needed if parity.windowed else len(bars)
    return [max(inputs[max(0, end - reach) : end]) for end in range(1, len(bars) + 1)]


def largest_difference(indicator: Indicator, bars: Sequence[Bar], parity: Parity, oracle: Oracle) -> float:
    """The largest difference between what `indicator` and `oracle` say of `bars`."""
    theirs = values_of(oracle(indicator, bars))
    return max(map(difference, fold(indicator, bars), theirs, scales(parity, indicator, bars)))


def difference(ours: Step, theirs: Step, scale: float) -> float:
    """The largest |a-b| / max(|a|, |b|, s) over the outputs: rule 4.8 is that it is at most 1e-9. Infinite if one is None."""
    if ours is None or theirs is None:
        return 0.0 if ours is theirs else math.inf
    pairs = zip(ours if isinstance(ours, tuple) else (ours,), theirs if isinstance(theirs, tuple) else (theirs,), strict=True)
    return max(abs(a - b) / (max(abs(a), abs(b), scale) or 1.0) for a, b in pairs)
