"""What a delivery says to a client, frame by frame: bytes to messages."""

from collections.abc import Iterator

import msgspec

from connectors.delivery.live.server_messages import Ack, Bar, Bye, Error, Heartbeat, Pong, ServerMessage, Snapshot, StateMessage, Welcome


class NotADelivery(ValueError):
    """What came in is nothing that a delivery says."""


class Unreadable(msgspec.Struct, frozen=True):
    """A numbered message whose record is none: somebody else wrote into the topic."""

    msg_seq: int


class _Kind(msgspec.Struct):
    """What every message has, and the numbered ones."""

    T: str
    msg_seq: int | None = None


_KINDS = {"welcome": Welcome, "ack": Ack, "pong": Pong, "bar": Bar, "snapshot": Snapshot, "hb": Heartbeat, "status": StateMessage,
          "error": Error, "bye": Bye}  # fmt: skip
_decode = msgspec.json.Decoder(list[ServerMessage]).decode
_split = msgspec.json.Decoder(list[msgspec.Raw]).decode
_kind = msgspec.json.Decoder(_Kind).decode


def read_frame(frame: bytes | str) -> list[ServerMessage | Unreadable]:
    """The messages of one frame; those that a newer delivery may say are left out. Raises NotADelivery."""
    try:
        return [*_decode(frame)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return list(_one_by_one(frame))


def _one_by_one(frame: bytes | str) -> Iterator[ServerMessage | Unreadable]:
    try:
        for raw in _split(frame):
            kind = _kind(raw)
            if kind.T in _KINDS:
                yield _message(raw, kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotADelivery(f"{frame[:80]!r}: {error}") from error


def _message(raw: msgspec.Raw, kind: _Kind) -> ServerMessage | Unreadable:
    try:
        message: ServerMessage = msgspec.json.decode(raw, type=_KINDS[kind.T])
    except msgspec.ValidationError:
        if kind.T != "bar" or kind.msg_seq is None:
            raise
        return Unreadable(kind.msg_seq)
    return message
