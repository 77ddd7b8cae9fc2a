"""On-balance volume."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from udfs.model import Bar

ObvState: TypeAlias = tuple[float | None, float]
"""Last close, None before the first bar; the balance."""


@dataclass(frozen=True, slots=True)
class Obv:
    """On-balance volume: the volume of rising closes less that of falling ones, in volume units.

    Granville (1963), as TA-Lib's OBV: it starts with the first bar's volume; an equal close adds nothing.
    """

    outputs: ClassVar[tuple[str, ...]] = ()
    pane: ClassVar[str] = "own"
    levels: ClassVar[tuple[float, ...]] = ()

    @property
    def bars_needed(self) -> int:
        return 1

    def initial(self) -> ObvState:
        return None, 0.0

    def step(self, state: ObvState, bar: Bar) -> tuple[ObvState, float]:
        last, balance = state
        close = bar.close
        if last is None or close > last:
            balance += bar.volume
        elif close < last:
            balance -= bar.volume
        return (close, balance), balance
