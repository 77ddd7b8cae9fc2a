"""calculate(): the job's own indicators over arrays of bars, for Python without Kafka, Flink or Java."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from udfs.errors import BarsError
from udfs.indicators import parse_spec
from udfs.indicators.base import Indicator
from udfs.model import Bar

Floats: TypeAlias = NDArray[np.float64]
Bars: TypeAlias = NDArray[np.void] | Mapping[str, ArrayLike]
"""A structured array, or anything with a column by each name: a dict of arrays or lists, a pandas data frame."""

PRICES = ("open", "high", "low", "close")
COLUMNS = (*PRICES, "volume")


def calculate(bars: Bars, indicators: Mapping[str, str]) -> dict[str, Floats | dict[str, Floats]]:
    """What each indicator says of each of `bars`, as the job would: label -> one value a bar.

    `bars` has columns `open`, `high`, `low`, `close` (in the tape's units), `volume`, and if there is one `start`: the
    beginning of each bar, as datetime64 or epoch milliseconds (UTC), rising. All are one-dimensional and equally long, of
    one symbol and one time frame, oldest first. Only `vwap` and indicators of your own ask for `start`; without it all
    bars are of one day. A bar with NaN for a price has no prices: it is not folded, and its values are NaN.

    `indicators` maps labels of your choice to specs, `{"RSI": "rsi(14)", "Mine": "mypkg.mine:Mine(3)"}`. The answer has
    for each label a float64 array as long as `bars`, NaN while there is no value yet; for an indicator with several
    outputs a dict of such arrays by the output's name. Nothing given is changed.

    Raises BarsError for columns that are missing, no numbers, or do not fit together; SpecError for a wrong spec.
    """
    parsed = {label: parse_spec(spec) for label, spec in indicators.items()}
    folded = list(_bars_of(bars))
    return {label: _values(indicator, folded) for label, indicator in parsed.items()}


def _values(indicator: Indicator, bars: Sequence[Bar | None]) -> Floats | dict[str, Floats]:
    values = np.full((max(1, len(indicator.outputs)), len(bars)), np.nan)
    state = indicator.initial()
    for place, bar in enumerate(bars):
        if bar is not None:
            state, value = indicator.step(state, bar)
            if value is not None:
                values[:, place] = value
    return dict(zip(indicator.outputs, values, strict=True)) if indicator.outputs else values[0]


def _bars_of(bars: Bars) -> Iterator[Bar | None]:
    """Each bar as an indicator takes it; None for one without prices."""
    columns = [_column(bars, name) for name in COLUMNS]
    starts = _starts(bars, len(columns[0]))
    for name, column in zip(COLUMNS, columns, strict=True):
        _check(name, column, len(starts))
    priced = ~np.isnan(np.sum(columns[: len(PRICES)], axis=0))
    for start_ms, has_prices, *numbers in zip(starts.tolist(), priced.tolist(), *(column.tolist() for column in columns), strict=True):
        yield Bar(start_ms, *numbers) if has_prices else None


def _column(bars: Bars, name: str) -> Floats:
    try:
        return np.asarray(_raw(bars, name), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BarsError(name, f"expected numbers: {error}") from error


def _raw(bars: Bars, name: str) -> ArrayLike:
    if name not in _names(bars):
        raise BarsError(name, f"is missing; there are: {', '.join(map(str, _names(bars)))}")
    return bars[name]


def _names(bars: Bars) -> Sequence[str]:
    if isinstance(bars, np.ndarray):
        return bars.dtype.names or ()
    return list(bars.keys())


def _starts(bars: Bars, count: int) -> NDArray[np.int64]:
    if "start" not in _names(bars):
        return np.zeros(count, dtype=np.int64)
    starts = np.asarray(_raw(bars, "start"))
    if np.issubdtype(starts.dtype, np.datetime64):
        starts = starts.astype("datetime64[ms]").astype(np.int64)
    if starts.shape != (count,) or not np.issubdtype(starts.dtype, np.integer):
        raise BarsError("start", f"expected {count} times, as datetime64 or epoch milliseconds")
    if np.any(np.diff(starts) <= 0):
        raise BarsError("start", f"bar {int(np.argmax(np.diff(starts) <= 0)) + 1} does not begin after the one before it")
    return starts.astype(np.int64)


def _check(name: str, column: Floats, count: int) -> None:
    if column.shape != (count,):
        raise BarsError(name, f"expected one number for each of {count} bars, got an array of shape {column.shape}")
    wrong = np.isinf(column) | (column < 0) | (np.isnan(column) & (name == "volume"))
    if wrong.any():
        place = int(np.argmax(wrong))
        raise BarsError(name, f"bar {place} has {column[place]}: expected a finite number from 0")
