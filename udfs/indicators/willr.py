"""Williams' %R."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from udfs.indicators.parameters import require_period
from udfs.model import Bar

Window: TypeAlias = tuple[float, ...]
WillrState: TypeAlias = tuple[Window, Window]
"""Windows, oldest first: the last `period` highs and lows."""


@dataclass(frozen=True, slots=True)
class Willr:
    """Williams' %R: how far the close is below the highest high of `period` bars, in percent of their range, -100 to 0.

    Williams (1973), as TA-Lib's WILLR. 0 when the highest high is the lowest low.
    """

    outputs: ClassVar[tuple[str, ...]] = ()
    pane: ClassVar[str] = "own"
    levels: ClassVar[tuple[float, ...]] = (-80.0, -20.0)

    period: int = 14

    def __post_init__(self) -> None:
        require_period("willr", self.period, least=2)

    @property
    def bars_needed(self) -> int:
        return self.period

    def initial(self) -> WillrState:
        return (), ()

    def step(self, state: WillrState, bar: Bar) -> tuple[WillrState, float | None]:
        highs, lows = state
        if len(highs) == self.period:
            highs = highs[1:]
            lows = lows[1:]
        highs = (*highs, bar.high)
        lows = (*lows, bar.low)
        if len(highs) < self.period:
            return (highs, lows), None
        highest = max(highs)
        reach = highest - min(lows)
        return (highs, lows), 100.0 * ((bar.close - highest) / reach) if reach > 0.0 else 0.0
