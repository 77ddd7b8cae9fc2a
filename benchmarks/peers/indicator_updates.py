"""Times one update of each default indicator: ours, talipp's and TA-Lib's stream handle. Runs in an environment of its own.

`python -m benchmarks.peers.indicator_updates BARS` writes a JSON list: spec, nanoseconds of each, whether the last values agree.
"""

import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson
from talib import stream
from talipp import indicators as talipp
from talipp.ohlcv import OHLCV

from udfs.indicators import parse_spec
from udfs.model import Bar

HISTORY = 250
"""Bars a TA-Lib handle is opened on before it is timed."""
ROUNDS = 3
ALIKE = 1e-6


class Rival(NamedTuple):
    """The same indicator elsewhere; None where there is none."""

    talipp: Callable[[], Any] | None
    takes_bars: bool
    """Whether talipp's takes whole bars, not closes."""
    talib: type[Any]
    columns: str
    """What TA-Lib's takes of a bar, by initials."""
    parameters: tuple[float, ...]


RIVALS = {
    "sma(20)": Rival(lambda: talipp.SMA(20), False, stream.SMA, "c", (20,)),
    "ema(20)": Rival(lambda: talipp.EMA(20), False, stream.EMA, "c", (20,)),
    "wma(20)": Rival(lambda: talipp.WMA(20), False, stream.WMA, "c", (20,)),
    "rsi(14)": Rival(lambda: talipp.RSI(14), False, stream.RSI, "c", (14,)),
    "macd(12,26,9)": Rival(lambda: talipp.MACD(12, 26, 9), False, stream.MACD, "c", (12, 26, 9)),
    "bbands(20,2)": Rival(lambda: talipp.BB(20, 2), False, stream.BBANDS, "c", (20, 2.0, 2.0)),
    "atr(14)": Rival(lambda: talipp.ATR(14), True, stream.ATR, "hlc", (14,)),
    "stoch(14,3,3)": Rival(None, True, stream.STOCH, "hlc", (14, 3, 0, 3, 0)),
    "adx(14)": Rival(lambda: talipp.ADX(14, 14), True, stream.ADX, "hlc", (14,)),
    "cci(20)": Rival(lambda: talipp.CCI(20), True, stream.CCI, "hlc", (20,)),
    "obv()": Rival(lambda: talipp.OBV(), True, stream.OBV, "cv", ()),
    "willr(14)": Rival(lambda: talipp.Williams(14), True, stream.WILLR, "hlc", (14,)),
    "roc(10)": Rival(lambda: talipp.ROC(10), False, stream.ROC, "c", (10,)),
    "vwap()": Rival(lambda: talipp.VWAP(), True, stream.VWAP, "hlcv", ()),
}
FIELDS = {"h": "high", "l": "low", "c": "close", "v": "volume"}


class Timed(NamedTuple):
    """Nanoseconds an update, and the newest value (of several outputs the first)."""

    ns: float
    value: float


def walk(count: int) -> list[Bar]:
    """Bars of a random walk, close enough together for all of them to lie in one day."""
    rng = np.random.default_rng(1)
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.002, count)))
    opens = np.concatenate([[100.0], closes[:-1]])
    highs = np.maximum(opens, closes) * (1 + rng.uniform(0, 0.002, count))
    lows = np.minimum(opens, closes) * (1 - rng.uniform(0, 0.002, count))
    rows = zip(opens, highs, lows, closes, rng.integers(1, 1_000, count) * 100.0, strict=True)
    return [Bar(number * 1_000, *map(float, row)) for number, row in enumerate(rows)]


def ours(spec: str, bars: Sequence[Bar]) -> Timed:
    indicator = parse_spec(spec)
    state, value = indicator.initial(), None
    begun_ns = time.perf_counter_ns()
    for bar in bars:
        state, value = indicator.step(state, bar)
    return Timed((time.perf_counter_ns() - begun_ns) / len(bars), first_number(value))


def by_talipp(rival: Rival, bars: Sequence[Bar]) -> Timed | None:
    if rival.talipp is None:
        return None
    inputs = [OHLCV(bar.open, bar.high, bar.low, bar.close, bar.volume) if rival.takes_bars else bar.close for bar in bars]
    indicator = rival.talipp()
    begun_ns = time.perf_counter_ns()
    for each in inputs:
        indicator.add(each)
    return Timed((time.perf_counter_ns() - begun_ns) / len(bars), first_number(indicator[-1]))


def by_talib(rival: Rival, bars: Sequence[Bar]) -> Timed:
    inputs = [tuple(getattr(bar, FIELDS[initial]) for initial in rival.columns) for bar in bars]
    history = (np.array(column) for column in zip(*inputs[:HISTORY], strict=True))
    handle = rival.talib(*history, *rival.parameters)
    begun_ns = time.perf_counter_ns()
    for each in inputs[HISTORY:]:
        handle.update(*each)
    return Timed((time.perf_counter_ns() - begun_ns) / (len(bars) - HISTORY), first_number(handle.value))


def first_number(value: Any) -> float:
    if isinstance(value, tuple):
        return float(value[0])
    named = (getattr(value, name) for name in ("macd", "ub", "adx", "k") if hasattr(value, name))
    return float(next(named, value))


def row(spec: str, rival: Rival, bars: Sequence[Bar]) -> dict[str, object]:
    """The least of the rounds of each, taken in turn."""
    rounds = [(ours(spec, bars), by_talipp(rival, bars), by_talib(rival, bars)) for _ in range(ROUNDS)]
    best = [min((timed for timed in column if timed), key=lambda timed: timed.ns, default=None) for column in zip(*rounds, strict=True)]
    mine, others = best[0], [timed for timed in best[1:] if timed]
    equal = all(math.isclose(mine.value, other.value, rel_tol=ALIKE) for other in others)
    ns = [timed and timed.ns for timed in best]
    return {"spec": spec, "ours_ns": ns[0], "talipp_ns": ns[1], "talib_ns": ns[2], "equal": "yes" if equal else "no"}


if __name__ == "__main__":
    data = walk(int(sys.argv[1]))
    sys.stdout.buffer.write(orjson.dumps([row(spec, rival, data) for spec, rival in RIVALS.items()]))
