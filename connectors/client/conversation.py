"""A client's side of `ndjson/1` as a state machine, over as many connections as it takes: bytes and instants in, bytes out.

No socket, no clock: `now_s` is a monotonic one.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from connectors.client.answers import Ack, Answer, AnswerReader, Bye, Err, NotAGateway, Suppressed, Welcome
from connectors.client.outbox import Chunk, Outbox
from connectors.gateway.control_lines import BLANK, HEARTBEAT, VERSION, op_of

HELLO_PATIENCE_S = 10.0
"""How long a gateway may take to say welcome."""
MISSED_HEARTBEATS = 3
"""Silence of so many of the gateway's heartbeats means that it is gone."""
FINAL = frozenset({"unauthorized", "forbidden", "bad_op"})
"""Goodbyes after which trying again is of no use."""


class Refused(NamedTuple):
    """A line that does not count. The gateway keeps it as a dead letter, unless `code` is `bad_op`: such a line is never sent."""

    line: bytes | None
    """None when the gateway did not say which line it was."""
    code: str
    """Of the closed list of reasons."""
    status: int
    detail: str


class Conversation:
    """What one client has to say, and how far the gateway has taken it.

    A line given to `say` is sent on each connection until one of them acknowledges it, and on none after that; lines
    are acknowledged in their order. `on_refused` hears of lines that do not count; of one sent twice perhaps twice.
    """

    def __init__(self, client: str, limit_bytes: int, on_refused: Callable[[Refused], None], *, key: str | None, replay: bool) -> None:
        self.outbox = Outbox(limit_bytes)
        self.welcome: Welcome | None = None
        """What the gateway of this connection said to our hello; None before."""
        self.bye: Bye | None = None
        """Why this connection ends, once that is known."""
        self.acked = 0
        """Lines acknowledged, over all connections."""
        self.bad = 0
        """Dead letters among them."""
        self.suppressed = 0
        """Lines that do not count and of which we were not told one by one."""
        self._hello = _hello(client, key, replay=replay)
        self._on_refused = on_refused
        self._answers = AnswerReader()
        self._lines_acked = self._bad_acked = 0
        self._said_s = 0.0

    @property
    def patience_s(self) -> float:
        """For how long the gateway may say nothing."""
        return HELLO_PATIENCE_S if self.welcome is None else MISSED_HEARTBEATS * self.welcome.heartbeat_s

    @property
    def refused_for_good(self) -> bool:
        """Whether the gateway will not have us."""
        return self.bye is not None and self.bye.code in FINAL

    def say(self, chunk: Chunk) -> None:
        """Take lines that are to be acknowledged."""
        self.outbox.add(chunk)

    def begin(self, now_s: float) -> bytes:
        """A connection is made: what to send first."""
        self.outbox.begin()
        self.welcome = self.bye = None
        self._answers = AnswerReader()
        self._lines_acked = self._bad_acked = 0
        self._said_s = now_s
        return self._hello

    def to_send(self, now_s: float, limit_bytes: int) -> bytes:
        """What to send next: lines once we are welcome, a heartbeat when there has been nothing for a while."""
        if self.welcome is None or self.bye is not None:
            return b""
        data = self.outbox.take(limit_bytes)
        if not data and now_s - self._said_s >= self.welcome.heartbeat_s:
            data = HEARTBEAT
        if data:
            self._said_s = now_s
        return data

    def receive(self, data: bytes) -> None:
        """Bytes came in. What no gateway says ends the connection."""
        try:
            for answer in self._answers.read(data):
                self._take(answer)
        except NotAGateway as error:
            self.bye = Bye(f"not a gateway: {error}", 0.0)

    def _take(self, answer: Answer) -> None:
        if isinstance(answer, Ack):
            self._acknowledge(answer)
        elif isinstance(answer, Err):
            line = self.outbox.line(answer.number) if self.welcome is not None and answer.number is not None else None
            self._on_refused(Refused(line, answer.code, answer.status, answer.detail))
        elif isinstance(answer, Suppressed):
            self.suppressed += answer.lines
        elif isinstance(answer, Welcome):
            self.welcome = answer
        else:
            self.bye = answer

    def _acknowledge(self, ack: Ack) -> None:
        if not self.outbox.ack(ack.lines):
            raise NotAGateway(f"an ack of {ack.lines} lines")
        self.acked += ack.lines - self._lines_acked
        self.bad += ack.bad - self._bad_acked
        self._lines_acked, self._bad_acked = ack.lines, ack.bad


def check_line(line: bytes) -> str | None:
    """Why `line` cannot be sent as a tick; None when it can. A gateway numbers every line but blank and control lines."""
    if b"\n" in line:
        return "a line has no newline within"
    if line in BLANK:
        return "a blank line"
    if b'"op"' in line and (op := op_of(line)) is not None:
        return f"a control line: op {op[:40]!a}"
    return None


def _hello(client: str, key: str | None, *, replay: bool) -> bytes:
    said: dict[str, object] = {"op": "hello", "v": VERSION, "client": client}
    if key is not None:
        said["key"] = key
    if replay:
        said["replay"] = True
    return msgspec.json.encode(said) + b"\n"
