"""The line that drops a symbol, and how little else does."""

import pytest

from connectors.codec import TickDecoder, encode_drop, encode_tick, is_drop
from connectors.tick_codec import Decoded
from udfs.model import Reason, Scales

DROP = b'{"stock_id":"IBM","op":"drop"}'


def decode(value: bytes, key: str = "IBM") -> Decoded:
    decoded = TickDecoder(Scales()).decode(key, value, 1_381_152_600_500, 5)
    assert decoded.lines == len(decoded.ticks) + len(decoded.refusals) + decoded.copies + decoded.drop
    return decoded


def test_what_is_encoded_is_known_again() -> None:
    assert encode_drop("IBM") == DROP
    assert is_drop("IBM", DROP)
    assert decode(DROP).drop


@pytest.mark.parametrize("value", [b' {"op" : "dr\\u006fp", "stock_id":"IBM"} \r\n', DROP + b"\n", DROP + b"\n\n"])
def test_blanks_and_escapes_do_not_matter(value: bytes) -> None:
    decoded = decode(value)
    assert (decoded.drop, decoded.ticks, decoded.refusals) == (True, [], [])


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("MSFT", DROP, Reason.KEY_MISMATCH),
        ("IBM", b'{"symbol":"IBM","op":"drop"}', Reason.MISSING_FIELD),
        ("IBM", b'{"stock_id":"IBM","op":"DROP"}', Reason.MISSING_FIELD),
        ("IBM", b'{"stock_id":"IBM","op":"drop","why":1}', Reason.MISSING_FIELD),
        ("IBM", DROP + b"\n" + DROP, Reason.MISSING_FIELD),
        ("IBM", b"\n" + DROP, Reason.BAD_JSON),
        ("I B", b'{"stock_id":"I B","op":"drop"}', Reason.BAD_SYMBOL),
        ("", DROP, Reason.KEY_MISMATCH),
    ],
)
def test_anything_else_is_judged_as_a_tick(key: str, value: bytes, reason: Reason) -> None:
    decoded = decode(value, key)
    assert not decoded.drop
    assert decoded.refusals[0].reason is reason


def test_a_tick_with_such_a_member_is_a_tick() -> None:
    value = encode_tick("IBM", 5.0, 1, 1_381_152_600_123)[:-1] + b',"op":"drop"}'
    decoded = decode(value)
    assert (len(decoded.ticks), decoded.drop) == (1, False)


def test_a_drop_among_ticks_does_not_take_them_with_it() -> None:
    decoded = decode(encode_tick("IBM", 5.0, 1, 1_381_152_600_123) + b"\n" + DROP)
    assert (len(decoded.ticks), len(decoded.refusals), decoded.drop) == (1, 1, False)
