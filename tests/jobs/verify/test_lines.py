import pytest

from jobs.verify.lines import Copy, LineParser, ParsedTick
from udfs.model import Reason

RECORD_MS = 1_700_000_000_000


def parse(value: bytes | None, key: bytes | None = b"IBM") -> list[object]:
    return [parsed for _, parsed in LineParser(8, 8).parse_record(key, value, RECORD_MS)]


def only(value: bytes, key: bytes | None = b"IBM") -> ParsedTick:
    (parsed,) = parse(value, key)
    assert isinstance(parsed, ParsedTick)
    return parsed


def line(rest: str) -> bytes:
    return b'{"stock_id":"IBM","price":1,' + rest.encode() + b"}"


def test_a_tick_has_scaled_integers_and_nanoseconds() -> None:
    parsed = only(b'{"stock_id":"IBM","price":184.05,"size":100,"event_time_ms":1381152600123,"seq":17,"id":9,"source":"a","x":[1]}')
    assert parsed == ParsedTick("IBM", 1_381_152_600_123_000_000, 18_405_000_000, 10_000_000_000, True, True, 17, "9", "a")


def test_missing_size_is_0_and_missing_time_is_the_records() -> None:
    parsed = only(b'{"symbol":"IBM","price":2}')
    assert (parsed.size, parsed.event_time_ns) == (0, RECORD_MS * 1_000_000)


def test_aliases_count_where_the_field_itself_is_missing() -> None:
    assert only(line('"volume":3')).size == 300_000_000
    assert only(line('"size":2,"volume":3')).size == 200_000_000
    assert only(line('"event_time_ms":5,"ts":7')).event_time_ns == 5_000_000


@pytest.mark.parametrize(
    ("number", "units"),
    [
        ("0.000000005", 0),
        ("0.000000015", 2),
        ("0.000000025", 2),
        ("0.1", 10_000_000),
        ("1e-8", 1),
        ("12345678901.6", 1_234_567_890_160_000_000),
    ],
)
def test_a_size_is_its_shortest_decimal_rounded_half_even(number: str, units: int) -> None:
    assert only(line(f'"size":{number}')).size == units


@pytest.mark.parametrize(
    ("written", "ns"),
    [
        ('"timestamp":9000000000', 9_000_000_000 * 10**9),
        ('"ts":100000000000', 100_000_000_000 * 10**6),
        ('"ts":100000000000000', 100_000_000_000_000 * 10**3),
        ('"ts":100000000000000000', 100_000_000_000_000_000),
        ('"ts":1700000000.25', 1_700_000_000_250_000_000),
        ('"timestamp":"2023-11-14T22:13:20Z"', 1_700_000_000 * 10**9),
        ('"timestamp":"2023-11-14t23:13:20.1234567899+01:00"', 1_700_000_000_123_456_789),
        ('"timestamp":"2016-12-31T23:59:60Z"', 1_483_228_800 * 10**9),
    ],
)
def test_a_timestamp_is_read_by_magnitude_or_as_rfc_3339(written: str, ns: int) -> None:
    assert only(line(written)).event_time_ns == ns


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{", Reason.BAD_JSON),
        (b"", Reason.BAD_JSON),
        (b"[1]", Reason.NOT_OBJECT),
        (b'{"stock_id":"\xff"}', Reason.BAD_UTF8),
        (b'{"price":1}', Reason.MISSING_FIELD),
        (b'{"stock_id":"IBM"}', Reason.MISSING_FIELD),
        (b'{"stock_id":"I M","price":1}', Reason.BAD_SYMBOL),
        (b'{"stock_id":"ibm","price":1}', Reason.KEY_MISMATCH),
        (b'{"stock_id":"IBM","price":"1"}', Reason.BAD_TYPE),
        (b'{"stock_id":"IBM","price":true}', Reason.BAD_TYPE),
        (b'{"stock_id":"IBM","price":0}', Reason.BAD_PRICE),
        (b'{"stock_id":"IBM","price":1e-9}', Reason.BAD_PRICE),
        (b'{"stock_id":"IBM","price":1000000000000.1}', Reason.BAD_PRICE),
        (b'{"stock_id":"IBM","price":1e999}', Reason.BAD_TYPE),
        (line('"size":-1'), Reason.BAD_SIZE),
        (line('"size":1e16'), Reason.BAD_SIZE),
        (line('"seq":1.5'), Reason.BAD_TYPE),
        (line('"seq":9223372036854775808'), Reason.BAD_TYPE),
        (line('"event_time_ms":-1'), Reason.BAD_TIME),
        (line('"event_time_ms":9223372036855'), Reason.BAD_TIME),
        (line('"event_time_ms":"5"'), Reason.BAD_TYPE),
        (line('"ts":"2023-11-14T22:13:20"'), Reason.BAD_TIME),
        (line('"time_frame":"7x"'), Reason.UNKNOWN_TIME_FRAME),
        (line('"flags":[1]'), Reason.BAD_TYPE),
    ],
)
def test_a_malformed_line_is_refused(value: bytes, reason: Reason) -> None:
    assert parse(value) == [reason]


def test_a_number_no_double_holds_is_fine_in_a_field_without_a_meaning() -> None:
    assert only(line('"other":1e999')).price == 100_000_000


def test_flags_each_mean_their_own_half_and_unknown_ones_nothing() -> None:
    assert only(line('"flags":["no_price","odd"]'))[4:6] == (False, True)
    assert only(line('"flags":["no_volume"]'))[4:6] == (True, False)


def test_the_minute_copy_counts_and_the_others_are_dropped() -> None:
    assert only(line('"time_frame":"1m"')).price == 100_000_000
    assert parse(line('"time_frame":"5T"')) == [Copy("5T")]


def test_blank_lines_at_the_end_are_none_and_each_line_stands_alone() -> None:
    value = b'{"stock_id":"IBM","price":1}\n{\n{"stock_id":"MSFT","price":1}\n \r\n'
    assert [type(parsed) is ParsedTick or parsed for parsed in parse(value)] == [True, Reason.BAD_JSON, Reason.KEY_MISMATCH]


def test_a_record_without_a_key_is_keyed_by_its_first_line() -> None:
    value = b'{"symbol":"MSFT","price":0}\n{"stock_id":"MSFT","price":1}\n{"stock_id":"IBM","price":1}'
    first, second, third = parse(value, None)
    assert (first, third) == (Reason.BAD_PRICE, Reason.KEY_MISMATCH)
    assert isinstance(second, ParsedTick)


def test_a_null_value_with_a_key_is_one_refused_line() -> None:
    assert parse(None) == [Reason.BAD_JSON]
