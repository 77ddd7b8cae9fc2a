"""What the server says on `/v1/ws` and `/v1/stream`: always an array of these, each told apart by `T`.

`bar` and `snapshot` are numbered: their `msg_seq` is one more than that of the one before, on one connection and on
those that resume it. The others are not.
"""

from typing import Literal, TypeAlias

import msgspec

from connectors.delivery.live.messages import VERSION, Channel, ErrorCode, MessageId
from udfs.model import Result


class Announced(msgspec.Struct, frozen=True):
    """Limits a client is told of in the welcome."""

    symbols: int
    """Symbols named in subscriptions; `*` is not counted."""
    msg_s: int
    """Messages a second, after a burst of twice as many."""
    snapshot_rows: int
    """Bars in the snapshots that one message asks for."""


class Welcome(msgspec.Struct, frozen=True, tag_field="T", tag="welcome"):
    """The first message. `conn` is what a later connection resumes."""

    conn: str
    heartbeat_ms: int
    limits: Announced
    v: int = VERSION


class Rejected(msgspec.Struct, frozen=True, omit_defaults=True):
    """A symbol or time frame that was not subscribed."""

    code: ErrorCode
    status: int
    stock_id: str | None = None
    time_frame: str | None = None


class Ack(msgspec.Struct, frozen=True, kw_only=True, tag_field="T", tag="ack", omit_defaults=True):
    """It was done.

    To `subscribe`: what of it was taken, and what was not; to `unsubscribe`, `list` and `resume`: all that is subscribed now.
    """

    id: MessageId
    subscribed: tuple[Channel, ...] | None = None
    rejected: tuple[Rejected, ...] | None = None
    snapshots: int | None = None
    """To `subscribe`: of how many series a snapshot will come."""
    conn: str | None = None
    """To `resume`: the connection that goes on."""
    msg_seq: int | None = None
    """To `resume`: the next numbered message is the one after this."""


class Pong(msgspec.Struct, frozen=True, tag_field="T", tag="pong"):
    """The answer to `ping`."""

    id: MessageId
    now_ms: int


class Bar(Result, frozen=True, kw_only=True, omit_defaults=True, tag_field="T", tag="bar"):
    """A result record as it is in its topic, indicators that are not wanted left out."""

    msg_seq: int
    conflated: int = 0
    """How many records of the series were passed over for this one."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, tag_field="T", tag="snapshot"):
    """Stored bars of a series, oldest first. Updates of the series go on exactly where its last snapshot message ends."""

    msg_seq: int
    channel: Literal["bars"]
    stock_id: str
    time_frame: str
    bars: tuple[Result, ...]
    done: bool
    """False: more bars of this series follow in the next snapshot message."""


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, tag_field="T", tag="hb"):
    """Once a second, whatever else is sent."""

    msg_seq: int
    """The number given last: a client that has not seen it has missed something."""
    now_ms: int
    newest_end_ms: int | None
    """The end of the newest final bar of all series."""
    lag_ms: int | None
    """How long the records of the last second took from the job to here, the slowest of them; null when none came."""


class StateMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="T", tag="status", omit_defaults=True):
    """Whether the server itself gets what it should; said when it changes, and after the welcome when all is not well."""

    state: Literal["ok", "degraded", "catching_up"]
    reason: str | None = None
    """Such as `kafka_unreachable`."""


class Error(msgspec.Struct, frozen=True, kw_only=True, tag_field="T", tag="error"):
    """Something was refused; without `id` it is the connection that ends."""

    code: ErrorCode
    status: int
    detail: str
    id: MessageId = None


class Bye(msgspec.Struct, frozen=True, kw_only=True, tag_field="T", tag="bye"):
    """The connection ends for no fault of the client's; come back after `retry_ms`.

    `shutdown`: this server goes, another may be there. `restart`: what was sent does not hold any more; take new snapshots.
    """

    code: Literal["shutdown", "restart"]
    retry_ms: int


ServerMessage: TypeAlias = Welcome | Ack | Pong | Bar | Snapshot | Heartbeat | StateMessage | Error | Bye
SERVER_MESSAGES = (Welcome, Ack, Pong, Bar, Snapshot, Heartbeat, StateMessage, Error, Bye)
