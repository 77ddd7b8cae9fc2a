"""The lines of `ndjson/1` that are no ticks: what a client says of itself, and what the gateway answers."""

import re

import msgspec

VERSION = 1
RETRY_MS = 1_000
HEARTBEAT = b'{"op":"hb"}\n'
_CLIENT = re.compile(r"[A-Za-z0-9._:/=^+@-]{1,64}")
_encode = msgspec.json.Encoder().encode
_STATUS = {"unauthorized": 401, "too_long": 413}
BLANK = (b"", b"\r")
"""Lines that are none."""
BAD_OP = "bad_op"
"""The code of an answer to a control line that cannot be understood; it is no reason of a dead letter."""


class ControlLine(msgspec.Struct):
    """A control line has an `op` and names no symbol; everything else of it is looked at later."""

    op: str
    stock_id: object = None
    symbol: object = None


class FirstLine(msgspec.Struct):
    """What makes a first line one that may hold a secret."""

    op: object = None
    key: object = None


class Hello(msgspec.Struct):
    """How a client introduces itself."""

    v: int = VERSION
    key: str | None = None
    client: str | None = None
    """Becomes the `source` of its lines that have none."""
    replay: bool = False
    """Ticks of the past: of any age, and no sign of what time it is."""


_parse_control = msgspec.json.Decoder(ControlLine).decode
_parse_first = msgspec.json.Decoder(FirstLine).decode
_parse_hello = msgspec.json.Decoder(Hello).decode


def may_be_among(data: bytes, first: bytes) -> bool:
    """Whether a blank or a control line may be among the lines that `data` ended, the first of which is `first`; never misses one."""
    return b'"op"' in data or b"\n\n" in data or b"\n\r" in data or first in BLANK or b'"op"' in first


def op_of(text: bytes) -> str | None:
    """The `op` of a control line; None for any other line."""
    try:
        line = _parse_control(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return line.op if line.stock_id is None and line.symbol is None else None


def may_hold_a_secret(text: bytes) -> bool:
    """Whether a first line looks like a hello, whole or broken: it must never be kept."""
    if b'"key"' in text or b'"op"' in text:
        return True
    try:
        line = _parse_first(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return line.op is not None or line.key is not None


def looks_like_a_hello(text: bytes) -> bool:
    """Whether a line that is no control line looks like a hello that was broken on its way: wherever it comes, it is not kept."""
    return b'"key"' in text and b'"op"' in text


def parse_hello(text: bytes) -> Hello | str:
    """The hello of a control line, or what is wrong with it."""
    try:
        hello = _parse_hello(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return f"hello: {error}"
    if hello.v != VERSION:
        return f"hello: v: expected {VERSION}"
    if hello.client is not None and _CLIENT.fullmatch(hello.client) is None:
        return "hello: client: expected 1 to 64 of A-Za-z0-9._:/=^+@-"
    return hello


def welcome(connection: str, max_line: int, heartbeat_s: float) -> bytes:
    """The answer to a hello."""
    return _line({"op": "welcome", "v": VERSION, "conn": connection, "max_line": max_line, "heartbeat_ms": round(heartbeat_s * 1_000)})


def ack(lines: int, bad: int) -> bytes:
    """The first `lines` lines are durable, `bad` of them as dead letters."""
    return b'{"op":"ack","n":%d,"bad":%d}\n' % (lines, bad)


def error(code: str, detail: str, line: int | None = None) -> bytes:
    """Line number `line` (0-based) is refused; or a control line is, which has no number."""
    numbered = {} if line is None else {"line": line}
    return _line({"op": "err", **numbered, "code": code, "status": _STATUS.get(code, 400), "detail": detail})


def suppressed(count: int) -> bytes:
    """`count` more lines were refused."""
    return b'{"op":"err","code":"suppressed","n":%d}\n' % count


def hint(line: int, detail: str) -> bytes:
    """Line number `line` counts, but could be said better."""
    return _line({"op": "hint", "line": line, "detail": detail})


def bye(code: str) -> bytes:
    """The connection ends here, and why; come again in `retry_ms`."""
    return _line({"op": "bye", "code": code, "retry_ms": RETRY_MS})


def _line(message: dict[str, object]) -> bytes:
    return _encode(message) + b"\n"
