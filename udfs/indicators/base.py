"""What an indicator is: a fold over a symbol's bars, with a state of plain numbers."""

from typing import Any, ClassVar, Protocol, TypeAlias

from udfs.model import Bar

State: TypeAlias = tuple[Any, ...]
"""Numbers, None, and tuples of them: nothing else, since it is kept in savepoints."""
Step: TypeAlias = float | tuple[float, ...] | None
"""One value, or one for each of `outputs` in their order; None while there is no value (yet)."""


class Indicator(Protocol):
    """A fold `step(state, bar) -> (state, value)`: pure, never raising on a bar, never giving NaN or infinity.

    An indicator is a frozen, slotted dataclass whose fields are its parameters: positional, numbers, with defaults;
    `__post_init__` raises SpecError for parameters out of range.
    """

    outputs: ClassVar[tuple[str, ...]]
    """Names of the outputs; empty for an indicator with a single one."""
    pane: ClassVar[str]
    """`price` when drawn over the bars, `own` when below them."""
    levels: ClassVar[tuple[float, ...]]
    """Reference lines of its own pane (RSI: 30 and 70)."""

    @property
    def bars_needed(self) -> int:
        """How many bars (with volume, prices moving) it takes until there is a value, the bar of the first value included."""

    def initial(self) -> State:
        """The state before any bar."""

    def step(self, state: State, bar: Bar) -> tuple[State, Step]:
        """Fold one bar in, oldest first. `state` is left as it was, so a forming bar is a step thrown away."""
