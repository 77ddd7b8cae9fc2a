"""The tables of docs/reference/indicators.md, from the code: `python -m tests.udfs.indicators.make_reference` writes them."""

import math
from collections.abc import Sequence
from pathlib import Path

from tests.udfs.indicators.oracles import PARITY, largest_difference
from udfs.indicators import DEFAULT_LABELS, INDICATORS, canonical_spec, parse_spec
from udfs.indicators.base import Step
from udfs.indicators.contract import fold
from udfs.indicators.samples import SERIES

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "indicators.md"
DEGENERATE = ("flat", "stuck", "without volume", "without range", "jump")
BARS = 400


def overview() -> str:
    """What there is: label, spec, outputs, bars needed, pane and levels."""
    lines = ["| label | spec | outputs | bars needed | pane | levels |", "|---|---|---|---|---|---|"]
    others = {canonical_spec(cls()) for cls in INDICATORS.values()} - set(DEFAULT_LABELS.values())
    for label, spec in [*DEFAULT_LABELS.items(), *(("not by default", spec) for spec in sorted(others))]:
        indicator = parse_spec(spec)
        outputs = ", ".join(f"`{name}`" for name in indicator.outputs) or "one value"
        levels = ", ".join(f"{level:g}" for level in indicator.levels) or "-"
        lines.append(f"| `{label}` | `{spec}` | {outputs} | {indicator.bars_needed} | {indicator.pane} | {levels} |")
    return "\n".join(lines)


def degenerate() -> str:
    """What each default indicator says of the last bar of each degenerate series."""
    lines = [f"| label | {' | '.join(DEGENERATE)} |", "|---" * (len(DEGENERATE) + 1) + "|"]
    for label, spec in DEFAULT_LABELS.items():
        answers = [_shown(fold(parse_spec(spec), SERIES[name](BARS))[-1]) for name in DEGENERATE]
        lines.append(f"| `{label}` | {' | '.join(answers)} |")
    return "\n".join(lines)


def parity() -> str:
    """How far each registry entry with default parameters is from TA-Lib, and from exact fractions where those are the oracle."""
    lines = ["| indicator | against TA-Lib | against TA-Lib, jump | against exact fractions, jump included |", "|---|---|---|---|"]
    ordinary = [name for name in SERIES if name != "jump"]
    for name in INDICATORS:
        if name not in PARITY:
            lines.append(f"| `{name}` | not in TA-Lib: golden CSV | | |")
            continue
        cells = _largest(name, ordinary), _largest(name, ["jump"]), _largest(name, list(SERIES), exact=True)
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _largest(name: str, series: Sequence[str], exact: bool = False) -> str:
    oracle = PARITY[name].exact if exact else PARITY[name].talib
    if oracle is None:
        return "-"
    largest = max(largest_difference(INDICATORS[name](), SERIES[one](BARS), PARITY[name], oracle) for one in series)
    return "bit-equal" if largest == 0.0 else f"<= 1e{math.ceil(math.log10(largest))}"


TABLES = {"overview": overview, "degenerate": degenerate, "parity": parity}


def with_tables(page: str) -> str:
    """`page` with every generated table replaced by what the code says now."""
    for name, make in TABLES.items():
        start = page.index(f"<!-- generated: {name} -->\n") + len(f"<!-- generated: {name} -->\n")
        page = f"{page[:start]}{make()}\n{page[page.index('<!-- end -->', start) :]}"
    return page


def _shown(value: Step) -> str:
    if value is None:
        return "`null`"
    return ", ".join(f"{number + 0.0:.6g}" for number in (value if isinstance(value, tuple) else (value,)))


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
    print(PAGE)
