"""Bytes that somebody sent, made fit to be shown."""

import re

from hypothesis import given
from hypothesis import strategies as st

from connectors.safe_text import safe_text


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
