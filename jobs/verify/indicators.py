"""The indicators once more, by TA-Lib over whole series, and by exact sums where TA-Lib's running ones are too coarse."""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from types import ModuleType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Parameters: TypeAlias = tuple[float, ...]
Places: TypeAlias = Iterable[int]
"""Which bars of a series are asked for."""
DAY_MS = 86_400_000
_SPEC = re.compile(r"\s*([a-z_]+)\s*(?:\(([^()]*)\))?\s*")


@dataclass(frozen=True, slots=True)
class Series:
    """The bars an indicator is folded over, oldest first: those that have prices."""

    start_ms: NDArray[np.int64]
    high: Array
    low: Array
    close: Array
    volume: Array

    def __len__(self) -> int:
        return len(self.close)

    @property
    def typical(self) -> Array:
        """Typical price of each bar."""
        typical: Array = (self.high + self.low + self.close) / 3.0
        return typical


@dataclass(frozen=True, slots=True)
class Entry:
    """How one indicator is recomputed: NaN is "no value yet". `exact` says the same by exact sums."""

    defaults: Parameters
    outputs: tuple[str, ...]
    values: Callable[[ModuleType, Series, Parameters], list[Array]]
    window: Callable[[Parameters], int] | None = None
    """How many bars a value depends on; None is all of them."""
    inputs: tuple[str, ...] = ("close",)
    exact: Callable[[Series, Parameters, Places], list[Array]] | None = None


@dataclass(frozen=True, slots=True)
class Oracle:
    """One configured indicator, ready to be recomputed."""

    name: str
    entry: Entry
    parameters: Parameters

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of its outputs; empty for a single one."""
        return self.entry.outputs

    def values(self, talib: ModuleType, series: Series) -> list[Array]:
        """A value a bar for each output, all NaN at once until all are ready."""
        arrays = self.entry.values(talib, series, self.parameters)
        unready = np.isnan(np.sum(arrays, axis=0))
        return [np.where(unready, np.nan, array) for array in arrays]

    def scale(self, series: Series) -> Array:
        """The largest input in the window of each bar."""
        inputs = np.max([np.abs(getattr(series, name)) for name in self.entry.inputs], axis=0)
        if self.entry.window is None:
            largest: Array = np.maximum.accumulate(inputs)
            return largest
        padded = np.concatenate([np.zeros(self.entry.window(self.parameters) - 1), inputs])
        largest = np.lib.stride_tricks.sliding_window_view(padded, self.entry.window(self.parameters)).max(axis=1)
        return largest

    def exact(self, series: Series, at: Places) -> list[Array] | None:
        """The values by exact sums, at least those of the bars `at`; None where TA-Lib has no running ones."""
        return None if self.entry.exact is None else self.entry.exact(series, self.parameters, at)


def oracle_of(spec: str) -> Oracle | None:
    """The oracle for `name(numbers)`; None for one that there is no second opinion on (by dotted name, or unknown)."""
    match = _SPEC.fullmatch(spec)
    entry = _CATALOG.get(match[1]) if match else None
    if match is None or entry is None:
        return None
    given = tuple(float(number) for number in match[2].split(",")) if match[2] and match[2].strip() else ()
    return Oracle(match[1], entry, given + entry.defaults[len(given) :])


def agree(one: Array, other: Array, scale: Array | float) -> NDArray[np.bool_]:
    """|a-b| <= 1e-9 max(|a|, |b|, s) at each bar; two missing values agree, one does not."""
    near = np.abs(one - other) <= 1e-9 * np.maximum(np.maximum(np.abs(one), np.abs(other)), scale)
    agreed: NDArray[np.bool_] = near | (np.isnan(one) & np.isnan(other))
    return agreed


# TA-Lib ------------------------------------------------------------------------------------------------------------


def _macd(talib: ModuleType, series: Series, given: Parameters) -> list[Array]:
    return list(talib.MACD(series.close, *map(int, given)))


def _bbands(talib: ModuleType, series: Series, given: Parameters) -> list[Array]:
    return list(talib.BBANDS(series.close, int(given[0]), given[1], given[1]))


def _stoch(talib: ModuleType, series: Series, given: Parameters) -> list[Array]:
    period, k_period, d_period = map(int, given)
    return list(talib.STOCH(series.high, series.low, series.close, period, k_period, 0, d_period, 0))


def _adx(talib: ModuleType, series: Series, given: Parameters) -> list[Array]:
    return [indicator(series.high, series.low, series.close, int(given[0])) for indicator in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI)]


def _vwap(talib: ModuleType, series: Series, given: Parameters) -> list[Array]:
    """Day by day; no value while the day has no volume, where TA-Lib says 0."""
    starts = np.flatnonzero(np.diff(series.start_ms // DAY_MS, prepend=-1))
    values = np.full(len(series), np.nan)
    for first, after in zip(starts, [*starts[1:], len(series)], strict=True):
        day = slice(first, after)
        volume = series.volume[day]
        averages = talib.VWAP(series.high[day], series.low[day], series.close[day], volume)
        values[day] = np.where(np.cumsum(volume) > 0, averages, np.nan)
    return [values]


def _of_close(name: str) -> Callable[[ModuleType, Series, Parameters], list[Array]]:
    return lambda talib, series, given: [getattr(talib, name)(series.close, *map(int, given))]


def _of_range(name: str) -> Callable[[ModuleType, Series, Parameters], list[Array]]:
    return lambda talib, series, given: [getattr(talib, name)(series.high, series.low, series.close, *map(int, given))]


# By exact sums -----------------------------------------------------------------------------------------------------


def _windowed(values: Array, period: int, say: Callable[[list[float]], float], at: Places) -> Array:
    """`say` of the window of `period` values that ends at each of the places `at`; NaN elsewhere and in warm-up."""
    said = np.full(len(values), np.nan)
    numbers: list[float] = values.tolist()
    for last in at:
        if last >= period - 1:
            said[last] = say(numbers[last + 1 - period : last + 1])
    return said


def _mean(window: list[float]) -> float:
    return math.fsum(window) / len(window)


def _highest(window: list[float]) -> float:
    return max(window)


def _lowest(window: list[float]) -> float:
    return min(window)


def _exact_sma(series: Series, given: Parameters, at: Places) -> list[Array]:
    return [_windowed(series.close, int(given[0]), _mean, at)]


def _exact_wma(series: Series, given: Parameters, at: Places) -> list[Array]:
    period = int(given[0])

    def weighted(window: list[float]) -> float:
        return float(sum(Fraction(price) * weight for weight, price in enumerate(window, 1)) / (period * (period + 1) // 2))

    return [_windowed(series.close, period, weighted, at)]


def _deviation(window: list[float]) -> float:
    mean = sum(map(Fraction, window)) / len(window)
    return math.sqrt(sum((Fraction(price) - mean) ** 2 for price in window) / len(window))


def _exact_bbands(series: Series, given: Parameters, at: Places) -> list[Array]:
    middle = _windowed(series.close, int(given[0]), _mean, at)
    reach = given[1] * _windowed(series.close, int(given[0]), _deviation, at)
    return [middle + reach, middle, middle - reach]


def _exact_stoch(series: Series, given: Parameters, at: Places) -> list[Array]:
    period, k_period, d_period = map(int, given)
    everywhere = range(len(series))
    highest, lowest = _windowed(series.high, period, _highest, everywhere), _windowed(series.low, period, _lowest, everywhere)
    reach = highest - lowest
    raw = np.where(reach == 0, 0.0, 100.0 * (series.close - lowest) / np.where(reach == 0, 1.0, reach))
    k = _windowed(raw, k_period, _mean, everywhere)
    return [k, _windowed(k, d_period, _mean, everywhere)]


def _exact_cci(series: Series, given: Parameters, at: Places) -> list[Array]:
    def index(window: list[float]) -> float:
        mean = sum(map(Fraction, window), Fraction(0)) / len(window)
        deviation = sum([abs(Fraction(price) - mean) for price in window], Fraction(0)) / len(window)
        return float((Fraction(window[-1]) - mean) / (Fraction(15, 1000) * deviation)) if deviation else 0.0

    return [_windowed(series.typical, int(given[0]), index, at)]


def _exact_obv(series: Series, given: Parameters, at: Places) -> list[Array]:
    balance, last, balances = Fraction(0), 0.0, []
    for close, volume in zip(series.close.tolist(), series.volume.tolist(), strict=True):
        balance += Fraction(volume) * (int(close > last) - int(close < last))
        last = close
        balances.append(float(balance))
    return [np.array(balances)]


def _period(given: Parameters) -> int:
    return int(given[0])


_RANGE = ("high", "low", "close")
_CATALOG: dict[str, Entry] = {
    "sma": Entry((20,), (), _of_close("SMA"), _period, exact=_exact_sma),
    "ema": Entry((20,), (), _of_close("EMA")),
    "wma": Entry((20,), (), _of_close("WMA"), _period, exact=_exact_wma),
    "rsi": Entry((14,), (), _of_close("RSI")),
    "macd": Entry((12, 26, 9), ("macd", "signal", "histogram"), _macd),
    "bbands": Entry((20, 2.0), ("upper", "middle", "lower"), _bbands, _period, exact=_exact_bbands),
    "atr": Entry((14,), (), _of_range("ATR"), inputs=_RANGE),
    "stoch": Entry((14, 3, 3), ("k", "d"), _stoch, lambda given: int(sum(given)) - 2, _RANGE, _exact_stoch),
    "adx": Entry((14,), ("adx", "plus_di", "minus_di"), _adx, inputs=_RANGE),
    "cci": Entry((20,), (), _of_range("CCI"), _period, _RANGE, _exact_cci),
    "obv": Entry((), (), lambda talib, series, given: [talib.OBV(series.close, series.volume)], inputs=("volume",), exact=_exact_obv),
    "willr": Entry((14,), (), _of_range("WILLR"), _period, _RANGE),
    "roc": Entry((10,), (), _of_close("ROC"), lambda given: int(given[0]) + 1),
    "vwap": Entry((), (), _vwap, inputs=_RANGE),
}
