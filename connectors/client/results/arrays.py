"""Bars of one series as numpy columns."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from udfs.model import Outputs, Result

Column: TypeAlias = NDArray[Any]
INTEGERS = ("start_ms", "end_ms", "run", "revision", "trades")
NUMBERS = ("open", "high", "low", "close", "volume", "turnover", "vwap")
FIELDS = (*INTEGERS, *NUMBERS, "complete")


class Snapshot:
    """The newest bars of one series, oldest first; the updates that come after it continue it without gap or double."""

    def __init__(self, stock_id: str, time_frame: str, bars: Sequence[Result]) -> None:
        self.stock_id = stock_id
        self.time_frame = time_frame
        self.bars = tuple(bars)

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """The bars as arrays, by the names that `columns_of` gives."""
        return columns_of(self.bars)

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def __len__(self) -> int:
        return len(self.bars)


def columns_of(bars: Sequence[Result]) -> dict[str, Column]:
    """A column a field and one an indicator's output, each as long as `bars`.

    int64: `start_ms` and `end_ms` (epoch ms), `run`, `revision`, `trades`. float64, NaN for null: `open`, `high`, `low`, `close`,
    `volume`, `turnover`, `vwap`. bool: `complete`. float64, NaN while not ready: `RSI`, and `MACD.signal` where an indicator has
    several outputs; they are known from the first bar that has them: before, there is a column `MACD` of NaN. An indicator
    called like a field is found as `results.close`.
    """
    columns: dict[str, Column] = {name: np.array([getattr(bar, name) for bar in bars], np.int64) for name in INTEGERS}
    columns |= {name: np.array([getattr(bar, name) for bar in bars], np.float64) for name in NUMBERS}
    columns["complete"] = np.array([bar.complete for bar in bars], np.bool_)
    for label in dict.fromkeys(label for bar in bars for label in bar.results):
        for name, column in _outputs(label, [bar.results.get(label) for bar in bars]):
            columns[f"results.{name}" if name in FIELDS else name] = column
    return columns


def _outputs(label: str, said: Sequence[Outputs]) -> Iterator[tuple[str, Column]]:
    names = dict.fromkeys(name for each in said if isinstance(each, Mapping) for name in each)
    if not names:
        yield label, np.array(said, np.float64)
    for name in names:
        yield f"{label}.{name}", np.array([each.get(name) if isinstance(each, Mapping) else None for each in said], np.float64)
