"""The simple moving average."""

from dataclasses import dataclass
from math import fsum
from typing import ClassVar, TypeAlias

from udfs.indicators.parameters import require_period
from udfs.model import Bar

SmaState: TypeAlias = tuple[float, ...]
"""The last `period` closes, oldest first; fewer during warm-up."""


@dataclass(frozen=True, slots=True)
class Sma:
    """Simple moving average: the mean of the last `period` closes, in price units.

    TA-Lib's SMA, but summed exactly over the window at each bar, so that an old spike leaves nothing behind.
    """

    outputs: ClassVar[tuple[str, ...]] = ()
    pane: ClassVar[str] = "price"
    levels: ClassVar[tuple[float, ...]] = ()

    period: int = 20

    def __post_init__(self) -> None:
        require_period("sma", self.period)

    @property
    def bars_needed(self) -> int:
        return self.period

    def initial(self) -> SmaState:
        return ()

    def step(self, state: SmaState, bar: Bar) -> tuple[SmaState, float | None]:
        period = self.period
        if len(state) == period:
            state = state[1:]
        window = (*state, bar.close)
        if len(window) < period:
            return window, None
        return window, fsum(window) / period
