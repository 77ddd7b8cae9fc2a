"""Lines that feeds get wrong: out of a grammar, and good ones with a few bytes changed. A seed says which, always the same."""

import json
import random
from collections.abc import Callable, Iterator

SYMBOLS = tuple(f"M{number}" for number in range(10))
"""What their symbols are before anything goes wrong: no good line of a test should have one of these."""
WRONG = {
    "stock_id": (None, "", "A B", "é", "x" * 65, 5, ["M1"], {"M1": 1}, True),
    "price": (None, 0, -1, 1e-9, 1e13, "10.5", True, [10.5], {}, 10**400),
    "size": (-1, 1e16, "100", False, [1]),
    "event_time_ms": (-1, 2**70, "now", "", [], 4_070_908_800_000, True),
    "seq": (2**64, "7", 0.5, []),
    "id": (1.5, [], {}),
    "source": (3, []),
    "flags": ("no_price", [1], {}),
    "time_frame": ("7sec", "", 5),
}
NONSENSE = (
    b"{", b"}", b"{}", b"[]", b"null", b"42", b'"text"', b"true", b"nonsense", b"GET / HTTP/1.1",
    b"\x00" * 8, b"\xff\xfe\xfd", b"\xed\xa0\x80", b"[" * 9_000, b'{"op"',
    b'{"stock_id":"\\ud800","price":1}', b'{"stock_id":"M1","price":NaN}', b'{"stock_id":"M1","price":1e999}',
    b'{"stock_id":"M1","op":"drop"}', b'{"stock_id":"M1","price":1}{"stock_id":"M1"',
    b'{"stock_id":"M1","price":1,"x":' + b"[" * 3_000 + b"]" * 3_000 + b"}",
)  # fmt: skip
LONG = b'{"stock_id":"M1","price":1,"note":"' + b"y" * 20_000 + b'"}'


def malformed_lines(seed: int, event_time_ms: int) -> Iterator[bytes]:
    """Lines without end, none with a newline in it. A few turn out to be good ones all the same."""
    draw = random.Random(seed)
    makers: tuple[Callable[[random.Random, int], bytes], ...] = (_wrong_field, _missing_field, _cut, _mutated, _mutated, _nonsense)
    while True:
        yield draw.choice(makers)(draw, event_time_ms)


def _fields(draw: random.Random, event_time_ms: int) -> dict[str, object]:
    """Those of a good line."""
    return {
        "stock_id": draw.choice(SYMBOLS),
        "price": round(draw.uniform(1, 500), 2),
        "size": draw.randrange(1, 1_000),
        "event_time_ms": event_time_ms + draw.randrange(60_000),
        "seq": draw.randrange(1_000_000),
    }


def _line(fields: dict[str, object]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


def _wrong_field(draw: random.Random, event_time_ms: int) -> bytes:
    name = draw.choice(tuple(WRONG))
    return _line({**_fields(draw, event_time_ms), name: draw.choice(WRONG[name])})


def _missing_field(draw: random.Random, event_time_ms: int) -> bytes:
    fields = _fields(draw, event_time_ms)
    del fields[draw.choice(("stock_id", "price"))]
    return _line(fields)


def _cut(draw: random.Random, event_time_ms: int) -> bytes:
    line = _line(_fields(draw, event_time_ms))
    return line[: draw.randrange(1, len(line))]


def _nonsense(draw: random.Random, _event_time_ms: int) -> bytes:
    return LONG if draw.random() < 0.003 else draw.choice(NONSENSE)


def _mutated(draw: random.Random, event_time_ms: int) -> bytes:
    """One to four bytes changed, put in or taken out."""
    line = bytearray(_line(_fields(draw, event_time_ms)))
    for _ in range(draw.randint(1, 4)):
        at, byte = draw.randrange(len(line)), draw.choice((0, 9, 13, 34, 44, 92, 123, 125, draw.randrange(11, 256)))
        line[at : at + draw.randint(0, 1)] = bytes([byte]) * draw.randint(0, 1)
    return bytes(line) or b"?"
