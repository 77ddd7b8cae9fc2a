"""The relative strength index."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from udfs.indicators.parameters import require_period
from udfs.model import Bar

RsiState: TypeAlias = tuple[int, float, float, float]
"""Bars folded, at most `period` + 1; last close; gain and loss: sums during warm-up, Wilder averages after it."""


@dataclass(frozen=True, slots=True)
class Rsi:
    """Relative strength index of the close, 0 to 100: 100 * gain / (gain + loss) of Wilder-smoothed moves.

    Wilder, New Concepts in Technical Trading Systems (1978), as in TA-Lib's RSI: seeded with the means of the first
    `period` gains and losses. 0 when there is neither gain nor loss, as TA-Lib 0.8 says.
    """

    outputs: ClassVar[tuple[str, ...]] = ()
    pane: ClassVar[str] = "own"
    levels: ClassVar[tuple[float, ...]] = (30.0, 70.0)

    period: int = 14

    def __post_init__(self) -> None:
        require_period("rsi", self.period, least=2)

    @property
    def bars_needed(self) -> int:
        return self.period + 1

    def initial(self) -> RsiState:
        return 0, 0.0, 0.0, 0.0

    def step(self, state: RsiState, bar: Bar) -> tuple[RsiState, float | None]:
        count, last, gain, loss = state
        period = self.period
        close = bar.close
        if count == 0:
            return (1, close, 0.0, 0.0), None
        move = close - last
        if count > period:
            gain *= period - 1
            loss *= period - 1
        else:
            count += 1
        if move < 0.0:
            loss -= move
        else:
            gain += move
        if count <= period:
            return (count, close, gain, loss), None
        gain *= 1.0 / period
        loss *= 1.0 / period
        total = gain + loss
        return (count, close, gain, loss), 100.0 * (gain / total) if total > 0.0 else 0.0
