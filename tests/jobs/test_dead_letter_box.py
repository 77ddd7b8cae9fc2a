"""Dead letters as people look at them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.dead_letter_box import age, parse_id, safe_text


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_no_byte_reaches_the_terminal_unprintable_and_none_is_lost(original: bytes) -> None:
    text = safe_text(original)
    assert text.isprintable()
    assert re.sub(r"\\(?:x..|u....|U........|.)|.", _bytes_of, text) == original.decode("latin-1")


def _bytes_of(piece: re.Match[str]) -> str:
    """What a piece of safe text stands for, a character for each byte."""
    text = piece[0]
    if text.startswith("\\x"):
        return chr(int(text[2:], 16))
    plain = text.encode().decode("unicode_escape") if text.startswith("\\") else text
    return plain.encode().decode("latin-1")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3_599, "59 min"), (7_200, "2 h"), (200_000, "2 d"), (-5, "0 s")]
)
def test_age_is_in_the_largest_unit_that_has_passed(seconds: int, text: str) -> None:
    assert age(0, seconds * 1_000) == text


def test_an_id_is_partition_and_offset() -> None:
    assert parse_id("3:1234") == (3, 1234)
    with pytest.raises(ValueError, match="dlq ls"):
        parse_id("1234")
