"""The volume-weighted average price of a day, from bars."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from udfs.frames import DAY_MS
from udfs.model import Bar

VwapState: TypeAlias = tuple[int | None, float, float]
"""UTC day number of the last bar, None before the first; turnover and volume of that day so far."""


@dataclass(frozen=True, slots=True)
class Vwap:
    """Volume-weighted average of the typical price (high + low + close) / 3 since the start of the UTC day; price units.

    TA-Lib's VWAP over the bars of one day. None while the day has no volume: there is no average yet (TA-Lib says 0).
    The field `vwap` of a bar is another thing: it weighs the trades of that bar.
    """

    outputs: ClassVar[tuple[str, ...]] = ()
    pane: ClassVar[str] = "price"
    levels: ClassVar[tuple[float, ...]] = ()

    @property
    def bars_needed(self) -> int:
        return 1

    def initial(self) -> VwapState:
        return None, 0.0, 0.0

    def step(self, state: VwapState, bar: Bar) -> tuple[VwapState, float | None]:
        day, turnover, volume = state
        today = bar.start_ms // DAY_MS
        if today != day:
            turnover = volume = 0.0
        turnover += (bar.high + bar.low + bar.close) / 3.0 * bar.volume
        volume += bar.volume
        return (today, turnover, volume), turnover / volume if volume > 0.0 else None
