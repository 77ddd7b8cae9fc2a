"""The indicator values in one symbol's results of one frame, against what TA-Lib says of the recomputed bars."""

from collections.abc import Mapping, Sequence
from itertools import compress
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from jobs.verify.bars import Content
from jobs.verify.indicators import Array, Oracle, Series, agree, oracle_of
from jobs.verify.outcome import Outcome
from jobs.verify.rules import Kind, Unproven, place


class FoundBar(NamedTuple):
    """A bar as recomputed, and its newest record if there is one."""

    symbol: str
    label: str
    start_ms: int
    content: Content
    fields: dict[str, Any] | None

    @property
    def where(self) -> str:
        """How the bar is named in messages."""
        return place(self.symbol, self.label, self.start_ms)


class IndicatorCheck:
    """Checks every configured label; what has no second opinion is counted."""

    def __init__(self, indicators: Mapping[str, str], talib: ModuleType | None) -> None:
        self._oracles = {label: oracle_of(spec) for label, spec in indicators.items()}
        self._talib = talib

    def check(self, bars: Mapping[int, FoundBar], outcome: Outcome) -> None:
        """Check the results of one symbol and frame; `bars` by start in ms, oldest first."""
        series, places = _series(bars)
        self._leave_others(bars, outcome)
        for label, oracle in self._oracles.items():
            since, judged = self._judged(label, bars, outcome)
            if oracle is None:
                outcome.leave(Unproven.OWN_INDICATOR, label, len(judged))
            elif self._talib is None:
                outcome.leave(Unproven.WITHOUT_TALIB, "", len(judged))
            else:
                outcome.counts["indicator_values"] += len(judged)
                self._check_values(self._talib, label, oracle, series, places, since, judged, outcome)

    def _leave_others(self, bars: Mapping[int, FoundBar], outcome: Outcome) -> None:
        for bar in bars.values():
            for label in bar.fields["results"] if bar.fields else ():
                if label not in self._oracles:
                    outcome.leave(Unproven.INDICATOR_NOT_CONFIGURED, label)

    def _judged(self, label: str, bars: Mapping[int, FoundBar], outcome: Outcome) -> tuple[int | None, dict[int, FoundBar]]:
        """The bars whose value can be recomputed, and the start of the first bar folded; None is the first there is."""
        since = {start: (bar.fields.get("since") or {}).get(label) for start, bar in bars.items() if bar.fields}
        said = {start for start in since if label in (bars[start].fields or {})["results"]}
        began_later = not said or any(begun is not None for begun in since.values())
        # Another `since` than the newest record's is of what had the label before: as long as the meaning stays, so does its `since`.
        meant = since[max(said, key=lambda start: (_emitted_ms(bars[start]), start))] if said else None
        # A label given to what was computed before under another has none: the bars said before it are known by their time alone.
        said_from_ms = min((_emitted_ms(bars[start]) for start in said), default=0)
        judged: dict[int, FoundBar] = {}
        for start, begun in since.items():
            bar = bars[start]
            if start not in said and (began_later or _emitted_ms(bar) < said_from_ms or bar.content.close is None):
                outcome.leave(Unproven.INDICATOR_ADDED, label)
            elif start not in said:
                outcome.bar_differs(Kind.MISSING_INDICATOR, bar.where, bar.content.end_ms, label, "a value or null", "nothing")
            elif begun != meant:
                outcome.leave(Unproven.INDICATOR_CHANGED, label)
            else:
                judged[start] = bar
        return meant, judged

    def _check_values(
        self,
        talib: ModuleType,
        label: str,
        oracle: Oracle,
        series: Series,
        places: Mapping[int, int],
        since: int | None,
        judged: Mapping[int, FoundBar],
        outcome: Outcome,
    ) -> None:
        first = 0 if since is None else int(np.searchsorted(series.start_ms, since))
        at, bars, rows = [], [], []
        for start, bar in judged.items():
            value = (bar.fields or {})["results"][label]
            row = (value,) if type(value) is float and not oracle.outputs else _row(value, oracle.outputs)
            folded = places.get(start, -1) - first
            if row is None or folded < 0:  # a value of the wrong shape, or of a bar that is not folded
                if value is not None:
                    outcome.bar_differs(Kind.WRONG_INDICATOR, bar.where, bar.content.end_ms, label, None, value)
                continue
            at.append(folded)
            bars.append(bar)
            rows.append(row)
        if at:
            found = np.array(rows, dtype=np.float64).T
            self._compare(talib, label, oracle, _from(series, first), at, bars, found, outcome)

    def _compare(
        self,
        talib: ModuleType,
        label: str,
        oracle: Oracle,
        series: Series,
        at: list[int],
        bars: Sequence[FoundBar],
        found: Array,
        outcome: Outcome,
    ) -> None:
        expected = np.array(oracle.values(talib, series))[:, at]
        agreed = agree(expected, found, 0.0).all(axis=0)
        if not agreed.all():
            scale = oracle.scale(series)[at]
            agreed |= agree(expected, found, scale).all(axis=0)
            exact = oracle.exact(series, list(compress(at, ~agreed)))
            if exact is not None:
                agreed |= agree(np.array(exact)[:, at], found, scale).all(axis=0)
        for column in np.flatnonzero(~agreed).tolist():
            bar = bars[column]
            shown = [_shown(array[:, column], oracle.outputs) for array in (expected, found)]
            outcome.bar_differs(Kind.WRONG_INDICATOR, bar.where, bar.content.end_ms, label, *shown)


def _emitted_ms(bar: FoundBar) -> int:
    """When the record says it was written; 0 where it does not."""
    emitted_ms = (bar.fields or {}).get("emitted_ms")
    return emitted_ms if type(emitted_ms) is int else 0


def _series(bars: Mapping[int, FoundBar]) -> tuple[Series, dict[int, int]]:
    """The bars that have prices, and the place of each in the series by its start."""
    priced = {start: bar.content for start, bar in bars.items() if bar.content.close is not None}
    columns = np.array(
        [(content.high, content.low, content.close, content.volume) for content in priced.values()], dtype=np.float64
    ).reshape(-1, 4)
    high, low, close, volume = (np.ascontiguousarray(column) for column in columns.T)
    return Series(np.array(list(priced), dtype=np.int64), high, low, close, volume), {start: n for n, start in enumerate(priced)}


def _from(series: Series, first: int) -> Series:
    if first == 0:
        return series
    return Series(series.start_ms[first:], series.high[first:], series.low[first:], series.close[first:], series.volume[first:])


def _row(value: object, outputs: tuple[str, ...]) -> Sequence[float] | None:
    """A number for each output, NaN for "no value yet"; None for a value of another shape."""
    if value is None:
        return [np.nan] * max(1, len(outputs))
    if not outputs:
        return [float(value)] if type(value) in (int, float) else None  # type: ignore[arg-type] # a number: see the condition
    if not isinstance(value, dict) or set(value) != set(outputs) or any(type(number) not in (int, float) for number in value.values()):
        return None
    return [float(value[name]) for name in outputs]


def _shown(values: Array, outputs: tuple[str, ...]) -> object:
    numbers = [None if np.isnan(number) else float(number) for number in values]
    if all(number is None for number in numbers):
        return None
    return dict(zip(outputs, numbers, strict=True)) if outputs else numbers[0]
