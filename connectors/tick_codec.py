"""Tick records: the value of a Kafka record to ticks and refusals, and a tick to the line a producer sends.

Decoding is total: whatever the bytes, nothing is raised, and lines == ticks + refusals + copies (+ 1 for a drop).
"""

from collections.abc import Sequence

import msgspec

from connectors.control_lines import is_drop
from connectors.errors import LineRefused
from connectors.event_times import NS_PER_MS
from connectors.numbers import EXACT_BELOW, scale_factor
from connectors.tick_lines import (
    FLAG_NAMES,
    PlainLine,
    TickLine,
    check_symbol,
    is_copy,
    is_symbol,
    parse_plain_lines,
    parse_tick_line,
    tick_of_line,
    why_unparsable,
)
from udfs.model import Reason, Refusal, Scales, Tick

_BLANKS = b" \t\r\n"
_new_tick = tuple.__new__  # half the price of calling the class
_encode_line = msgspec.json.Encoder().encode


class Decoded(msgspec.Struct, gc=False):
    """What one record held; `lines == len(ticks) + len(refusals) + copies + drop`, always."""

    ticks: list[Tick]
    refusals: list[Refusal]
    copies: int
    """Lines dropped because their producer publishes one copy a time frame; the `1min` copy counts."""
    rounded: int
    """Ticks whose price or size has more decimals than are kept."""
    lines: int
    drop: bool = False
    """The record drops its symbol, see `connectors.control_lines`; it is nothing else then."""


def encode_tick(
    stock_id: str,
    price: float,
    size: float | None = None,
    event_time_ms: int | None = None,
    *,
    seq: int | None = None,
    id: str | None = None,
    source: str | None = None,
    flags: int = 0,
) -> bytes:
    """One line without its newline; what is None is left out. `flags` is a mask of `Flags`."""
    return _encode_line(TickLine(stock_id, price, size, event_time_ms, seq, id, source, FLAG_NAMES[flags]))


def split_lines(value: bytes) -> list[bytes]:
    """The lines of a tick record; blank ones at its end are none. Line numbers of refusals index this list."""
    return value.rstrip(_BLANKS).split(b"\n")


class TickDecoder:
    """Decodes the values of `stock_data` with the scales of one state."""

    def __init__(self, scales: Scales) -> None:
        self._scales = scales
        self._price_factor = scale_factor(scales.price_decimals)
        self._size_factor = scale_factor(scales.size_decimals)

    def decode(self, symbol: str, value: bytes | None, record_ms: int, offset: int) -> Decoded:
        """The ticks of `symbol` (the record's key, "" for none) in `value`; `record_ms` is the record's timestamp.

        Each line is an object of its own; a null or empty value is one refused line. Never raises.
        """
        if value is None:
            return _refused_whole(Reason.BAD_JSON, "null value")
        try:
            if not value.isascii():
                value.decode()  # the parser does not look into what it skips
            if value[-1] == 10:
                value = value.rstrip(_BLANKS)
            lines = parse_plain_lines(value)
            # Each object a line: the parser would take two from one line, and one from two.
            is_plain = value.startswith(b"{") and value.count(b"}\n{") == value.count(b"\n") == len(lines) - 1
        except Exception:
            is_plain = False
        return (self._count_plain(symbol, lines, offset) if is_plain else None) or self._decode_with_care(symbol, value, record_ms, offset)

    def _count_plain(self, symbol: str, lines: Sequence[PlainLine], offset: int) -> Decoded | None:
        """The hot path: every line a tick of `symbol`, whose price and size are kept as they are; None when one is not."""
        if not is_symbol(symbol):
            return None
        ticks: list[Tick] = []
        append, price_factor, size_factor = ticks.append, self._price_factor, self._size_factor
        for number, line in enumerate(lines):
            price, size = line.price, line.size
            price_units, size_units = int(price * price_factor + 0.5), int(size * size_factor + 0.5)
            if (
                line.stock_id != symbol
                or price_units >= EXACT_BELOW
                or size_units >= EXACT_BELOW
                or price_units / price_factor != price
                or size_units / size_factor != size
            ):
                return None
            time_ns = line.event_time_ms * NS_PER_MS
            append(_new_tick(Tick, (time_ns, price_units, size_units, 0, line.seq, line.id, line.source, offset, number)))
        return Decoded(ticks, [], 0, 0, len(ticks))

    def _decode_with_care(self, symbol: str, value: bytes, record_ms: int, offset: int) -> Decoded:
        """The way of a record with something special in it: each line stands or falls alone."""
        try:
            texts = split_lines(value)
        except Exception as error:
            return _refused_whole(Reason.POISON, f"{type(error).__name__}: {error}"[:200])
        decoded, may_drop = Decoded([], [], 0, 0, len(texts)), True
        for number, text in enumerate(texts):
            try:
                text.decode()  # the parser does not look into what it skips
                line = parse_tick_line(text)
            except Exception as error:
                may_drop = False
                refused = why_unparsable(text, error)
                decoded.refusals.append(Refusal(refused.reason, refused.detail, number))
            else:
                self._judge(decoded, line, number, symbol, record_ms, offset)
        return Decoded([], [], 0, 0, 1, drop=True) if may_drop and decoded.refusals and is_drop(symbol, value) else decoded

    def _judge(self, decoded: Decoded, line: TickLine, number: int, symbol: str, record_ms: int, offset: int) -> None:
        """Any line that could be parsed: a tick, a copy for another frame, or a refusal."""
        try:
            check_symbol(line, symbol)
            if is_copy(line):
                decoded.copies += 1
                return
            tick, rounded = tick_of_line(line, number, record_ms, offset, self._scales)
        except LineRefused as refused:
            decoded.refusals.append(Refusal(refused.reason, refused.detail, number))
        except Exception as error:
            decoded.refusals.append(Refusal(Reason.POISON, f"{type(error).__name__}: {error}"[:200], number))
        else:
            decoded.ticks.append(tick)
            decoded.rounded += rounded


def _refused_whole(reason: Reason, detail: str) -> Decoded:
    return Decoded([], [Refusal(reason, detail, 0)], 0, 0, 1)
