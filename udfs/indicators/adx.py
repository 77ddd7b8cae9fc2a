"""The average directional index with its two directional indicators."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from udfs.indicators.parameters import require_period
from udfs.model import Bar

AdxState: TypeAlias = tuple[int, float, float, float, float, float, float, float]
"""Bars folded, at most 2 * `period`; last high, low and close; Wilder sums of plus and minus directional movement and of
the true range; the sum of DX during warm-up, ADX after it."""
NEGLIGIBLE_DI = 1e-14
"""+DI and -DI together below this (percent): there is no direction to speak of, as in TA-Lib."""


@dataclass(frozen=True, slots=True)
class Adx:
    """Average directional index and the +DI and -DI it is made of, each 0 to 100.

    Wilder, New Concepts in Technical Trading Systems (1978), unrounded, as in TA-Lib's ADX, PLUS_DI and MINUS_DI: the
    sums start with `period` - 1 movements, ADX with the mean of the first `period` DX. The three come together, at ADX's
    first bar. While nothing has a range the DI are 0 and ADX stays where it was.
    """

    outputs: ClassVar[tuple[str, ...]] = ("adx", "plus_di", "minus_di")
    pane: ClassVar[str] = "own"
    levels: ClassVar[tuple[float, ...]] = (25.0,)

    period: int = 14

    def __post_init__(self) -> None:
        require_period("adx", self.period, least=2)

    @property
    def bars_needed(self) -> int:
        return 2 * self.period

    def initial(self) -> AdxState:
        return 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0

    def step(self, state: AdxState, bar: Bar) -> tuple[AdxState, tuple[float, float, float] | None]:
        count, last_high, last_low, last_close, plus, minus, ranges, adx = state
        period = self.period
        high = bar.high
        low = bar.low
        if count == 0:
            return (1, high, low, bar.close, 0.0, 0.0, 0.0, 0.0), None
        if count >= period:
            plus -= plus / period
            minus -= minus / period
            ranges -= ranges / period
        up = high - last_high
        down = last_low - low
        if down > 0.0 and down > up:
            minus += down
        elif up > 0.0 and up > down:
            plus += up
        ranges += (high if high > last_close else last_close) - (low if low < last_close else last_close)
        if count < period:
            return (count + 1, high, low, bar.close, plus, minus, ranges, 0.0), None

        plus_di = minus_di = 0.0
        if ranges > 0.0:
            plus_di = 100.0 * (plus / ranges)
            minus_di = 100.0 * (minus / ranges)
        both = plus_di + minus_di
        moved = both >= NEGLIGIBLE_DI
        dx = 100.0 * (abs(minus_di - plus_di) / both) if moved else 0.0
        if count == 2 * period:
            if moved:
                adx = (adx * (period - 1) + dx) / period
        else:
            adx += dx
            count += 1
            if count < 2 * period:
                return (count, high, low, bar.close, plus, minus, ranges, adx), None
            adx /= period
        return (count, high, low, bar.close, plus, minus, ranges, adx), (adx, plus_di, minus_di)
