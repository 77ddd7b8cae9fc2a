import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.store.records import Series, read_record
from connectors.errors import DecodeError
from tests.connectors.delivery.store.records import FIRST_MS, MINUTE, record_of, value_of
from udfs.model import Status


def test_a_record_is_read_and_its_bytes_are_left_as_they_are() -> None:
    value = value_of("BRK.B", 3, run=7, revision=2, time_frame="5min")
    record = read_record(value, 4, 99)
    assert record.value is value
    assert record.series == Series("BRK.B", "5min") == ("BRK.B", "5min")
    assert (record.start_ms, record.end_ms) == (FIRST_MS + 3 * MINUTE, FIRST_MS + 4 * MINUTE)
    assert (record.status, record.as_of_ms, record.emitted_ms) == (Status.REVISED, None, FIRST_MS + 4 * MINUTE + 800)
    assert record.version == (7, 2, 4, 99)


def test_a_forming_record_says_the_symbols_clock() -> None:
    record = record_of(status="forming", as_of_ms=FIRST_MS + 1)
    assert (record.status, record.as_of_ms) == (Status.FORMING, FIRST_MS + 1)


def test_versions_are_ordered_by_run_then_revision_then_place() -> None:
    ordered = [
        record_of(run=1, revision=9, partition=2, offset=90),
        record_of(run=2, revision=0, partition=0, offset=5),
        record_of(run=2, revision=0, partition=0, offset=6),
        record_of(run=2, revision=0, partition=1, offset=0),
        record_of(run=2, revision=1, partition=0, offset=1),
    ]
    assert sorted(reversed(ordered), key=lambda record: record.version) == ordered


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b"\xff\xfe",
        b" " + value_of(),
        b"\xef\xbb\xbf" + value_of(),
        value_of() + value_of(),
        value_of()[:-1],
        json.dumps(json.loads(value_of()), indent=1).encode(),
        value_of().replace(b",", b",\r", 1),
        value_of(note="§").replace(b"\\u00a7", b"\xa7"),
        value_of(close="NaN").replace(b'"NaN"', b"NaN"),
        value_of(stock_id="I BM"),
        value_of(stock_id=""),
        value_of(stock_id="I" * 65),
        value_of(time_frame="5T"),
        value_of(time_frame="7min"),
        value_of(status="closed"),
        value_of(start_ms=-MINUTE),
        value_of(start_ms=FIRST_MS + 1),
        value_of(start_ms=2**32 * MINUTE),
        value_of(start_ms=str(FIRST_MS)),
        value_of(start_ms=float(FIRST_MS)).replace(b".0,", b".5,", 1),
        value_of(end_ms=FIRST_MS),
        value_of(end_ms=2**63),
        value_of(run=-1),
        value_of(run=True),
        value_of(revision=None),
        value_of(as_of_ms="now"),
        value_of(deep=1).replace(b'"deep":1', b'"deep":' + b"[" * 100_000),
    ],
)  # fmt: skip
def test_what_could_not_be_kept_or_sent_as_it_is_is_no_record(value: bytes | None) -> None:
    with pytest.raises(DecodeError, match="not a result record"):
        read_record(value, 0, 0)


def test_fields_of_later_versions_do_not_matter() -> None:
    value = value_of(v=2, session="regular", results={"Mine": {"deep": [1, {"a": "ü"}]}})
    assert read_record(value, 0, 0).value == value


@given(st.binary(max_size=64), st.integers(0, 400), st.integers(0, 20))
def test_no_bytes_do_more_than_be_refused_and_what_is_taken_is_one_line_of_json(noise: bytes, place: int, cut: int) -> None:
    value = value_of()
    damaged = value[:place] + noise + value[place + cut :]
    try:
        record = read_record(damaged, 0, 0)
    except DecodeError:
        return
    assert record.start_ms == json.loads(damaged.decode())["start_ms"]
    assert damaged.startswith(b"{")
    assert not {b"\n", b"\r"} & {damaged[index : index + 1] for index in range(len(damaged))}
