"""What one line of a tick record means: its fields, their bounds, and what is wrong with a line that is refused."""

import re
from functools import lru_cache
from typing import Annotated, TypeAlias

import msgspec

from connectors.errors import LineRefused
from connectors.event_times import MAX_MS, ns_of_ms, ns_of_timestamp
from connectors.numbers import to_units
from udfs.errors import FrameError
from udfs.frames import MINUTE, parse_frame
from udfs.model import Flags, Reason, Scales, Tick

MAX_PRICE = 1e12
MAX_SIZE = 1e15
_SYMBOL = re.compile(r"[A-Za-z0-9._:/=^+-]{1,64}")
_FLAG_MASKS = {"no_price": Flags.NO_PRICE.value, "no_volume": Flags.NO_VOLUME.value}
FLAG_NAMES = tuple([name for name, mask in _FLAG_MASKS.items() if mask & flags] or None for flags in range(4))
"""Mask of `Flags` -> the list written for it."""
_OUT_OF_RANGE = {
    "price": Reason.BAD_PRICE,
    "size": Reason.BAD_SIZE,
    "volume": Reason.BAD_SIZE,
    "event_time_ms": Reason.BAD_TIME,
    "timestamp": Reason.BAD_TIME,
    "ts": Reason.BAD_TIME,
}
_COMPLAINT = re.compile(r"(?P<what>.*) - at `\$\.(?P<field>\w+).*`", re.DOTALL)
_parse_anything = msgspec.json.Decoder(msgspec.Raw).decode

Seq: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Moment: TypeAlias = int | float | str


class TickLine(msgspec.Struct, gc=False, omit_defaults=True):
    """One line as it is written; `null` is the same as absent, and fields not named here are ignored."""

    stock_id: str | None = None
    price: float | None = None
    size: float | None = None
    event_time_ms: int | float | None = None
    seq: Seq | None = None
    id: str | int | None = None
    source: str | None = None
    flags: list[str] | None = None
    symbol: str | None = None
    volume: float | None = None
    timestamp: Moment | None = None
    ts: Moment | None = None
    time_frame: str | None = None


parse_tick_line = msgspec.json.Decoder(TickLine).decode
"""Text of one line to its fields; types are checked, meanings are not. Raises what `why_unparsable` explains."""


class PlainLine(msgspec.Struct, gc=False):
    """A line as most are: every field in bounds, and none that has to be thought about. Fields not named here are ignored."""

    stock_id: str
    price: Annotated[float, msgspec.Meta(gt=0, le=MAX_PRICE)]
    size: Annotated[float, msgspec.Meta(ge=0, le=MAX_SIZE)]
    event_time_ms: Annotated[int, msgspec.Meta(ge=0, le=MAX_MS)]
    seq: Seq | None = None
    id: str | None = None
    source: str | None = None
    flags: None = None
    symbol: None = None
    volume: None = None
    timestamp: None = None
    ts: None = None
    time_frame: None = None


parse_plain_lines = msgspec.json.Decoder(PlainLine).decode_lines
"""A whole record's lines at once. Raises whenever one of them needs a closer look."""


@lru_cache(maxsize=65_536)
def is_symbol(text: str) -> bool:
    """Whether `text` can name a symbol: 1 to 64 of `A-Za-z0-9._:/=^+-`, case-sensitive."""
    return _SYMBOL.fullmatch(text) is not None


def is_copy(line: TickLine) -> bool:
    """Whether `line` repeats a tick for a larger time frame; the `1min` copy is the tick itself."""
    if line.time_frame is None:
        return False
    try:
        return parse_frame(line.time_frame) != MINUTE
    except FrameError as error:
        raise LineRefused(Reason.UNKNOWN_TIME_FRAME, _shown(line.time_frame)) from error


def check_symbol(line: TickLine, key: str) -> None:
    """Raises LineRefused unless the line names a symbol, and the one its record is keyed by."""
    stock_id = line.stock_id if line.stock_id is not None else line.symbol
    if stock_id is None:
        raise LineRefused(Reason.MISSING_FIELD, "stock_id")
    if not is_symbol(stock_id):
        raise LineRefused(Reason.BAD_SYMBOL, f"stock_id: {_shown(stock_id)}")
    if stock_id != key:
        raise LineRefused(Reason.KEY_MISMATCH, f"{_shown(stock_id)} in a record of {_shown(key)}")


def tick_of_line(line: TickLine, number: int, record_ms: int, offset: int, scales: Scales) -> tuple[Tick, bool]:
    """The tick a line of the right symbol stands for, and whether its price or size had to be rounded."""
    price, price_exact = _price_units(line.price, scales.price_decimals)
    size, size_exact = _size_units(line.size if line.size is not None else line.volume, scales.size_decimals)
    trade_id = None if line.id is None else str(line.id)
    time_ns = event_time_ns(line, record_ms)
    tick = Tick(time_ns, price, size, flags_of(line.flags), line.seq, trade_id, line.source, offset, number)
    return tick, not (price_exact and size_exact)


def flags_of(names: list[str] | None) -> int:
    """Names of flags to a mask; names nobody knows set nothing."""
    mask = 0
    for name in names or ():
        mask |= _FLAG_MASKS.get(name, 0)
    return mask


def why_unparsable(text: bytes, error: Exception) -> LineRefused:
    """The refusal for a line that `parse_tick_line` raised `error` at."""
    if isinstance(error, UnicodeDecodeError):
        return LineRefused(Reason.BAD_UTF8, f"byte {error.start}: {error.reason}")
    if isinstance(error, RecursionError):
        return LineRefused(Reason.BAD_JSON, "nested too deeply")
    if not isinstance(error, msgspec.DecodeError):
        return LineRefused(Reason.POISON, f"{type(error).__name__}: {error}"[:200])
    if isinstance(error, msgspec.ValidationError) and _is_json(text):
        return _why_invalid(str(error))
    return LineRefused(Reason.BAD_JSON, str(error)[:200])


def _is_json(text: bytes) -> bool:
    try:
        _parse_anything(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _why_invalid(complaint: str) -> LineRefused:
    match = _COMPLAINT.fullmatch(complaint)
    if match is None:
        return LineRefused(Reason.NOT_OBJECT, complaint)
    detail = f"{match['field']}: {match['what'].replace(' | null', '')}"
    if "out of range" in match["what"]:
        return LineRefused(_OUT_OF_RANGE.get(match["field"], Reason.BAD_TYPE), detail)
    return LineRefused(Reason.BAD_TYPE, detail)


def _price_units(price: float | None, decimals: int) -> tuple[int, bool]:
    if price is None:
        raise LineRefused(Reason.MISSING_FIELD, "price")
    if not 0.0 < price <= MAX_PRICE:
        raise LineRefused(Reason.BAD_PRICE, f"price: expected a number > 0 and <= 1e12, got {price!r}")
    units, exact = to_units(price, decimals)
    if units == 0:
        raise LineRefused(Reason.BAD_PRICE, f"price: {price!r} is 0 with {decimals} decimals")
    return units, exact


def _size_units(size: float | None, decimals: int) -> tuple[int, bool]:
    if size is None:
        return 0, True
    if not 0.0 <= size <= MAX_SIZE:
        raise LineRefused(Reason.BAD_SIZE, f"size: expected a number >= 0 and <= 1e15, got {size!r}")
    return to_units(size, decimals)


def event_time_ns(line: TickLine, record_ms: int) -> int:
    """The event time a line says, or else its record's. Raises LineRefused."""
    if line.event_time_ms is not None:
        return ns_of_ms(line.event_time_ms)
    if line.timestamp is not None:
        return ns_of_timestamp(line.timestamp)
    if line.ts is not None:
        return ns_of_timestamp(line.ts, "ts")
    return ns_of_ms(record_ms, "the record's timestamp")


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 80 else text[:79] + "…")
