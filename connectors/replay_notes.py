"""Notes among the dead letters: which of them were sent again. They are committed together with the ticks sent."""

from collections.abc import Iterable

import msgspec

from connectors.errors import DecodeError

_BEGIN = b'{"replayed":'


class ReplayNote(msgspec.Struct, frozen=True):
    """Dead letters of the note's own topic that were sent again, each `partition:offset`; and when."""

    replayed: tuple[str, ...]
    replayed_ms: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ReplayNote).decode


def encode_replay_note(letter_ids: Iterable[str], now_ms: int) -> bytes:
    """The value of a note; its record has no key."""
    return _encode(ReplayNote(tuple(letter_ids), now_ms))


def is_replay_note(value: bytes) -> bool:
    """Whether a record of the dead letters is a note, by how it begins; a dead letter begins with its reason."""
    return value.startswith(_BEGIN)


def decode_replay_note(value: bytes) -> ReplayNote:
    """The note that `value` holds. Raises DecodeError."""
    try:
        return _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DecodeError(f"not a note of dead letters replayed: {error}") from error
