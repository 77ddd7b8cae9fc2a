"""Rows of CSV tick files to lines of JSON, numbers exactly as they are written."""

import re
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from decimal import Decimal, InvalidOperation

import orjson

from connectors.event_times import NS_PER_MS
from jobs.tick_times import TickTimes

FIELDS = ("stock_id", "price", "size", "timestamp", "seq", "id", "source", "flags")
"""Fields of a tick that a column can be named for."""
_NAMED_ALIKE = {
    "stock_id": ("stock_id", "symbol", "ticker"),
    "price": ("price", "last"),
    "size": ("size", "volume", "quantity", "qty"),
    "timestamp": ("timestamp", "ts", "event_time_ms", "time", "datetime"),
    "seq": ("seq", "sequence"),
    "id": ("id", "trade_id"),
    "source": ("source",),
    "flags": ("flags",),
}
_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")


class ColumnError(ValueError):
    """Columns were asked for that a file or a tick does not have."""


class CsvRows:
    """Turns the rows of one file into lines.

    `columns` maps fields to columns of `header`; fields it leaves out are taken from columns that bear their name, or
    one of its usual others. What cannot be read as the field's type is kept as text, for the dead letter to show.
    """

    def __init__(self, header: Sequence[str], columns: Mapping[str, str], zone: tzinfo, time_format: str | None, symbol: str) -> None:
        self._header = [name.strip() for name in header]
        self._columns = {name: self._found(name, columns) for name in FIELDS}
        self._times = TickTimes(zone, time_format)
        self._symbol = symbol
        self._require(columns)

    def line_of(self, row: Sequence[str]) -> bytes:
        """The line of JSON that says what `row` says; empty cells are left out."""
        said = {name: text for name, places in self._columns.items() if (text := self._cells(row, places))}
        if self._symbol:
            said.setdefault("stock_id", self._symbol)
        return orjson.dumps({key: value for name, text in said.items() for key, value in (self._field(name, text),)})

    def _field(self, name: str, text: str) -> tuple[str, object]:
        if name == "timestamp":
            return self._time(text)
        if name in ("price", "size", "seq"):
            return name, _number(text)
        if name == "flags":
            return name, re.split(r"[\s|;,]+", text)
        return name, text

    def _time(self, text: str) -> tuple[str, object]:
        time_ns = self._times.parse(text)
        if time_ns is None:
            return "timestamp", text
        if time_ns % NS_PER_MS == 0:
            return "event_time_ms", time_ns // NS_PER_MS
        return "timestamp", time_ns

    def _cells(self, row: Sequence[str], places: Sequence[int]) -> str:
        return " ".join(row[place].strip() for place in places if place < len(row) and row[place].strip())

    def _found(self, name: str, columns: Mapping[str, str]) -> tuple[int, ...]:
        if name in columns:
            return tuple(self._place(column) for column in columns[name].split("+"))
        lowered = [column.lower() for column in self._header]
        return next(((lowered.index(column),) for column in _NAMED_ALIKE[name] if column in lowered), ())

    def _place(self, column: str) -> int:
        if column not in self._header:
            raise ColumnError(f"there is no column {column!r}; the columns are: {', '.join(self._header)}")
        return self._header.index(column)

    def _require(self, columns: Mapping[str, str]) -> None:
        unknown = sorted(set(columns) - set(FIELDS))
        if unknown:
            raise ColumnError(f"a tick has no field {unknown[0]!r}; it has: {', '.join(FIELDS)}")
        for name in ("price", "timestamp") if self._symbol else ("stock_id", "price", "timestamp"):
            if not self._columns[name]:
                raise ColumnError(f"no column is named for {name}; the columns are: {', '.join(self._header)}")


def _number(text: str) -> object:
    """`text` itself where it is a JSON number, the same number spelled as one where it can be, else the text as a string."""
    if _JSON_NUMBER.fullmatch(text):
        return orjson.Fragment(text)
    try:
        number = Decimal(text.replace("_", "?"))
    except InvalidOperation:
        return text
    return orjson.Fragment(format(number, "f")) if number.is_finite() else text
