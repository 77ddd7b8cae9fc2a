import json
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.codec import Decoded, TickDecoder, encode_tick
from udfs.model import Flags, Reason, Scales, Tick

RECORD_MS = 1_381_152_600_500
SCALES = Scales()
symbols = st.text("ABCXYZabcxyz0189._:/=^+-", min_size=1, max_size=64)
prices = st.floats(1e-8, 1e12)
sizes = st.floats(0, 1e15)


def decode(value: bytes | None, key: str = "IBM", record_ms: int = RECORD_MS, scales: Scales = SCALES) -> Decoded:
    decoded = TickDecoder(scales).decode(key, value, record_ms, 5)
    assert decoded.lines == len(decoded.ticks) + len(decoded.refusals) + decoded.copies
    return decoded


def line(**fields: object) -> bytes:
    return json.dumps({"stock_id": "IBM", "price": 184.05, **fields}).encode()


def only_tick(value: bytes, **kwargs: object) -> Tick:
    decoded = decode(value, **kwargs)  # type: ignore[arg-type]
    assert not decoded.refusals
    (tick,) = decoded.ticks
    return tick


def only_reason(value: bytes | None, key: str = "IBM", record_ms: int = RECORD_MS) -> Reason:
    decoded = decode(value, key, record_ms)
    assert not decoded.ticks
    (refusal,) = decoded.refusals
    assert refusal.detail
    return refusal.reason


def test_a_plain_line_is_a_tick_in_scaled_integers_and_nanoseconds() -> None:
    value = b'{"stock_id":"IBM","price":184.05,"size":100,"event_time_ms":1381152600123,"seq":17}'
    assert only_tick(value) == Tick(1381152600123000000, 18405000000, 10000000000, 0, 17, None, None, 5, 0)


def test_optional_fields_arrive() -> None:
    tick = only_tick(line(size=1, event_time_ms=1, id="t-9", source="feed-a", flags=["no_price", "no_volume"]))
    assert (tick.trade_id, tick.source, tick.flags) == ("t-9", "feed-a", Flags.NO_PRICE | Flags.NO_VOLUME)


@pytest.mark.parametrize(("id", "kept"), [(7, "7"), ("7", "7"), (10**30, str(10**30)), (-1, "-1"), (None, None)])
def test_a_trade_id_is_kept_as_text(id: object, kept: str | None) -> None:
    assert only_tick(line(id=id, size=1, event_time_ms=1)).trade_id == kept


def test_flags_nobody_knows_are_kept_out_of_the_way() -> None:
    assert only_tick(line(flags=["odd_lot", "no_volume"])).flags == Flags.NO_VOLUME


def test_aliases_name_the_same_tick() -> None:
    value = b'{"symbol":"IBM","price":184.05,"volume":100,"timestamp":1381152600123}'
    assert only_tick(value) == only_tick(line(size=100, event_time_ms=1381152600123))


def test_the_proper_name_wins_over_its_alias() -> None:
    assert only_tick(line(symbol="MSFT", size=1, volume=2, event_time_ms=3, timestamp=4, ts=5)) == only_tick(line(size=1, event_time_ms=3))


def test_a_missing_event_time_is_the_records_timestamp_and_a_missing_size_is_zero() -> None:
    tick = only_tick(line(price=1))
    assert (tick.event_time_ns, tick.size) == (RECORD_MS * 10**6, 0)


def test_null_is_the_same_as_absent() -> None:
    absent = dict.fromkeys(("size", "event_time_ms", "seq", "id", "source", "flags", "symbol", "volume", "timestamp", "ts", "time_frame"))
    assert only_tick(line(**absent)) == only_tick(line())


def test_lines_are_numbered_from_zero_and_refused_ones_do_not_stop_the_others() -> None:
    decoded = decode(b"\n".join([line(seq=0), b"nonsense", line(seq=2), b"", line(seq=4), b"", b" \r"]))
    assert [(tick.line, tick.seq, tick.offset) for tick in decoded.ticks] == [(0, 0, 5), (2, 2, 5), (4, 4, 5)]
    assert [(refusal.line, refusal.reason) for refusal in decoded.refusals] == [(1, Reason.BAD_JSON), (3, Reason.BAD_JSON)]
    assert decoded.lines == 5


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n \n"])
def test_ends_of_lines_may_be_unix_or_windows(end: bytes) -> None:
    glue = b"\r\n" if end == b"\r\n" else b"\n"
    assert [tick.seq for tick in decode(glue.join([line(seq=1), line(seq=2)]) + end).ticks] == [1, 2]


def test_a_line_is_one_object() -> None:
    assert only_reason(line() + line()) is Reason.BAD_JSON
    assert {refusal.reason for refusal in decode(json.dumps(json.loads(line()), indent=1).encode()).refusals} == {Reason.BAD_JSON}


def test_copies_for_larger_frames_are_dropped_and_counted() -> None:
    labels = ["1min", "5min", "15min", "1hour", "1day", "5T", "1D", "1m"]
    decoded = decode(b"\n".join(line(time_frame=label) for label in labels))
    assert ([tick.line for tick in decoded.ticks], decoded.copies) == ([0, 7], 6)


def test_a_price_means_its_shortest_decimal_rounded_half_even() -> None:
    def units(price: str, decimals: int) -> int:
        return only_tick(b'{"stock_id":"IBM","price":%s}' % price.encode(), scales=Scales(decimals, 8)).price

    assert [units(price, 0) for price in ("0.6", "1.5", "2.5", "3.5", "999999999999.5")] == [1, 2, 2, 4, 10**12]
    assert units("1.005", 2) == 100  # the double is 1.00499999999999989...; half even takes its decimal
    assert units("1.015", 2) == 102
    assert units("0.1", 17) == 10**16
    assert units("123456789012.12345678", 8) == 12345678901212346000


def test_rounded_ticks_are_counted() -> None:
    decoded = decode(b"\n".join([line(price=1.000000001), line(size=0.123456789), line(price=184.049999999999983), line(price=1)]))
    assert (len(decoded.ticks), decoded.rounded) == (4, 3 if json.loads("184.049999999999983") != 184.05 else 2)


@given(prices, sizes, st.integers(0, 12), st.integers(0, 12))
def test_units_are_the_decimals_of_repr(price: float, size: float, price_decimals: int, size_decimals: int) -> None:
    expected = [
        int((Decimal(repr(number)) * 10**decimals).to_integral_value(ROUND_HALF_EVEN))
        for number, decimals in ((price, price_decimals), (size, size_decimals))
    ]
    decoded = decode(encode_tick("IBM", price, size, 1), scales=Scales(price_decimals, size_decimals))
    if expected[0] == 0:
        assert [refusal.reason for refusal in decoded.refusals] == [Reason.BAD_PRICE]
    else:
        assert [[tick.price, tick.size] for tick in decoded.ticks] == [expected]


REFUSED: list[tuple[bytes | None, Reason]] = [
    (None, Reason.BAD_JSON),
    (b"", Reason.BAD_JSON),
    (b"\n \n", Reason.BAD_JSON),
    (b"{", Reason.BAD_JSON),
    (b"\x00\x01\x02", Reason.BAD_JSON),
    (b"\xef\xbb\xbf" + line(), Reason.BAD_JSON),
    (line()[:-1] + b',"x":"\\ud800"}', Reason.BAD_JSON),
    (line()[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", Reason.BAD_JSON),
    (b'{"stock_id":"IBM","price":NaN}', Reason.BAD_JSON),
    (b'{"stock_id":"IBM","price":"1", what', Reason.BAD_JSON),
    (b"[]", Reason.NOT_OBJECT),
    (b"null", Reason.NOT_OBJECT),
    (b'"IBM"', Reason.NOT_OBJECT),
    (b"17", Reason.NOT_OBJECT),
    (b'{"stock_id":"I\xffM","price":1}', Reason.BAD_UTF8),
    (line()[:-1] + b',"x":"\xff"}', Reason.BAD_UTF8),
    (b"\xff\xfe", Reason.BAD_UTF8),
    (b'{"price":1}', Reason.MISSING_FIELD),
    (b'{"stock_id":"IBM"}', Reason.MISSING_FIELD),
    (b'{"stock_id":"IBM","price":null}', Reason.MISSING_FIELD),
    (line(price="1"), Reason.BAD_TYPE),
    (line(price=True), Reason.BAD_TYPE),
    (line(price=[1]), Reason.BAD_TYPE),
    (line(stock_id=7), Reason.BAD_TYPE),
    (line(size="1"), Reason.BAD_TYPE),
    (line(seq=1.5), Reason.BAD_TYPE),
    (line(seq=2**63), Reason.BAD_TYPE),
    (line(seq="1"), Reason.BAD_TYPE),
    (line(id=1.5), Reason.BAD_TYPE),
    (line(flags="no_price"), Reason.BAD_TYPE),
    (line(flags=[1]), Reason.BAD_TYPE),
    (line(event_time_ms="1381152600123"), Reason.BAD_TYPE),
    (line(event_time_ms=True), Reason.BAD_TYPE),
    (line(timestamp={}), Reason.BAD_TYPE),
    (line(time_frame=5), Reason.BAD_TYPE),
    (line(stock_id=""), Reason.BAD_SYMBOL),
    (line(stock_id="I BM"), Reason.BAD_SYMBOL),
    (line(stock_id="IBM\n"), Reason.BAD_SYMBOL),
    (line(stock_id="É"), Reason.BAD_SYMBOL),
    (line(stock_id="A" * 65), Reason.BAD_SYMBOL),
    (line(stock_id="ibm"), Reason.KEY_MISMATCH),
    (line(stock_id="MSFT"), Reason.KEY_MISMATCH),
    (line(time_frame="7min"), Reason.UNKNOWN_TIME_FRAME),
    (line(time_frame=""), Reason.UNKNOWN_TIME_FRAME),
    (line(price=0), Reason.BAD_PRICE),
    (line(price=-1), Reason.BAD_PRICE),
    (line(price=1e-9), Reason.BAD_PRICE),
    (line(price=1.0000001e12), Reason.BAD_PRICE),
    (b'{"stock_id":"IBM","price":1e999}', Reason.BAD_PRICE),
    (b'{"stock_id":"IBM","price":' + b"9" * 400 + b"}", Reason.BAD_PRICE),
    (line(size=-1), Reason.BAD_SIZE),
    (line(size=1.1e15), Reason.BAD_SIZE),
    (line()[:-1] + b',"volume":1e999}', Reason.BAD_SIZE),
    (line(event_time_ms=-1), Reason.BAD_TIME),
    (line(event_time_ms=2**63), Reason.BAD_TIME),
    (line(event_time_ms=9223372036855), Reason.BAD_TIME),
    (line(timestamp="2013-10-07T09:30:00"), Reason.BAD_TIME),
    (line(timestamp=-1), Reason.BAD_TIME),
    (line()[:-1] + b',"ts":1e999}', Reason.BAD_TIME),
    (line()[:-1] + b',"event_time_ms":' + b"9" * 5000 + b"}", Reason.BAD_TIME),
]


@pytest.mark.parametrize(("value", "reason"), REFUSED, ids=lambda x: str(x)[:40])
def test_a_refused_line_says_why(value: bytes | None, reason: Reason) -> None:
    assert only_reason(value) is reason
    if value and b"\n" not in value:
        beside = decode(b"\n".join([line(), value, line()]))
        assert ([tick.line for tick in beside.ticks], [refusal.reason for refusal in beside.refusals]) == ([0, 2], [reason])


def test_a_record_without_key_or_timestamp_refuses_lines_by_their_own_fault() -> None:
    assert only_reason(line(), key="") is Reason.KEY_MISMATCH
    assert only_reason(line(stock_id=""), key="") is Reason.BAD_SYMBOL
    assert only_reason(line(stock_id="É"), key="É") is Reason.BAD_SYMBOL
    assert only_reason(line(), record_ms=-1) is Reason.BAD_TIME


def test_the_last_of_two_equal_keys_counts() -> None:
    assert only_tick(b'{"stock_id":"MSFT","price":1,"stock_id":"IBM"}').price == 10**8


@given(st.binary(), st.text(), st.integers())
def test_no_bytes_make_it_raise(value: bytes, key: str, record_ms: int) -> None:
    decode(value, key, record_ms)


oddities = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)
names = st.sampled_from(
    [
        "stock_id",
        "price",
        "size",
        "event_time_ms",
        "seq",
        "id",
        "source",
        "flags",
        "symbol",
        "volume",
        "timestamp",
        "ts",
        "time_frame",
        "other",
    ]
)


@given(
    st.lists(st.dictionaries(names, oddities | st.sampled_from(["IBM", "1min", "5min"])), max_size=5),
    st.integers(0, 400),
    st.binary(max_size=2),
)
def test_no_fields_make_it_raise(objects: list[dict[str, object]], at: int, noise: bytes) -> None:
    value = b"\n".join(json.dumps(each).encode() for each in objects)
    decode(value)
    decode(value[:at] + noise + value[at:])


@given(
    symbols,
    st.integers(1, 10**15),
    st.integers(0, 10**15),
    st.integers(0, (2**63 - 1) // 10**6),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.text(max_size=20),
    st.none() | st.text(max_size=20),
    st.integers(0, 3),
)
def test_decode_of_encode_is_identity(
    symbol: str, price: int, size: int, time_ms: int, seq: int | None, trade_id: str | None, source: str | None, flags: int
) -> None:
    value = encode_tick(symbol, price / 10**8, size / 10**8, time_ms, seq=seq, id=trade_id, source=source, flags=flags)
    assert b"\n" not in value
    decoded = TickDecoder(SCALES).decode(symbol, value, 0, 9)
    assert decoded == Decoded([Tick(time_ms * 10**6, price, size, flags, seq, trade_id, source, 9, 0)], [], 0, 0, 1)


PLAIN = b'{"stock_id":"IBM","price":184.05,"size":100,"event_time_ms":1381152600123,"seq":7}'
lines_of_all_kinds = st.sampled_from(
    (
        PLAIN,
        PLAIN.replace(b"184.05", b"0.123456789012"),
        PLAIN.replace(b"184.05", b"1e13"),
        PLAIN.replace(b"IBM", b"MSFT"),
        PLAIN.replace(b"}", b',"flags":["no_price"]}'),
        PLAIN.replace(b"}", b',"time_frame":"5min"}'),
        PLAIN.replace(b"}", b',"id":12}'),
        PLAIN.replace(b"}", b',"other":{"deep":[{}]}}'),
        PLAIN.replace(b"}", b',"other":"\xff"}'),
        PLAIN.replace(b',"size":100', b""),
        PLAIN.replace(b"1381152600123", b"1381152600123.0"),
        PLAIN.replace(b",", b",\n", 1),
        b"{}",
        b"",
    )
)
separators = st.sampled_from((b"\n", b"\n", b"\n", b"", b" ", b"\n\n", b"\r\n", b"\n "))


@given(st.lists(st.tuples(lines_of_all_kinds, separators), min_size=1, max_size=5))
def test_the_short_way_through_a_record_leads_where_the_careful_one_does(parts: list[tuple[bytes, bytes]]) -> None:
    value, decoder = b"".join(line + separator for line, separator in parts), TickDecoder(Scales())
    assert decoder.decode("IBM", value, 1381152600500, 3) == decoder._decode_with_care("IBM", value, 1381152600500, 3)
