"""The stochastic oscillator."""

from dataclasses import dataclass
from math import fsum
from typing import ClassVar, TypeAlias

from udfs.indicators.parameters import require_period
from udfs.model import Bar

Window: TypeAlias = tuple[float, ...]
StochState: TypeAlias = tuple[Window, Window, Window, Window]
"""Windows, oldest first: `period` highs, `period` lows, `k_period` raw %K, `d_period` smoothed %K."""


@dataclass(frozen=True, slots=True)
class Stoch:
    """Slow stochastic: where the close lies between the lowest low and the highest high of `period` bars, 0 to 100.

    Lane's oscillator as TA-Lib's STOCH with simple averages: `k` is the mean of the last `k_period` raw values, `d` the
    mean of the last `d_period` of `k`. The raw value is 0 when the highest high is the lowest low. Both come at once.
    `period` is 14 by default, the length in common use (TA-Lib's own default is 5).
    """

    outputs: ClassVar[tuple[str, ...]] = ("k", "d")
    pane: ClassVar[str] = "own"
    levels: ClassVar[tuple[float, ...]] = (20.0, 80.0)

    period: int = 14
    k_period: int = 3
    d_period: int = 3

    def __post_init__(self) -> None:
        require_period("stoch", self.period)
        require_period("stoch", self.k_period)
        require_period("stoch", self.d_period)

    @property
    def bars_needed(self) -> int:
        return self.period + self.k_period + self.d_period - 2

    def initial(self) -> StochState:
        return (), (), (), ()

    def step(self, state: StochState, bar: Bar) -> tuple[StochState, tuple[float, float] | None]:
        highs, lows, raws, ks = state
        if len(highs) == self.period:
            highs = highs[1:]
            lows = lows[1:]
        highs = (*highs, bar.high)
        lows = (*lows, bar.low)
        if len(highs) < self.period:
            return (highs, lows, raws, ks), None

        lowest = min(lows)
        unit = (max(highs) - lowest) / 100.0
        if len(raws) == self.k_period:
            raws = raws[1:]
        raws = (*raws, (bar.close - lowest) / unit if unit > 0.0 else 0.0)
        if len(raws) < self.k_period:
            return (highs, lows, raws, ks), None

        k = fsum(raws) / self.k_period
        if len(ks) == self.d_period:
            ks = ks[1:]
        ks = (*ks, k)
        if len(ks) < self.d_period:
            return (highs, lows, raws, ks), None
        return (highs, lows, raws, ks), (k, fsum(ks) / self.d_period)
