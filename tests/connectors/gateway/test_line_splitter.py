import sys
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from connectors.gateway.line_splitter import LineSplitter

MAX = 8


def split(chunks: list[bytes]) -> list[tuple[bytes, int]]:
    """Every line and its true length, the unfinished one at the end included."""
    splitter = LineSplitter(MAX)
    lines = [line for chunk in chunks for line in splitter.split(chunk).sized()]
    return [*lines, *splitter.finish().sized()]


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[begin:end] for begin, end in pairwise(bounds)]


@given(st.lists(st.text("ab\r", max_size=12).map(str.encode)), st.lists(st.integers(0, 200)))
def test_lines_are_the_same_wherever_the_stream_is_cut(lines: list[bytes], places: list[int]) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    assert split(cut(stream, places)) == [(line[:MAX], len(line)) for line in lines]


def test_a_rest_without_newline_is_the_last_line() -> None:
    assert split([b"one\ntw", b"o"]) == [(b"one", 3), (b"two", 3)]
    assert split([b"one\n"]) == [(b"one", 3)]


def test_a_line_without_end_takes_no_more_memory_than_a_line() -> None:
    splitter = LineSplitter(16_384)
    chunk = b"x" * 65_536
    for _ in range(1_000):
        assert splitter.split(chunk).texts == []
    assert splitter.unfinished == 65_536_000
    assert sum(sys.getsizeof(value) for value in vars(splitter).values()) < 20_000
    (line,) = splitter.split(b"\n").sized()
    assert (len(line[0]), line[1]) == (16_384, 65_536_000)
    assert splitter.split(b"next\n").texts == [b"next"]
