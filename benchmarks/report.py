"""What a part of the benchmark hands over, and how it is printed: tables, targets beside what was seen, notes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under columns; a number is printed with thousands separators, None as a dash."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]


@dataclass(frozen=True, slots=True)
class Target:
    """A row of the targets of the design: `met` is None when it was not measured."""

    what: str
    target: str
    seen: str
    met: bool | None


@dataclass(slots=True)
class Part:
    """One part's outcome."""

    name: str
    tables: list[Table] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failed: bool = False


def at_least(what: str, least: float, seen: float | None, unit: str = "") -> Target:
    """A target that is met from `least` upwards."""
    return Target(what, f">= {_text(least)}{unit}", _seen(seen, unit), None if seen is None else seen >= least)


def at_most(what: str, most: float, seen: float | None, unit: str = "") -> Target:
    """A target that is met up to `most`."""
    return Target(what, f"<= {_text(most)}{unit}", _seen(seen, unit), None if seen is None else seen <= most)


def ratio(numerator: float | None, denominator: float | None) -> float | None:
    """None when either was not measured."""
    return numerator / denominator if numerator is not None and denominator else None


def text(part: Part) -> str:
    """The whole part for a terminal."""
    blocks = [_table(table) for table in part.tables]
    if part.targets:
        rows: list[tuple[Cell, ...]] = [(each.what, each.target, each.seen, _verdict(each.met)) for each in part.targets]
        blocks.append(_table(Table("targets", ("what", "target", "seen", ""), rows)))
    blocks += [f"- {note}" for note in part.notes]
    return "\n".join([f"== {part.name}", *blocks, ""])


def _table(table: Table) -> str:
    cells = [list(table.columns), *([_text(cell) for cell in row] for row in table.rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(table.columns))]
    numeric = [all(isinstance(row[column], int | float | None) for row in table.rows) for column in range(len(table.columns))]
    return "\n".join([f"\n{table.title}", *(_line(row, widths, numeric) for row in cells), ""])


def _line(row: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    padded = (cell.rjust(width) if right else cell.ljust(width) for cell, width, right in zip(row, widths, numeric, strict=True))
    return "  ".join(padded).rstrip()


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1_000 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def _seen(seen: float | None, unit: str) -> str:
    return "not measured" if seen is None else f"{_text(float(seen))}{unit}"


def _verdict(met: bool | None) -> str:
    return {True: "met", False: "MISSED", None: ""}[met]
