"""Every message of `/v1/ws`, both ways, as it is on the wire; schemas are made from these types."""

from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

import msgspec

VERSION = 1
MessageId: TypeAlias = Annotated[int, msgspec.Meta(ge=0, lt=2**53)] | Annotated[str, msgspec.Meta(max_length=64)] | None
"""What a client calls its message; the answer repeats it."""
Hertz: TypeAlias = Annotated[float, msgspec.Meta(ge=0.01, le=50)]
Rows: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
EVERY_SYMBOL = "*"


class Mode(StrEnum):
    """What of a series a client is sent."""

    FINAL = "final"
    """Finals and revisions only, every one of them."""
    LIVE = "live"
    """Finals, revisions, and the newest forming bar."""
    LATEST = "latest"
    """The newest bar only; a final may be passed over for a newer bar, too."""


class ErrorCode(StrEnum):
    """Why something was refused, or a connection ends. The list is closed; `STATUS` gives each its number."""

    BAD_MESSAGE = "bad_message"
    NOT_AUTHENTICATED = "not_authenticated"
    AUTH_FAILED = "auth_failed"
    KEY_REVOKED = "key_revoked"
    ALREADY_AUTHENTICATED = "already_authenticated"
    AUTH_TIMEOUT = "auth_timeout"
    SYMBOL_LIMIT = "symbol_limit"
    CONNECTION_LIMIT = "connection_limit"
    SLOW_CLIENT = "slow_client"
    BAD_SYMBOL = "bad_symbol"
    BAD_TIME_FRAME = "bad_time_frame"
    TOO_MANY_RATES = "too_many_rates"
    SNAPSHOT_TOO_LARGE = "snapshot_too_large"
    RESUME_REFUSED = "resume_refused"
    RESUMED_ELSEWHERE = "resumed_elsewhere"
    INVALID_ACTION = "invalid_action"
    TOO_MANY_MESSAGES = "too_many_messages"
    SNAPSHOT_FAILED = "snapshot_failed"


STATUS = {
    ErrorCode.BAD_MESSAGE: 400,
    ErrorCode.NOT_AUTHENTICATED: 401,
    ErrorCode.AUTH_FAILED: 402,
    ErrorCode.KEY_REVOKED: 402,
    ErrorCode.ALREADY_AUTHENTICATED: 403,
    ErrorCode.AUTH_TIMEOUT: 404,
    ErrorCode.SYMBOL_LIMIT: 405,
    ErrorCode.CONNECTION_LIMIT: 406,
    ErrorCode.SLOW_CLIENT: 407,
    ErrorCode.BAD_SYMBOL: 409,
    ErrorCode.BAD_TIME_FRAME: 409,
    ErrorCode.TOO_MANY_RATES: 409,
    ErrorCode.SNAPSHOT_TOO_LARGE: 409,
    ErrorCode.RESUME_REFUSED: 410,
    ErrorCode.RESUMED_ELSEWHERE: 410,
    ErrorCode.INVALID_ACTION: 410,
    ErrorCode.TOO_MANY_MESSAGES: 429,
    ErrorCode.SNAPSHOT_FAILED: 500,
}
"""The number of each code: Alpaca's where Alpaca has one; 429 is HTTP's."""


# What a client wants ---------------------------------------------------------------------------------------------------


class Channel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Series, and what is wanted of them: each symbol in each time frame."""

    channel: Literal["bars"]
    symbols: tuple[str, ...]
    """`*` is every symbol, whatever comes."""
    time_frames: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    """Aliases are taken; answers are canonical."""
    indicators: tuple[str, ...] | None = None
    """Labels to keep in `results`; null is all of them."""
    mode: Mode = Mode.LIVE
    max_hz: Hertz | None = None
    """How often a second what is conflated may be sent; the first is sent at once. Null is the server's own pace."""
    snapshot: Rows = 0
    """How many of the newest stored bars of each series come first."""


class Dropped(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Series that are wanted no more; what is left out means all."""

    channel: Literal["bars"]
    symbols: tuple[str, ...] | None = None
    """`*` is what was subscribed as `*`."""
    time_frames: tuple[str, ...] | None = None


class Auth(msgspec.Struct, frozen=True, tag_field="op", tag="auth"):
    """The key, where it did not come with the handshake."""

    key: str
    id: MessageId = None


class Subscribe(msgspec.Struct, frozen=True, tag_field="op", tag="subscribe"):
    """More series; a series subscribed before is from now on sent as this says."""

    channels: Annotated[tuple[Channel, ...], msgspec.Meta(min_length=1)]
    id: MessageId = None


class Unsubscribe(msgspec.Struct, frozen=True, tag_field="op", tag="unsubscribe", omit_defaults=True):
    """Fewer series; without `channels` none."""

    channels: tuple[Dropped, ...] | None = None
    id: MessageId = None


class ListSubscriptions(msgspec.Struct, frozen=True, tag_field="op", tag="list"):
    """The question what is subscribed."""

    id: MessageId = None


class Ping(msgspec.Struct, frozen=True, tag_field="op", tag="ping"):
    """The question whether anybody is there."""

    id: MessageId = None


class Resume(msgspec.Struct, frozen=True, tag_field="op", tag="resume"):
    """Go on with the connection `conn`, of which `msg_seq` was the last numbered message seen."""

    conn: Annotated[str, msgspec.Meta(max_length=128)]
    msg_seq: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    id: MessageId = None


ClientMessage: TypeAlias = Auth | Subscribe | Unsubscribe | ListSubscriptions | Ping | Resume
CLIENT_MESSAGES = (Auth, Subscribe, Unsubscribe, ListSubscriptions, Ping, Resume)
