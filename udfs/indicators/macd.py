"""The moving average convergence/divergence."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from udfs.errors import SpecError
from udfs.indicators.parameters import require_period
from udfs.model import Bar

MacdState: TypeAlias = tuple[int, float, float, float]
"""Bars folded, at most `bars_needed`; fast, slow and signal: sums while each is being seeded, averages after that."""


@dataclass(frozen=True, slots=True)
class Macd:
    """Fast minus slow exponential average of the close, its own exponential average `signal`, and their difference.

    TA-Lib's MACD: every average is seeded with a simple mean, the fast one with the last `fast_period` closes of the
    slow one's seed, the signal with the first `signal_period` MACD values. All three in price units, all at once.
    """

    outputs: ClassVar[tuple[str, ...]] = ("macd", "signal", "histogram")
    pane: ClassVar[str] = "own"
    levels: ClassVar[tuple[float, ...]] = (0.0,)

    fast_period: int = 12
    slow_period: int = 26
    signal_period: int = 9

    def __post_init__(self) -> None:
        require_period("macd", self.fast_period, least=2)
        require_period("macd", self.slow_period, least=2)
        require_period("macd", self.signal_period)
        if self.fast_period >= self.slow_period:
            raise SpecError("macd", f"the fast period ({self.fast_period}) must be below the slow one ({self.slow_period})")

    @property
    def bars_needed(self) -> int:
        return self.slow_period + self.signal_period - 1

    def initial(self) -> MacdState:
        return 0, 0.0, 0.0, 0.0

    def step(self, state: MacdState, bar: Bar) -> tuple[MacdState, tuple[float, float, float] | None]:
        count, fast, slow, signal = state
        if count < self.slow_period + self.signal_period - 1:
            return self._warm_up(state, bar.close)
        close = bar.close
        fast = (close - fast) * (2.0 / (self.fast_period + 1)) + fast
        slow = (close - slow) * (2.0 / (self.slow_period + 1)) + slow
        macd = fast - slow
        signal = (macd - signal) * (2.0 / (self.signal_period + 1)) + signal
        return (count, fast, slow, signal), (macd, signal, macd - signal)

    def _warm_up(self, state: MacdState, close: float) -> tuple[MacdState, tuple[float, float, float] | None]:
        count, fast, slow, signal = state
        count += 1
        if count <= self.slow_period:
            fast, slow = self._seed_averages(count, fast, slow, close)
        else:
            fast = (close - fast) * (2.0 / (self.fast_period + 1)) + fast
            slow = (close - slow) * (2.0 / (self.slow_period + 1)) + slow
        if count < self.slow_period:
            return (count, fast, slow, 0.0), None
        macd = fast - slow
        signal += macd
        if count < self.bars_needed:
            return (count, fast, slow, signal), None
        signal /= self.signal_period
        return (count, fast, slow, signal), (macd, signal, macd - signal)

    def _seed_averages(self, count: int, fast: float, slow: float, close: float) -> tuple[float, float]:
        slow += close
        if count > self.slow_period - self.fast_period:
            fast += close
        if count == self.slow_period:
            return fast / self.fast_period, slow / self.slow_period
        return fast, slow
