"""What of a record a client is sent: all of it, or only some indicators' values; made once, shared by all who want the same."""

import msgspec

from connectors.delivery.store.records import BarRecord

Labels = frozenset[str] | None
"""Indicators to keep; None is all of them."""
_BY_LABEL = ("results", "since")

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def select_indicators(value: bytes, labels: Labels) -> bytes:
    """The record `value` with only these indicators in `results` and `since`; every other byte of it means what it did.

    Raises msgspec.DecodeError where `value` is no JSON object.
    """
    if labels is None:
        return value
    record = _decode(value)
    for name in _BY_LABEL:
        if name in record:
            record[name] = _only(record[name], labels)
    return _encode(record)


def _only(outputs: msgspec.Raw, labels: frozenset[str]) -> msgspec.Raw:
    try:
        by_label = _decode(outputs)
    except msgspec.DecodeError:  # not an object, such as null: it has no indicator to leave out
        return outputs
    return msgspec.Raw(_encode({label: number for label, number in by_label.items() if label in labels}))


class Bodies:
    """One record as the end of a message, for each set of indicators anybody wants of it."""

    __slots__ = ("_made", "start_ms", "value")

    def __init__(self, value: bytes, start_ms: int) -> None:
        self.value = value
        self.start_ms = start_ms
        self._made: dict[Labels, bytes] = {}

    @classmethod
    def of(cls, record: BarRecord) -> "Bodies":
        """The bodies of `record`."""
        return cls(record.value, record.start_ms)

    def get(self, labels: Labels) -> bytes:
        """The record without its opening brace."""
        body = self._made.get(labels)
        if body is None:
            body = self._made[labels] = select_indicators(self.value, labels)[1:]
        return body
