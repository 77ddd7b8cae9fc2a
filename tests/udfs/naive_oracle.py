"""What a symbol's bars have to say in the end, recomputed the slow and plain way from the rules of meaning alone.

Whole lists, fractions, sorting, no state: nothing of `udfs.symbol_state`, `bars` or `frames` is used. Indicators are the
registry's own, folded over these bars; that they are right is shown elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from udfs.indicators import parse_spec
from udfs.model import Bar, Tick

LENGTHS_MS = {
    "1min": 60_000, "2min": 120_000, "5min": 300_000, "15min": 900_000, "1hour": 3_600_000, "4hour": 14_400_000, "1day": 86_400_000,
}  # fmt: skip
Key = tuple[str, int]
"""Frame label, start in ms."""


class Record(NamedTuple):
    """One record of the ticks topic. Its ticks carry its offset and their line."""

    offset: int
    timestamp_ms: int
    ticks: Sequence[Tick]


@dataclass
class Counted:
    """What became of every tick."""

    ticks: list[Tick] = field(default_factory=list)
    clocks_ns: list[int] = field(default_factory=list)
    """The symbol's clock after each record."""
    through: list[int] = field(default_factory=list)
    """How many ticks had counted after each record."""
    refused: list[tuple[int, int, str]] = field(default_factory=list)
    """Offset, line, reason."""
    duplicates: int = 0


def count(
    records: Sequence[Record], lateness_ms: int, max_future_ms: int, window_ms: int | None
) -> Counted:  # a window of None: duplicates count
    """Apply what counts and what does not, in the order of the design: future, late, duplicate."""
    counted = Counted()
    clock_ns: int | None = None
    known: set[tuple[str | None, int, str | int]] = set()
    for offset, timestamp_ms, ticks in records:
        for tick in ticks:
            at_ns = tick.event_time_ns
            identity = (tick.source, at_ns, tick.trade_id if tick.trade_id is not None else tick.seq)
            if at_ns > (timestamp_ms + max_future_ms) * 10**6:
                counted.refused.append((offset, tick.line, "future_time"))
            elif clock_ns is not None and at_ns < clock_ns - lateness_ms * 10**6:
                counted.refused.append((offset, tick.line, "late_tick"))
            elif window_ms is not None and clock_ns is not None and identity in known and at_ns >= clock_ns - window_ms * 10**6:
                counted.duplicates += 1
            else:
                counted.ticks.append(tick)
                clock_ns = at_ns if clock_ns is None else max(clock_ns, at_ns)
                if identity[2] is not None:
                    known.add(identity)  # type: ignore[arg-type]
        counted.clocks_ns.append(-1 if clock_ns is None else clock_ns)
        counted.through.append(len(counted.ticks))
    return counted


def bars(ticks: Sequence[Tick], label: str, price_decimals: int = 8, size_decimals: int = 8) -> dict[int, dict[str, Any]]:
    """Start in ms -> content of every bar of a frame, in time order, `results` left out."""
    groups: dict[int, list[Tick]] = {}
    for tick in ticks:
        milliseconds = Fraction(tick.event_time_ns, 10**6)
        groups.setdefault(int(milliseconds // LENGTHS_MS[label]) * LENGTHS_MS[label], []).append(tick)
    return {start: _content(groups[start], label, start, price_decimals, size_decimals) for start in sorted(groups)}


def fold(spec: str, contents: Mapping[int, dict[str, Any]], from_ms: int | None = None) -> dict[int, Any]:
    """Start in ms -> what the indicator says of each bar, begun with the first bar at or after `from_ms`."""
    indicator = parse_spec(spec)
    state, said = indicator.initial(), {}
    for start, bar in contents.items():
        if from_ms is not None and start < from_ms:
            continue
        value = None
        if bar["open"] is not None:
            state, value = indicator.step(state, Bar(start, *(bar[name] for name in ("open", "high", "low", "close", "volume"))))
        said[start] = dict(zip(indicator.outputs, value, strict=True)) if isinstance(value, tuple) else value
    return said


def contents(ticks: Sequence[Tick], labels: Sequence[str], indicators: Mapping[str, str], **decimals: int) -> dict[Key, dict[str, Any]]:
    """Everything a symbol's bars have to say once all of them are closed."""
    said = {}
    for label in labels:
        of_frame = bars(ticks, label, **decimals)
        values = {name: fold(spec, of_frame) for name, spec in indicators.items()}
        for start, content in of_frame.items():
            said[label, start] = content | {"results": {name: values[name][start] for name in indicators}}
    return said


def _content(ticks: list[Tick], label: str, start: int, price_decimals: int, size_decimals: int) -> dict[str, Any]:
    in_order = sorted(ticks, key=_place)
    price = {id(tick): Fraction(tick.price, 10**price_decimals) for tick in ticks}
    size = {id(tick): Fraction(tick.size, 10**size_decimals) for tick in ticks}
    pricing = [price[id(tick)] for tick in in_order if not tick.flags & 1]
    trading = [tick for tick in ticks if not tick.flags & 2]
    plain = [tick for tick in ticks if tick.flags == 0]
    turnover = sum((price[id(tick)] * size[id(tick)] for tick in plain), Fraction(0))
    weight = sum((size[id(tick)] for tick in plain), Fraction(0))
    return {
        "time_frame": label,
        "start_ms": start,
        "end_ms": start + LENGTHS_MS[label],
        "open": float(pricing[0]) if pricing else None,
        "high": float(max(pricing)) if pricing else None,
        "low": float(min(pricing)) if pricing else None,
        "close": float(pricing[-1]) if pricing else None,
        "volume": float(sum((size[id(tick)] for tick in trading), Fraction(0))),
        "turnover": float(turnover),
        "vwap": float(turnover / weight) if weight else None,
        "trades": len(trading),
        "first_ms": min(tick.event_time_ns for tick in ticks) // 10**6,
        "last_ms": max(tick.event_time_ns for tick in ticks) // 10**6,
    }


def _place(tick: Tick) -> tuple[Any, ...]:
    """The total order of ticks; ticks equal in all of it are told apart by price."""
    place = (tick.offset,) if tick.seq is None else (tick.seq,)
    return (tick.event_time_ns, tick.seq is not None, *place, tick.line, tick.source or "", tick.trade_id or "", tick.price)
