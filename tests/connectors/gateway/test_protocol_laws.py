"""What holds whatever a client sends, however it is cut on its way, and in whatever order Kafka answers."""

import json
import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.gateway.batch import Batch
from connectors.gateway.coalesce import Coalescer, TickRecord
from connectors.gateway.limits import Limits
from tests.connectors.gateway.lines import NOW_MS, Heard, connection, heard, tick

LIMITS = Limits(max_line_bytes=200, errors_per_second=3)
CONTROL = [b'{"op":"hb"}', b'{"op":"dance"}', b'{"op":"hello","client":"late"}', b"", b"\r"]
GOOD = [tick("A"), tick("B"), tick("A", source="mine"), tick("C", event_time_ms=None), tick("B") + b"\r", tick("A", note="é")]
BAD = [b"bad", b"{", b"\xff", tick("A B"), tick(price=-1), tick(event_time_ms=0), b"x" * 201, tick(note="y" * 300), b'{"key":"k"}']
LINES = st.lists(st.sampled_from(CONTROL + GOOD + BAD), max_size=25)
FIRST = st.sampled_from([b"", b'{"op":"hello","client":"feed"}\n', b'{"op":"hello","replay":true}\n', b'{"op":"hello","v":9}\n'])
REST = st.sampled_from([b"", b"{", tick("A"), b"x" * 500, b'{"op":"hb"}'])


def seen(chunks: list[bytes]) -> Heard:
    return heard(*chunks, of=connection(LIMITS), end=True)


@settings(max_examples=300)
@given(FIRST, LINES, REST, st.lists(st.integers(0, 10_000), max_size=12))
def test_bytes_split_anywhere_give_the_same_events(first: bytes, lines: list[bytes], rest: bytes, places: list[int]) -> None:
    stream = first + b"".join(line + b"\n" for line in lines) + rest
    bounds = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    whole, cut, bytewise = (
        seen(chunks) for chunks in ([stream], [stream[begin:end] for begin, end in pairwise(bounds)], [bytes([byte]) for byte in stream])
    )
    for other in (cut, bytewise):
        assert (other.ticks, other.letters, other.said, other.closed) == (whole.ticks, whole.letters, whole.said, whole.closed)


@given(FIRST, LINES, REST)
def test_each_line_is_a_tick_or_a_dead_letter_and_numbered_in_order(first: bytes, lines: list[bytes], rest: bytes) -> None:
    out = seen([first + b"".join(line + b"\n" for line in lines) + rest])
    numbers = sorted([line for line, *_ in out.ticks] + [line for line, *_ in out.letters])
    assert numbers == list(range(len(numbers)))
    if not out.closed:
        counted = [line for line in lines if line not in CONTROL]
        assert len(numbers) == len(counted) + (rest not in (b"", b'{"op":"hb"}'))


@given(
    st.lists(st.lists(st.sampled_from(GOOD + BAD[:4]), min_size=1, max_size=12), min_size=1, max_size=6), st.randoms(use_true_random=False)
)
def test_an_ack_never_covers_a_line_that_is_not_settled_and_in_the_end_covers_all(chunks: list[list[bytes]], draw: random.Random) -> None:
    """Records of two connections that share them become durable in any order; each line is looked at one by one."""
    ones = [connection(LIMITS, name=name) for name in ("g1-0", "g1-1")]
    coalescer, under_way = Coalescer(3, 1_000), []
    lines: list[set[int]] = [set(), set()]
    for one in ones:
        heard(b'{"op":"hello"}\n', of=one)
    for texts in chunks:
        which = draw.randrange(2)
        for batch in heard(b"".join(text + b"\n" for text in texts), of=ones[which]).batches:
            lines[which] |= set(range(batch.first, batch.first + len(batch.texts)))
            for refused in batch.refused:
                batch.unsettled += 1
                under_way.append((batch, refused.refusal.line))
            coalescer.add(batch)
            batch.unsettled -= 1
        if draw.random() < 0.5:
            under_way += coalescer.take()
    under_way += coalescer.take()
    settled: list[set[int]] = [set(), set()]
    for item in draw.sample(under_way, len(under_way)):
        for batch, numbers in _lines_of(item):
            which = int(batch.origin.connection[-1])
            assert not settled[which] & numbers, "settled twice"
            settled[which] |= numbers
            batch.unsettled -= 1
        for one, done in zip(ones, settled, strict=True):
            one.settlement.advance()
            if (ack := one.answers.ack(0.0, at_once=True)) is not None:
                assert set(range(json.loads(ack.data)["n"])) <= done
    assert settled == lines
    for one, mine in zip(ones, lines, strict=True):
        assert (one.settlement.settled, one.settlement.all_settled) == (len(mine), True)


def _lines_of(item: TickRecord | tuple[Batch, int]) -> list[tuple[Batch, set[int]]]:
    """The lines of a record, or the one of a dead letter, by batch."""
    if isinstance(item, TickRecord):
        return [(batch, {batch.first + index for index in indices}) for batch, indices in item.parts]
    batch, line = item
    return [(batch, {line})]


def test_no_bytes_break_a_connection() -> None:
    draw = random.Random(11)
    for _ in range(300):
        one = connection(LIMITS)
        stream = bytearray(b"\n".join(draw.choices(CONTROL + GOOD + BAD, k=20)))
        for _ in range(30):
            stream[draw.randrange(len(stream))] = draw.randrange(256)
        out = heard(bytes(stream), of=one, end=True)
        assert one.settlement.received == len(out.ticks) + len(out.letters)
        assert all(event_ms <= NOW_MS + 5_000 for *_, event_ms in out.ticks)
