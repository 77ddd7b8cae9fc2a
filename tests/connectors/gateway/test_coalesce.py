import json
import random

from hypothesis import given
from hypothesis import strategies as st

from connectors.gateway.batch import Batch
from connectors.gateway.coalesce import Coalescer
from tests.connectors.gateway.lines import NOW_MS, connection, heard, records_of, tick

SYMBOLS = ["A", "B", "C"]


def batches_of(texts: list[bytes], hello: bytes = b"") -> list[Batch]:
    return heard(hello + b"".join(text + b"\n" for text in texts)).batches


@given(st.lists(st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=30), min_size=1, max_size=5), st.integers(1, 8))
def test_every_line_is_in_one_record_of_its_symbol_in_the_order_it_came(batches: list[list[str]], max_lines: int) -> None:
    numbered = iter(range(1_000))
    texts = [[tick(symbol, seq=next(numbered)) for symbol in batch] for batch in batches]
    records = records_of(*(batch for each in texts for batch in batches_of(each)), max_lines=max_lines)
    assert max(len(lines) for _, lines in records) <= max_lines
    for symbol in SYMBOLS:
        mine = [text for each in texts for text in each if json.loads(text)["stock_id"] == symbol]
        assert [line for named, lines in records for line in lines if named == symbol] == mine


def test_a_record_is_no_larger_than_a_batch_unless_one_line_is() -> None:
    draw = random.Random(3)
    texts = [tick(note="x" * draw.choice([1, 200, 900])) for _ in range(60)]
    sizes = [sum(map(len, lines)) for _, lines in records_of(*batches_of(texts), max_bytes=500)]
    assert len(sizes) > 20
    assert all(
        size <= 500 or len(lines) == 1 for size, (_, lines) in zip(sizes, records_of(*batches_of(texts), max_bytes=500), strict=True)
    )
    assert [line for _, lines in records_of(*batches_of(texts), max_bytes=500) for line in lines] == texts


def test_a_records_time_is_that_of_its_own_newest_tick() -> None:
    coalescer = Coalescer(2, 10_000)
    (batch,) = batches_of([tick(event_time_ms=NOW_MS - back) for back in (300, 400, 100, 200, 500)])
    coalescer.add(batch)
    assert [record.newest_ms - NOW_MS for record in coalescer.take()] == [-300, -100, -500]
    assert coalescer.take() == []


def test_a_batch_waits_for_each_record_that_holds_a_line_of_it() -> None:
    coalescer = Coalescer(2, 10_000)
    first, second = batches_of([tick("A"), tick("A"), tick("A"), tick("B")]) + batches_of([tick("A")])
    coalescer.add(first)
    coalescer.add(second)
    assert (first.unsettled, second.unsettled) == (1 + 3, 1 + 1)
    parts = [part.batch for record in coalescer.take() for part in record.parts]
    assert (parts.count(first), parts.count(second)) == (3, 1)


def test_a_record_taken_apart_has_a_line_each_with_its_own_time() -> None:
    coalescer = Coalescer(64, 10_000)
    (batch,) = batches_of([tick(seq=1, event_time_ms=NOW_MS - 7), tick("B"), tick(seq=2)])
    coalescer.add(batch)
    both, _ = coalescer.take()
    alone = both.alone()
    assert [(json.loads(record.value)["seq"], record.newest_ms - NOW_MS, record.lines) for record in alone] == [(1, -7, 1), (2, 0, 1)]
    assert batch.unsettled == 1 + 3


def test_the_clients_name_is_the_source_of_lines_that_have_none() -> None:
    hello = b'{"op":"hello","client":"feed-a"}\n'
    plain, named, spaced = tick(seq=1), tick(seq=2, source="mine"), tick(seq=3) + b" \r"
    timeless = tick(seq=4, event_time_ms=None, note="}{", source=None)
    for texts in ([plain], [plain, plain], [plain, named], [spaced, plain], [timeless, named, spaced]):
        ((_, lines),) = records_of(*batches_of(texts, hello))
        sent = [json.loads(text) for text in texts]
        expected = [{**each, "source": each.get("source") or "feed-a", "event_time_ms": NOW_MS} for each in sent]
        assert [json.loads(line) for line in lines] == expected


def test_without_a_name_lines_go_on_byte_for_byte() -> None:
    texts = [tick(seq=1), b'{ "stock_id" : "IBM", "price": 1e1, "size":0, "event_time_ms":%d, "x":"\xc3\xa9" }\r' % NOW_MS]
    assert records_of(*heard(b"\n".join(texts) + b"\n", of=connection()).batches) == [("IBM", texts)]
