"""What every indicator promises, as a check that runs on any indicator: ours in the tests, a user's own by the command."""

import math
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from typing import Any, NamedTuple, cast

from udfs.errors import SpecError
from udfs.indicators import canonical_spec, parse_spec
from udfs.indicators.base import Indicator, State, Step
from udfs.indicators.samples import SERIES, random_walk
from udfs.model import Bar

PEEKS = (0.5, 1.0, 3.0)
"""Closes tried in a step that is thrown away, as multiples of the true one."""


class Finding(NamedTuple):
    """A promise that an indicator breaks, and how."""

    check: str
    detail: str


def check_indicator(indicator: Indicator) -> list[Finding]:
    """Try every promise of `udfs.indicators.base` on `indicator`. Empty when all are kept.

    An exception out of the indicator is a finding, not an error. Takes about a second for periods of a few dozen bars.
    """
    findings = []
    for name, check in CHECKS.items():
        try:
            findings += [Finding(name, detail) for detail in check(indicator)]
        except Exception as error:
            findings.append(Finding(name, f"raised {type(error).__name__}: {error}"))
    return findings


def fold(indicator: Indicator, bars: Sequence[Bar]) -> list[Step]:
    """What `indicator` says of each of `bars`, folded from the start."""
    return [value for _, value in _steps(indicator, bars)]


def _steps(indicator: Indicator, bars: Sequence[Bar]) -> Iterator[tuple[State, Step]]:
    state = indicator.initial()
    for bar in bars:
        state, value = indicator.step(state, bar)
        yield state, value


def _ordinary(indicator: Indicator) -> tuple[Bar, ...]:
    return random_walk(2 * indicator.bars_needed + 100)


def _description(indicator: Indicator) -> Iterator[str]:
    names = indicator.outputs
    if not isinstance(names, tuple) or len(set(names)) < len(names) or not all(str(name).isidentifier() for name in names):
        yield f"outputs is {names!r}: expected a tuple of different names, empty for a single output"
    if len(names) == 1:
        yield "outputs names one output: leave it empty for a single one"
    if indicator.pane not in ("price", "own"):
        yield f"pane is {indicator.pane!r}: expected 'price' or 'own'"
    if not all(type(level) in (int, float) and math.isfinite(level) for level in indicator.levels):
        yield f"levels is {indicator.levels!r}: expected finite numbers"
    if type(indicator.bars_needed) is not int or indicator.bars_needed < 1:
        yield f"bars_needed is {indicator.bars_needed!r}: expected a whole number from 1"


def _spec(indicator: Indicator) -> Iterator[str]:
    if not cast(Any, type(indicator)).__dataclass_params__.frozen or hasattr(indicator, "__dict__"):
        yield "is not a frozen, slotted dataclass: @dataclass(frozen=True, slots=True)"
    parameters = [field.name for field in fields(cast(Any, indicator)) if field.init]
    if any(type(getattr(indicator, name)) not in (int, float) for name in parameters):
        yield f"parameters are numbers only: {parameters}"
    try:
        type(indicator)()
    except Exception as error:
        yield f"cannot be made without parameters (each needs a default): {error}"
    spec = canonical_spec(indicator)
    try:
        again = parse_spec(spec)
    except SpecError as error:
        yield f"its canonical spec cannot be parsed: {error}"
    else:
        if again != indicator or canonical_spec(again) != spec:
            yield f"its canonical spec {spec!r} gives another indicator: {again!r}"


def _warm_up(indicator: Indicator) -> Iterator[str]:
    for number, value in enumerate(fold(indicator, _ordinary(indicator)), start=1):
        if (value is None) != (number < indicator.bars_needed):
            yield f"bar {number} of an ordinary series gives {value!r}, bars_needed is {indicator.bars_needed}"
            return


def _value(indicator: Indicator) -> Iterator[str]:
    for name, bars in _every_series(indicator):
        for number, value in enumerate(fold(indicator, bars), start=1):
            wrong = _wrong_value(indicator, value)
            if wrong:
                yield f"bar {number} of the series {name!r}: {wrong}"
                break


def _wrong_value(indicator: Indicator, value: Step) -> str:
    if value is None:
        return ""
    values = value if isinstance(value, tuple) else (value,)
    if isinstance(value, tuple) != bool(indicator.outputs) or len(values) != max(1, len(indicator.outputs)):
        return f"{value!r} does not fit outputs {indicator.outputs!r}"
    if not all(type(number) is float for number in values):
        return f"{value!r} holds something else than a float"
    return "" if all(math.isfinite(number) for number in values) else f"{value!r} is not finite"


def _plain_state(indicator: Indicator) -> Iterator[str]:
    for name, bars in _every_series(indicator):
        states = [indicator.initial(), *(state for state, _ in _steps(indicator, bars))]
        for number, state in enumerate(states):
            if not isinstance(state, tuple) or not all(_is_plain(item) for item in state):
                yield f"after bar {number} of the series {name!r}: not a tuple of finite numbers, None and tuples: {state!r}"
                break


def _is_plain(item: object) -> bool:
    if type(item) is tuple:
        return all(_is_plain(inner) for inner in item)
    return item is None or type(item) is int or (type(item) is float and math.isfinite(item))


def _bounded_state(indicator: Indicator) -> Iterator[str]:
    settled = 2 * indicator.bars_needed
    sizes = [len(pickle.dumps(state)) for state, _ in _steps(indicator, random_walk(settled + 400))]
    if sizes[-1] > sizes[settled] + 64:
        yield f"the state grows with every bar: {sizes[settled]} bytes after {settled} bars, {sizes[-1]} after {len(sizes)}"


def _restore(indicator: Indicator) -> Iterator[str]:
    bars = _ordinary(indicator)
    state = indicator.initial()
    for number, (bar, (_, expected)) in enumerate(zip(bars, _steps(indicator, bars), strict=True), start=1):
        restored = parse_spec(canonical_spec(indicator))
        state, value = restored.step(pickle.loads(pickle.dumps(state)), bar)
        if value != expected:
            yield f"bar {number} gives {value!r} over a restored state and {expected!r} without a stop"
            return


def _peek(indicator: Indicator) -> Iterator[str]:
    bars = _ordinary(indicator)
    expected = fold(indicator, bars)
    state = indicator.initial()
    for number, bar in enumerate(bars, start=1):
        before = pickle.dumps(state)
        for times in PEEKS:
            close = bar.close * times
            indicator.step(state, Bar(bar.start_ms, bar.open, max(bar.high, close), min(bar.low, close), close, bar.volume * times))
        if pickle.dumps(state) != before:
            yield f"a step changed the state it was given, at bar {number}"
            return
        state, value = indicator.step(state, bar)
        if value != expected[number - 1]:
            yield f"bar {number} gives {value!r} after steps that were thrown away and {expected[number - 1]!r} without"
            return


def _shared(indicator: Indicator) -> Iterator[str]:
    ours, others = _ordinary(indicator), random_walk(2 * indicator.bars_needed + 100, first_price=7.0, seed=9)
    expected = fold(indicator, ours)
    state, other = indicator.initial(), indicator.initial()
    for number, (bar, other_bar) in enumerate(zip(ours, others, strict=True), start=1):
        other, _ = indicator.step(other, other_bar)
        state, value = indicator.step(state, bar)
        if value != expected[number - 1]:
            yield f"bar {number} gives another value when a second symbol is folded by the same instance"
            return


def _every_series(indicator: Indicator) -> Iterator[tuple[str, tuple[Bar, ...]]]:
    for name, make in SERIES.items():
        yield name, make(2 * indicator.bars_needed + 200)


CHECKS: dict[str, Callable[[Indicator], Iterator[str]]] = {
    "description": _description,
    "spec": _spec,
    "warm-up": _warm_up,
    "value": _value,
    "plain state": _plain_state,
    "bounded state": _bounded_state,
    "restore": _restore,
    "peek": _peek,
    "one instance for all symbols": _shared,
}
"""Name of a promise -> generator of what breaks it."""
