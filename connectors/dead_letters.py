"""Dead letters: the one envelope every stage puts a line into that does not count, with where it came from."""

import msgspec

from connectors.errors import DecodeError
from connectors.tick_codec import split_lines
from udfs.model import Reason, Refusal

MAX_ORIGINAL = 256 * 1024
"""Bytes of an original that are kept; base64 makes them a third longer, which still fits a record of 1 MiB."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line that does not count: why, who found out, where it came from, and the line itself (base64 in JSON).

    The origin is (topic, partition, offset, line) of a record, or (client, connection, line) of a gateway's
    connection. A line above 256 KiB is cut: then `original_size` is its true length and `truncated` is set.
    """

    reason: Reason
    detail: str
    stage: str
    """The process that refused it: `gateway` or `job`."""
    received_ms: int
    original: bytes
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    client: str | None = None
    connection: str | None = None
    line: int | None = None
    """0-based within the record or the connection."""
    original_size: int | None = None
    truncated: bool = False

    @property
    def origin(self) -> str:
        """Where the line came from, for people."""
        if self.topic is not None:
            return f"{self.topic}/{self.partition}@{self.offset} line {self.line}"
        return f"{self.client or 'client'} {self.connection} line {self.line}"


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(DeadLetter).decode


def encode_dead_letter(letter: DeadLetter) -> bytes:
    """One JSON object, the original cut to `MAX_ORIGINAL` bytes; what is None or false is left out."""
    if len(letter.original) <= MAX_ORIGINAL:
        return _encode(letter)
    kept, size = letter.original[:MAX_ORIGINAL], len(letter.original)
    return _encode(msgspec.structs.replace(letter, original=kept, original_size=size, truncated=True))


def decode_dead_letter(value: bytes) -> DeadLetter:
    """The envelope `value` holds; fields of later versions are ignored. Raises DecodeError."""
    try:
        return _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"not a dead letter: {error}") from error


def dead_letter_of_line(
    refusal: Refusal, value: bytes | None, topic: str, partition: int, offset: int, stage: str, received_ms: int
) -> DeadLetter:
    """The envelope for one refused line of a record: that line, or all of the value when it is null or poison."""
    return DeadLetter(
        reason=refusal.reason,
        detail=refusal.detail,
        stage=stage,
        received_ms=received_ms,
        original=_original(refusal, value),
        topic=topic,
        partition=partition,
        offset=offset,
        line=refusal.line,
    )


def _original(refusal: Refusal, value: bytes | None) -> bytes:
    if value is None or refusal.reason is Reason.POISON:
        return value or b""
    return split_lines(value)[refusal.line]
