"""What a gateway says to a client, line by line: bytes to answers."""

from typing import Any, NamedTuple, TypeAlias

import msgspec

MAX_ANSWER_BYTES = 64 * 1024
"""A gateway says nothing so long: what does not end by then was not said by one."""


class Welcome(NamedTuple):
    """The gateway takes our lines."""

    connection: str
    max_line: int
    heartbeat_s: float


class Ack(NamedTuple):
    """The first `lines` lines of this connection are durable, `bad` of them as dead letters."""

    lines: int
    bad: int


class Err(NamedTuple):
    """Line `number` of this connection does not count; without a number, a control line."""

    number: int | None
    code: str
    status: int
    detail: str


class Suppressed(NamedTuple):
    """`lines` more lines do not count, and are not told of one by one."""

    lines: int


class Bye(NamedTuple):
    """The connection ends here."""

    code: str
    retry_s: float


Answer: TypeAlias = Welcome | Ack | Err | Suppressed | Bye


class NotAGateway(ValueError):
    """What came in is nothing that a gateway says."""


class _Line(msgspec.Struct):
    """Every field that any answer has."""

    op: str
    conn: str = ""
    max_line: int = 16 * 1024
    heartbeat_ms: int = 15_000
    n: int = 0
    bad: int = 0
    line: int | None = None
    code: str = ""
    status: int = 400
    detail: str = ""
    retry_ms: int = 1_000


_parse = msgspec.json.Decoder(_Line).decode


class AnswerReader:
    """Takes a connection's bytes as they come; one reader a connection."""

    def __init__(self) -> None:
        self._rest = b""

    def read(self, data: bytes) -> list[Answer]:
        """The answers that `data` completes. Raises NotAGateway."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_ANSWER_BYTES:
            raise NotAGateway(f"a line of more than {MAX_ANSWER_BYTES} bytes")
        return [answer for line in lines if (answer := _answer(line)) is not None]


def _answer(text: bytes) -> Answer | None:
    """None for a heartbeat, a hint, and what a newer gateway may say."""
    try:
        line = _parse(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotAGateway(f"{text[:80]!r}: {error}") from error
    make = _ANSWERS.get(line.op)
    return None if make is None else make(line)


def _err(line: _Line) -> Answer:
    return Suppressed(line.n) if line.code == "suppressed" else Err(line.line, line.code, line.status, line.detail)


_ANSWERS: dict[str, Any] = {
    "welcome": lambda line: Welcome(line.conn, line.max_line, line.heartbeat_ms / 1_000),
    "ack": lambda line: Ack(line.n, line.bad),
    "err": _err,
    "bye": lambda line: Bye(line.code, line.retry_ms / 1_000),
}
