"""What there is to say of configured indicators: to those who list them, and to those who draw them."""

from collections.abc import Mapping
from typing import NamedTuple

from udfs.indicators import canonical_spec, parse_spec


class Description(NamedTuple):
    """One configured indicator."""

    label: str
    spec: str
    """Canonical, with all parameters."""
    outputs: tuple[str, ...]
    """Empty for a single value."""
    bars_needed: int
    """Bars until there is a value, the bar of the first value included."""
    pane: str
    """`price` when drawn over the bars, `own` when below them."""
    levels: tuple[float, ...]
    """Reference lines of its own pane."""


def describe(labels: Mapping[str, str]) -> tuple[Description, ...]:
    """Describe every indicator of `labels` (label -> spec), in their order. Raises SpecError."""
    parsed = {label: parse_spec(spec) for label, spec in labels.items()}
    return tuple(
        Description(label, canonical_spec(each), each.outputs, each.bars_needed, each.pane, each.levels) for label, each in parsed.items()
    )
