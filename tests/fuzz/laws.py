"""What holds for every stream of bytes that a client may send: the fuzzer looks for one where it does not."""

import json
import re
from typing import Any, NamedTuple

from connectors.control_lines import is_drop
from connectors.event_times import MAX_MS
from connectors.gateway.judge import Judge, TimeGuard, Verdict, with_field
from connectors.gateway.limits import Limits
from connectors.tick_codec import TickDecoder
from tests.connectors.gateway.lines import NOW_MS, Heard, connection, heard
from udfs.model import Scales

MAX_LINE = 400
LIMITS = Limits(max_line_bytes=MAX_LINE, errors_per_second=3)
ANY_TIME = TimeGuard(MAX_MS - NOW_MS, None)
JUDGE = Judge(Scales(), MAX_LINE)
DECODER = TickDecoder(Scales())
SYMBOL = re.compile(r"[A-Za-z0-9._:/=^+-]{1,64}")
STAMP = b'"source":"feed"'


class Said(NamedTuple):
    """What a verdict says of one line."""

    symbol: str | None
    """None for a line that is refused."""
    told: tuple[object, ...]


def check(data: bytes) -> None:
    """Raises AssertionError, or whatever our code raises, when a law does not hold for `data`.

    The first byte says how the rest, a client's stream, is cut on its way.
    """
    step, stream = data[:1], data[1:]
    _check_connection(stream, step[0] + 1 if step else 1)
    _check_lines([line for line in stream.split(b"\n") if len(line) <= MAX_LINE])
    _check_record(stream)


def _check_connection(stream: bytes, step: int) -> None:
    """Cut anywhere, the same; each line a tick or a dead letter; nothing of the future passes."""
    whole, cut = (_heard(chunks) for chunks in ([stream], [stream[at : at + step] for at in range(0, len(stream), step)]))
    assert (cut.ticks, cut.letters, cut.said, cut.closed) == (whole.ticks, whole.letters, whole.said, whole.closed)
    numbers = sorted([line for line, *_ in whole.ticks] + [line for line, *_ in whole.letters])
    assert numbers == list(range(len(numbers)))
    for _, symbol, line, time_ms in whole.ticks:
        assert time_ms <= NOW_MS + 5_000
        _check_passed(symbol, line)


def _heard(chunks: list[bytes]) -> Heard:
    one = connection(LIMITS)
    out = heard(*chunks, of=one, end=True)
    assert one.settlement.received == len(out.ticks) + len(out.letters)
    return out


def _check_passed(symbol: str, line: bytes) -> None:
    """What passes the gateway is a tick or a copy to the job, as the client sent it and with a source, and drops no symbol."""
    assert b"\n" not in line
    assert SYMBOL.fullmatch(symbol)
    for value in (line, with_field(line, STAMP)):
        decoded = DECODER.decode(symbol, value, NOW_MS, 0)
        assert (len(decoded.ticks) + decoded.copies, decoded.refusals, decoded.drop) == (1, [], False)
        assert not is_drop(symbol, value)


def _check_lines(lines: list[bytes]) -> None:
    """A line is judged alike by the careful way, by the short one, among others, and behind one of its symbol."""
    together = JUDGE.judge(lines, ANY_TIME, NOW_MS, {})
    for index, line in enumerate(lines):
        alone = _said(JUDGE._one_by_one(Verdict.nothing(), [line], ANY_TIME, NOW_MS, {}), 0)
        assert _said(together, index) == _said(JUDGE.judge([line], ANY_TIME, NOW_MS, {}), 0) == alone
        symbol = alone.symbol or _symbol_of(line)
        assert _said(JUDGE.judge([_plain(symbol), line], ANY_TIME, NOW_MS, {}), 1) == alone
        if alone.symbol is None:
            _check_refused(line, alone)


def _check_refused(line: bytes, alone: Said) -> None:
    """What the gateway refuses, the job would refuse for the same reason; it looks at nothing of a copy, and takes no drop from a feed."""
    decoded = DECODER.decode(_symbol_of(line), line, NOW_MS, 0)
    found = [(refusal.reason, refusal.detail) for refusal in decoded.refusals]
    stripped = _said(JUDGE.judge([line.rstrip(b" \t\r")], ANY_TIME, NOW_MS, {}), 0)  # the blanks at a record's end are none of its lines
    assert stripped.told[0] == alone.told[0]
    assert found == [stripped.told] or decoded.copies or decoded.drop


def _said(verdict: Verdict, index: int) -> Said:
    for symbol, (indices, times) in verdict.ticks.items():
        if index in indices:
            return Said(symbol, (times[indices.index(index)], verdict.mended.get(index), index in verdict.sourced))
    (refusal,) = (each for each in verdict.refused if each.line == index)
    return Said(None, (refusal.reason, refusal.detail))


def _check_record(value: bytes) -> None:
    """The decoder's short way through a record leads where the careful one does, and every line is accounted for."""
    symbol = _symbol_of(value.partition(b"\n")[0])
    decoded = DECODER.decode(symbol, value, NOW_MS, 3)
    assert decoded == DECODER._decode_with_care(symbol, value, NOW_MS, 3)
    assert decoded.lines == len(decoded.ticks) + len(decoded.refusals) + decoded.copies + decoded.drop


def _plain(symbol: str) -> bytes:
    """A line as most are, of a symbol if it is one."""
    named = symbol if SYMBOL.fullmatch(symbol) else "IBM"
    return json.dumps({"stock_id": named, "price": 10.5, "size": 100, "event_time_ms": NOW_MS}).encode()


def _symbol_of(line: bytes) -> str:
    """The key that a line's own record would have, as Python's parser reads it."""
    try:
        fields: Any = json.loads(line)
        named = fields["stock_id"] if fields.get("stock_id") is not None else fields.get("symbol")
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return ""
    return named if isinstance(named, str) else ""
