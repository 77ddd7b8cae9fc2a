"""Bollinger bands."""

from dataclasses import dataclass
from math import dist, fsum, sqrt
from typing import ClassVar, TypeAlias

from udfs.indicators.parameters import ROUNDING, require_factor, require_period
from udfs.model import Bar

BbandsState: TypeAlias = tuple[float, ...]
"""The last `period` closes, oldest first; fewer during warm-up."""


@dataclass(frozen=True, slots=True)
class Bbands:
    """Bollinger bands: the mean of the last `period` closes, and `deviations` population standard deviations around it.

    Bollinger on Bollinger Bands (2001), as TA-Lib's BBANDS with a simple average, but computed from the window at each
    bar, without running sums. All three in price units; equal to each other when all closes in the window are equal.
    """

    outputs: ClassVar[tuple[str, ...]] = ("upper", "middle", "lower")
    pane: ClassVar[str] = "price"
    levels: ClassVar[tuple[float, ...]] = ()

    period: int = 20
    deviations: float = 2.0

    def __post_init__(self) -> None:
        require_period("bbands", self.period, least=2)
        require_factor("bbands", self.deviations)

    @property
    def bars_needed(self) -> int:
        return self.period

    def initial(self) -> BbandsState:
        return ()

    def step(self, state: BbandsState, bar: Bar) -> tuple[BbandsState, tuple[float, float, float] | None]:
        period = self.period
        if len(state) == period:
            state = state[1:]
        window = (*state, bar.close)
        if len(window) < period:
            return window, None
        middle = fsum(window) / period
        spread = dist(window, (middle,) * period)
        if spread <= ROUNDING * period * abs(middle) and window.count(bar.close) == period:
            return window, (middle, middle, middle)
        width = self.deviations * (spread / sqrt(period))
        return window, (middle + width, middle, middle - width)
