"""The average true range."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from udfs.indicators.parameters import require_period
from udfs.model import Bar

AtrState: TypeAlias = tuple[int, float, float]
"""Bars folded, at most `period` + 1; last close; the sum of true ranges during warm-up, their Wilder average after it."""


@dataclass(frozen=True, slots=True)
class Atr:
    """Average true range: how far a bar reaches, the gap from the last close included, Wilder-smoothed; in price units.

    Wilder, New Concepts in Technical Trading Systems (1978), as in TA-Lib's ATR: seeded with the mean of the first
    `period` true ranges, the first of which is the second bar's.
    """

    outputs: ClassVar[tuple[str, ...]] = ()
    pane: ClassVar[str] = "own"
    levels: ClassVar[tuple[float, ...]] = ()

    period: int = 14

    def __post_init__(self) -> None:
        require_period("atr", self.period)

    @property
    def bars_needed(self) -> int:
        return self.period + 1

    def initial(self) -> AtrState:
        return 0, 0.0, 0.0

    def step(self, state: AtrState, bar: Bar) -> tuple[AtrState, float | None]:
        count, last, average = state
        if count == 0:
            return (1, bar.close, 0.0), None
        period = self.period
        high = bar.high
        low = bar.low
        true_range = (high if high > last else last) - (low if low < last else last)
        if count > period:
            average = (average * (period - 1) + true_range) / period
            return (count, bar.close, average), average
        average += true_range
        if count < period:
            return (count + 1, bar.close, average), None
        average /= period
        return (count + 1, bar.close, average), average
