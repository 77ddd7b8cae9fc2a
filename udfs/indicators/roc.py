"""The rate of change."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from udfs.indicators.parameters import require_period
from udfs.model import Bar

RocState: TypeAlias = tuple[float, ...]
"""The last `period` closes, oldest first; fewer during warm-up."""


@dataclass(frozen=True, slots=True)
class Roc:
    """Rate of change: the close against the close `period` bars before, in percent. TA-Lib's ROC."""

    outputs: ClassVar[tuple[str, ...]] = ()
    pane: ClassVar[str] = "own"
    levels: ClassVar[tuple[float, ...]] = (0.0,)

    period: int = 10

    def __post_init__(self) -> None:
        require_period("roc", self.period)

    @property
    def bars_needed(self) -> int:
        return self.period + 1

    def initial(self) -> RocState:
        return ()

    def step(self, state: RocState, bar: Bar) -> tuple[RocState, float | None]:
        close = bar.close
        if len(state) < self.period:
            return (*state, close), None
        before = state[0]
        return (*state[1:], close), (close / before - 1.0) * 100.0 if before else 0.0
