"""Golden answers as CSV: the bars of a series beside what an indicator must say of each."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from udfs.indicators.base import Indicator, Step
from udfs.model import Bar

FOLDER = Path(__file__).parent / "golden"
BAR_COLUMNS = ("start_ms", "open", "high", "low", "close", "volume")


class Golden(NamedTuple):
    """What a golden CSV holds, row by row."""

    bars: list[Bar]
    values: list[Step]


def path_of(name: str) -> Path:
    return FOLDER / f"{name}.csv"


def output_columns(indicator: Indicator) -> tuple[str, ...]:
    return indicator.outputs or ("value",)


def read(name: str, indicator: Indicator) -> Golden:
    """The golden CSV of the indicator called `name`. An empty cell is no value."""
    with path_of(name).open(newline="") as file:
        rows = list(csv.DictReader(file))
    bars = [Bar(int(row["start_ms"]), *(float(row[column]) for column in BAR_COLUMNS[1:])) for row in rows]
    return Golden(bars, [_value(tuple(row[column] for column in output_columns(indicator))) for row in rows])


def write(name: str, indicator: Indicator, bars: Sequence[Bar], values: Sequence[Step]) -> Path:
    """Write the golden CSV of the indicator called `name`; numbers are shortest doubles."""
    path = path_of(name)
    width = len(output_columns(indicator))
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*BAR_COLUMNS, *output_columns(indicator)))
        for bar, value in zip(bars, values, strict=True):
            cells = ("",) * width if value is None else value if isinstance(value, tuple) else (value,)
            writer.writerow((*(getattr(bar, column) for column in BAR_COLUMNS), *cells))
    return path


def _value(cells: tuple[str, ...]) -> Step:
    if "" in cells:
        return None
    numbers = tuple(float(cell) for cell in cells)
    return numbers if len(numbers) > 1 else numbers[0]
