import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.codec import DeadLetter, TickDecoder, dead_letter_of_line, decode_dead_letter, encode_dead_letter
from connectors.errors import DecodeError
from udfs.model import Reason, Refusal, Scales


def letter_of(refusal: Refusal, value: bytes | None) -> DeadLetter:
    return dead_letter_of_line(refusal, value, "stock_data", 3, 17, "job", 1795348620123)


def test_the_envelope_holds_the_line_and_where_it_came_from() -> None:
    value = b'{"stock_id":"IBM","price":1}\n{"price":"\xff"}\r\n{"price":2}\n'
    (first, second) = TickDecoder(Scales()).decode("IBM", value, 1, 17).refusals
    assert json.loads(encode_dead_letter(letter_of(first, value))) == {
        "reason": "bad_utf8",
        "detail": "byte 10: invalid start byte",
        "stage": "job",
        "received_ms": 1795348620123,
        "original": base64.b64encode(b'{"price":"\xff"}\r').decode(),
        "topic": "stock_data",
        "partition": 3,
        "offset": 17,
        "line": 1,
    }
    assert letter_of(second, value).original == b'{"price":2}'


def test_poison_and_null_keep_all_of_the_value() -> None:
    assert letter_of(Refusal(Reason.POISON, "?", 1), b"a\nb\n").original == b"a\nb\n"
    assert letter_of(Refusal(Reason.BAD_JSON, "null value", 0), None).original == b""


@pytest.mark.parametrize(("size", "kept"), [(0, 0), (262_144, 262_144), (262_145, 262_144), (1 << 20, 262_144)])
def test_an_original_above_256_kib_is_cut(size: int, kept: int) -> None:
    original = b"x" * size
    value = encode_dead_letter(letter_of(Refusal(Reason.BAD_JSON, "?", 0), original))
    assert len(value) < 1_000_000
    record = json.loads(value)
    assert base64.b64decode(record["original"]) == original[:kept]
    assert (record.get("original_size"), record.get("truncated")) == ((size, True) if kept < size else (None, None))


@given(
    st.sampled_from(Reason), st.text(), st.binary(), st.none() | st.text(), st.none() | st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)
)
def test_decode_of_encode_is_identity(
    reason: Reason, detail: str, original: bytes, client: str | None, line: int | None, received_ms: int
) -> None:
    letter = DeadLetter(reason=reason, detail=detail, stage="gateway", received_ms=received_ms, original=original, client=client, line=line)
    assert decode_dead_letter(encode_dead_letter(letter)) == letter


@pytest.mark.parametrize("value", [b"", b"{}", b'{"reason":"no such"}', b"\xff", b"[" * 100_000])
def test_what_is_no_dead_letter_is_a_decode_error(value: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_dead_letter(value)
