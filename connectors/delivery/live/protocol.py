"""One client's side of the talk on `/v1/ws` as a state machine: messages and instants in, what is to be done out.

No socket, no clock: `now_s` is a monotonic one.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias, get_args

import msgspec

from connectors.delivery.live.limits import Limits
from connectors.delivery.live.messages import (
    STATUS,
    Auth,
    ClientMessage,
    ErrorCode,
    ListSubscriptions,
    MessageId,
    Ping,
    Resume,
    Subscribe,
    Unsubscribe,
)
from connectors.delivery.live.server_messages import Error

GOING_AWAY = 1001
POLICY = 1008
INTERNAL = 1011
RESTART = 1012
OVERLOADED = 1013
"""Why a WebSocket is closed (RFC 6455 section 7.4.1; 1012 and 1013 are in IANA's list)."""
BURST = 2
"""Seconds' worth of messages that may come at once."""
ANY_PERMIT_NEEDED = "say auth first, with a key that may read"


class Permit(Protocol):
    """Who a client is, and whether it still may."""

    @property
    def name(self) -> str:
        """The key's holder."""

    @property
    def holds(self) -> Callable[[], bool]:
        """Whether it is still good."""


Admit: TypeAlias = Callable[[str | None], Permit | None]
"""What a key lets its client do; None for one that may not read."""
Wish: TypeAlias = Subscribe | Unsubscribe | ListSubscriptions | Resume | Ping


class Admitted(NamedTuple):
    """The client has shown a key that may read."""

    id: MessageId


class Refused(NamedTuple):
    """The client is told that something cannot be; with `close` the connection ends."""

    error: Error
    close: int | None = None


Heard: TypeAlias = Wish | Admitted | Refused

_OPS = frozenset(each.__struct_config__.tag for each in get_args(ClientMessage))


class _Envelope(msgspec.Struct):
    op: str | None = None
    id: MessageId = None


_decode: Callable[[str | bytes], ClientMessage] = msgspec.json.Decoder(ClientMessage).decode
_decode_envelope = msgspec.json.Decoder(_Envelope).decode


class Conversation:
    """What one client says, judged: by form, by whether it may, by how often. `admit` judges keys; None where none is needed."""

    def __init__(self, limits: Limits, now_s: float, permit: Permit | None, admit: Admit | None = None) -> None:
        self.permit = permit
        """None: the client has shown no key yet."""
        self._limits = limits
        self._admit = admit
        self._deadline_s = now_s + limits.auth_timeout_s
        self._paid_until_s = now_s - BURST

    def receive(self, data: str | bytes, now_s: float) -> Heard:
        """A message came in; text and binary are taken alike."""
        if not self._may_speak(now_s):
            per_second = self._limits.messages_per_second
            return refused(ErrorCode.TOO_MANY_MESSAGES, f"at most {per_second} messages a second", close=POLICY)
        try:
            message = _decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            return _not_understood(data, str(error))
        if isinstance(message, Auth):
            return self._authenticate(message)
        if self.permit is None:
            return refused(ErrorCode.NOT_AUTHENTICATED, ANY_PERMIT_NEEDED, message.id)
        return message

    def check(self, now_s: float) -> Refused | None:
        """Time has passed: a key that did not come, or holds no more. To be called about once a second."""
        if self.permit is None:
            if now_s < self._deadline_s:
                return None
            return refused(ErrorCode.AUTH_TIMEOUT, f"no key within {self._limits.auth_timeout_s:g} s", close=POLICY)
        if self.permit.holds():
            return None
        return refused(ErrorCode.KEY_REVOKED, "the key was revoked, or the log-in has ended", close=POLICY)

    def _may_speak(self, now_s: float) -> bool:
        """Whether one more message is within the rate; a refused one counts as none."""
        paid_until_s = max(self._paid_until_s, now_s - BURST) + 1 / self._limits.messages_per_second
        if paid_until_s > now_s + 1e-9:
            return False
        self._paid_until_s = paid_until_s
        return True

    def _authenticate(self, message: Auth) -> Admitted | Refused:
        if self.permit is not None and self._admit is not None:
            return refused(ErrorCode.ALREADY_AUTHENTICATED, "a key was shown before", message.id)
        if self._admit is not None:
            self.permit = self._admit(message.key)
        if self.permit is None:
            return refused(ErrorCode.AUTH_FAILED, "no key that may read", message.id, close=POLICY)
        return Admitted(message.id)


def refused(code: ErrorCode, detail: str, message_id: MessageId = None, *, close: int | None = None) -> Refused:
    """A refusal with the status that belongs to `code`."""
    return Refused(Error(code=code, status=STATUS[code], detail=detail, id=message_id), close)


def _not_understood(data: str | bytes, why: str) -> Refused:
    try:
        envelope = _decode_envelope(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return refused(ErrorCode.BAD_MESSAGE, why)
    if envelope.op is not None and envelope.op not in _OPS:
        return refused(ErrorCode.INVALID_ACTION, f"op {envelope.op[:40]!a} is none of {', '.join(sorted(map(str, _OPS)))}", envelope.id)
    return refused(ErrorCode.BAD_MESSAGE, why, envelope.id)
