"""Tick records read again, strictly and without the product's decoder: bytes in, ticks or reasons out."""

import json
import math
import re
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, NamedTuple, TypeAlias

import orjson

from jobs.verify.event_times import event_time_ns
from udfs.errors import FrameError
from udfs.frames import parse_frame
from udfs.model import Reason

MAX_PRICE = 1e12
MAX_SIZE = 1e15
_SYMBOL = re.compile(r"[A-Za-z0-9._:/=^+-]{1,64}")
_CACHED_NUMBERS = 200_000
_EXACT = Context(prec=400, rounding=ROUND_HALF_EVEN)
_NUMBER, _TEXT, _MOMENT = (int, float), (str,), (int, float, str)
_TYPES: dict[str, tuple[type, ...]] = {
    "stock_id": _TEXT, "symbol": _TEXT, "price": _NUMBER, "size": _NUMBER, "volume": _NUMBER, "event_time_ms": _NUMBER,
    "timestamp": _MOMENT, "ts": _MOMENT, "seq": (int,), "id": (str, int), "source": _TEXT, "flags": (list,), "time_frame": _TEXT,
}  # fmt: skip
_BLANKS = b" \t\r\n"
_ENDINGS = (b" ", b"\t", b"\r", b"\n")


class ParsedTick(NamedTuple):
    """One line that is well formed: numbers scaled to integers, event time in ns."""

    symbol: str
    event_time_ns: int
    price: int
    size: int
    sets_price: bool
    has_volume: bool
    seq: int | None
    trade_id: str | None
    source: str | None


class Copy(NamedTuple):
    """A producer's copy of a tick for a longer frame: `label` as it wrote it."""

    label: str


class Drop(NamedTuple):
    """A record that says nothing but that its symbol is to be forgotten."""

    symbol: str


Parsed: TypeAlias = ParsedTick | Copy | Drop | Reason


_new_tick = tuple.__new__


class LineError(Exception):
    """The line is malformed, for `reason`."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Scale:
    """Doubles to integers in units of 10**-decimals: the double's shortest decimal, rounded half even."""

    def __init__(self, decimals: int) -> None:
        self._decimals = decimals
        self._known: dict[int | float, int] = {}

    def __call__(self, number: int | float) -> int:
        """The scaled integer nearest to `number`."""
        scaled = self._known.get(number)
        if scaled is None:
            if len(self._known) >= _CACHED_NUMBERS:
                self._known.clear()
            exact = Decimal(repr(float(number))).scaleb(self._decimals, _EXACT)
            scaled = self._known[number] = int(exact.to_integral_value(context=_EXACT))
        return scaled


class LineParser:
    """Reads the lines of tick records under one pair of scales."""

    def __init__(self, price_decimals: int, size_decimals: int) -> None:
        self._price_units = Scale(price_decimals)
        self._size_units = Scale(size_decimals)

    def parse_record(self, key: bytes | None, value: bytes | None, timestamp_ms: int) -> Iterator[tuple[int, Parsed]]:
        """Line number and what became of the line, for every line of a record that is no heartbeat."""
        lines = _lines(value or b"")
        owner = key.decode(errors="replace") if key else _owner(lines[0])
        for number, line in enumerate(lines):
            try:
                yield number, self._parse_line(line, owner, timestamp_ms, len(lines) == 1)
            except LineError as error:
                yield number, error.reason

    def _parse_line(self, line: bytes, owner: str | None, timestamp_ms: int, alone: bool) -> ParsedTick | Copy | Drop:
        fields = _object(line)
        symbol = _line_symbol(fields)
        if symbol != owner:
            raise LineError(Reason.KEY_MISMATCH)
        if alone and len(fields) == 2 and fields.get("op") == "drop" and "stock_id" in fields:
            return Drop(symbol)
        label = fields.get("time_frame")
        if label is not None and not _is_minute(label):
            return Copy(label)
        flags = fields.get("flags") or ()
        return _new_tick(
            ParsedTick,
            (
                symbol,
                _time_of(fields, timestamp_ms),
                self._price(fields),
                self._size(fields),
                "no_price" not in flags,
                "no_volume" not in flags,
                fields.get("seq"),
                _trade_id(fields),
                fields.get("source"),
            ),
        )

    def _price(self, fields: dict[str, Any]) -> int:
        price = fields.get("price")
        if price is None:
            raise LineError(Reason.MISSING_FIELD)
        if not 0 < price <= MAX_PRICE:
            raise LineError(Reason.BAD_PRICE)
        units = self._price_units(price)
        if units < 1:
            raise LineError(Reason.BAD_PRICE)
        return units

    def _size(self, fields: dict[str, Any]) -> int:
        size = fields.get("size")
        if size is None:
            size = fields.get("volume", 0)
        if size is None:
            return 0
        if not 0 <= size <= MAX_SIZE:
            raise LineError(Reason.BAD_SIZE)
        return self._size_units(size)


def _lines(value: bytes) -> list[bytes]:
    """Each line of a value; blank ones at its end do not count, but a value has at least one."""
    return value.rstrip(_BLANKS).split(b"\n") if value.endswith(_ENDINGS) else value.split(b"\n")


def _owner(first_line: bytes) -> str | None:
    """The symbol a record without a key belongs to: what its first line says, whatever else is wrong with the line."""
    try:
        fields = orjson.loads(first_line)
    except orjson.JSONDecodeError:
        return None
    names = (fields.get("stock_id"), fields.get("symbol")) if type(fields) is dict else ()
    return next((name for name in names if type(name) is str), None)


def _object(line: bytes) -> dict[str, Any]:
    """The fields of a line; those with a meaning have a type that can carry it, or are null."""
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        fields = _beyond_doubles(line, error)
    if type(fields) is not dict:
        raise LineError(Reason.NOT_OBJECT)
    for name, value in fields.items():
        kinds = _TYPES.get(name)
        if kinds is not None and type(value) not in kinds and value is not None:
            raise LineError(Reason.BAD_TYPE)
    if not -(2**63) <= (fields.get("seq") or 0) < 2**63 or any(type(flag) is not str for flag in fields.get("flags") or ()):
        raise LineError(Reason.BAD_TYPE)
    return fields


def _beyond_doubles(line: bytes, error: orjson.JSONDecodeError) -> object:
    """The JSON of a line whose only fault is a number no double holds: fine in a field without a meaning."""
    if "infinity" not in str(error):
        raise LineError(_why_unreadable(line)) from error
    try:
        fields = json.loads(line)
    except ValueError as other:
        raise LineError(_why_unreadable(line)) from other
    if type(fields) is dict and any(type(fields.get(name)) is float and math.isinf(fields[name]) for name in _TYPES):
        raise LineError(Reason.BAD_TYPE)
    return fields


def _why_unreadable(line: bytes) -> Reason:
    try:
        line.decode()
    except UnicodeDecodeError:
        return Reason.BAD_UTF8
    return Reason.BAD_JSON


def _line_symbol(fields: dict[str, Any]) -> str:
    symbol: str | None = fields.get("stock_id")
    if symbol is None:
        symbol = fields.get("symbol")
    if symbol is None:
        raise LineError(Reason.MISSING_FIELD)
    if _SYMBOL.fullmatch(symbol) is None:
        raise LineError(Reason.BAD_SYMBOL)
    return symbol


def _time_of(fields: dict[str, Any], timestamp_ms: int) -> int:
    try:
        return event_time_ns(fields, timestamp_ms)
    except ValueError as error:
        raise LineError(Reason.BAD_TIME) from error


def _trade_id(fields: dict[str, Any]) -> str | None:
    trade_id: str | int | None = fields.get("id")
    return str(trade_id) if isinstance(trade_id, int) else trade_id


def _is_minute(label: str) -> bool:
    try:
        return parse_frame(label).label == "1min"
    except FrameError as error:
        raise LineError(Reason.UNKNOWN_TIME_FRAME) from error
