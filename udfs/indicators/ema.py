"""The exponential moving average."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from udfs.indicators.parameters import require_period
from udfs.model import Bar

EmaState: TypeAlias = tuple[int, float]
"""Bars folded, at most `period`; then the sum of the closes during warm-up, the average after it."""


@dataclass(frozen=True, slots=True)
class Ema:
    """Exponential moving average of the close, seeded with the mean of the first `period` closes, in price units.

    TA-Lib's EMA in its default compatibility: the newest close weighs 2 / (period + 1).
    """

    outputs: ClassVar[tuple[str, ...]] = ()
    pane: ClassVar[str] = "price"
    levels: ClassVar[tuple[float, ...]] = ()

    period: int = 20

    def __post_init__(self) -> None:
        require_period("ema", self.period)

    @property
    def bars_needed(self) -> int:
        return self.period

    def initial(self) -> EmaState:
        return 0, 0.0

    def step(self, state: EmaState, bar: Bar) -> tuple[EmaState, float | None]:
        count, average = state
        period = self.period
        if count == period:
            average = (bar.close - average) * (2.0 / (period + 1)) + average
            return (count, average), average
        total = average + bar.close
        count += 1
        if count < period:
            return (count, total), None
        return (count, total / period), total / period
