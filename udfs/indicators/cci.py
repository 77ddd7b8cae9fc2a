"""The commodity channel index."""

from dataclasses import dataclass
from math import fsum
from typing import ClassVar, TypeAlias

from udfs.indicators.parameters import ROUNDING, require_period
from udfs.model import Bar

CciState: TypeAlias = tuple[float, ...]
"""The last `period` typical prices, oldest first; fewer during warm-up."""


@dataclass(frozen=True, slots=True)
class Cci:
    """Commodity channel index: how many mean deviations (times 0.015) the typical price is from its mean; no unit.

    Lambert (1980), as TA-Lib's CCI: typical price (high + low + close) / 3, mean and mean absolute deviation over the
    last `period` bars. 0 when all typical prices in the window are equal.
    """

    outputs: ClassVar[tuple[str, ...]] = ()
    pane: ClassVar[str] = "own"
    levels: ClassVar[tuple[float, ...]] = (-100.0, 100.0)

    period: int = 20

    def __post_init__(self) -> None:
        require_period("cci", self.period, least=2)

    @property
    def bars_needed(self) -> int:
        return self.period

    def initial(self) -> CciState:
        return ()

    def step(self, state: CciState, bar: Bar) -> tuple[CciState, float | None]:
        period = self.period
        if len(state) == period:
            state = state[1:]
        typical = (bar.high + bar.low + bar.close) / 3.0
        window = (*state, typical)
        if len(window) < period:
            return window, None
        mean = fsum(window) / period
        spread = fsum([abs(price - mean) for price in window])
        if spread <= ROUNDING * period * abs(mean) and window.count(typical) == period:
            return window, 0.0
        return window, (typical - mean) / (0.015 * (spread / period))
