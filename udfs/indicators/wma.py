"""The linearly weighted moving average."""

from dataclasses import dataclass, field
from math import fsum
from operator import mul
from typing import ClassVar, TypeAlias

from udfs.indicators.parameters import require_period
from udfs.model import Bar

WmaState: TypeAlias = tuple[float, ...]
"""The last `period` closes, oldest first; fewer during warm-up."""


@dataclass(frozen=True, slots=True)
class Wma:
    """Weighted moving average of the last `period` closes with weights 1, 2, ... period, the newest most; in price units.

    TA-Lib's WMA, but summed exactly over the window at each bar, so that an old spike leaves nothing behind.
    """

    outputs: ClassVar[tuple[str, ...]] = ()
    pane: ClassVar[str] = "price"
    levels: ClassVar[tuple[float, ...]] = ()

    period: int = 20
    _weights: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_period("wma", self.period)
        object.__setattr__(self, "_weights", tuple(float(weight) for weight in range(1, self.period + 1)))

    @property
    def bars_needed(self) -> int:
        return self.period

    def initial(self) -> WmaState:
        return ()

    def step(self, state: WmaState, bar: Bar) -> tuple[WmaState, float | None]:
        period = self.period
        if len(state) == period:
            state = state[1:]
        window = (*state, bar.close)
        if len(window) < period:
            return window, None
        return window, fsum(map(mul, window, self._weights)) / (period * (period + 1) / 2)
