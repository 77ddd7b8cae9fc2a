"""All configured indicators of one frame, stepped together."""

from collections.abc import Mapping
from typing import TypeAlias

from udfs.indicators import canonical_spec, parse_spec
from udfs.indicators.base import Indicator, State, Step
from udfs.model import Bar, Outputs

States: TypeAlias = tuple[State, ...]
Values: TypeAlias = tuple[Step, ...]


class Panel:
    """Indicators in a fixed order, by canonical spec; labels only name them in results.

    Two labels may share a spec: it is stepped once.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self.indicators: dict[str, Indicator] = {}
        self._outputs: list[tuple[str, int, tuple[str, ...]]] = []
        for label, spec in labels.items():
            indicator = parse_spec(spec)
            canonical = canonical_spec(indicator)
            self.indicators.setdefault(canonical, indicator)
            self._outputs.append((label, list(self.indicators).index(canonical), indicator.outputs))
        self.specs = tuple(self.indicators)
        self.signature = "\n".join(self.specs)
        """How a frame's state says which indicators it holds."""
        self._steps = tuple(indicator.step for indicator in self.indicators.values())
        self.nothing: Values = (None,) * len(self.specs)
        """The values of a bar without prices."""

    def initial(self) -> States:
        """The states before any bar."""
        return tuple(indicator.initial() for indicator in self.indicators.values())

    def step(self, states: States, bar: Bar) -> tuple[States, Values]:
        """Fold one bar into every indicator."""
        stepped = [step(state, bar) for step, state in zip(self._steps, states, strict=True)]
        after, values = zip(*stepped, strict=True) if stepped else ((), ())
        return after, values

    def results(self, values: Values) -> dict[str, Outputs]:
        """Values by label, as a result record carries them."""
        return {
            label: dict(zip(outputs, value, strict=True)) if (value := values[position]).__class__ is tuple else value  # type: ignore[misc]
            for label, position, outputs in self._outputs
        }

    def since(self, starts: tuple[int | None, ...]) -> dict[str, int] | None:
        """By label, where indicators that were added later begin; None when there is none."""
        since = {label: start for label, position, _ in self._outputs if (start := starts[position]) is not None}
        return since or None
