import json
import re
from dataclasses import dataclass
from decimal import Decimal
from math import inf, nan

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.codec import canonical_content, decode_result, encode_result
from connectors.errors import DecodeError
from udfs.model import Number, Outputs, Result, Status

FIELDS = [
    "v",
    "stock_id",
    "time_frame",
    "start_ms",
    "end_ms",
    "status",
    "run",
    "revision",
    "emitted_ms",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "turnover",
    "vwap",
    "trades",
    "first_ms",
    "last_ms",
    "complete",
    "results",
]


def result(**changes: object) -> Result:
    final = Result(
        v=1,
        stock_id="IBM",
        time_frame="5min",
        start_ms=1381152600000,
        end_ms=1381152900000,
        status=Status.FINAL,
        run=1795348620,
        revision=0,
        emitted_ms=1795348620123,
        open=184.05,
        high=185.0,
        low=184,
        close=None,
        volume=1200.0,
        turnover=220860.5,
        vwap=184.05041666666668,
        trades=12,
        first_ms=1381152600123,
        last_ms=1381152899001,
        complete=True,
        results={"RSI": 55.2, "EMA": None, "MACD": {"macd": 0.0, "signal": -1e-7, "histogram": 1e-7}},
    )
    return msgspec.structs.replace(final, **changes)


def test_fields_keep_their_order_and_absent_ones_are_left_out() -> None:
    assert list(json.loads(encode_result(result()))) == FIELDS
    revised = result(status=Status.REVISED, revision=1, cause="late", as_of_ms=5, since={"RSI": 7})
    assert list(json.loads(encode_result(revised))) == [*FIELDS, "cause", "as_of_ms", "since"]


def test_numbers_are_integral_when_whole_and_null_is_written() -> None:
    assert b'"open":184.05,"high":185,"low":184,"close":null,"volume":1200,' in encode_result(result())
    assert b'"results":{"RSI":55.2,"EMA":null,"MACD":{"macd":0,"signal":-0.0000001,"histogram":0.0000001}}' in encode_result(result())


@dataclass(frozen=True)
class Written:
    number: Number
    text: bytes


@pytest.mark.parametrize(
    "written",
    [
        Written(100.0, b"100"),
        Written(-0.0, b"0"),
        Written(0, b"0"),
        Written(-3.0, b"-3"),
        Written(1e-7, b"0.0000001"),
        Written(1.5e-5, b"0.000015"),
        Written(9.99e-6, b"0.00000999"),
        Written(-1e-300, b"-0." + b"0" * 299 + b"1"),
        Written(1e15, b"1000000000000000"),
        Written(1e16, b"10000000000000000"),
        Written(1e22, b"10000000000000000000000"),
        Written(-1.5e300, b"-15" + b"0" * 299),
        Written(123456789012345.6, b"123456789012345.6"),
        Written(1234567890123456.5, b"1234567890123456.5"),
        Written(2**53 + 1, b"9007199254740993"),
        Written(10**25 + 1, b"10000000000000000000000001"),
        Written(0.1 + 0.2, b"0.30000000000000004"),
        Written(nan, b"null"),
        Written(-inf, b"null"),
    ],
    ids=str,
)
def test_numbers_never_have_an_exponent(written: Written) -> None:
    assert b'"vwap":' + written.text + b"," in encode_result(result(vwap=written.number))
    assert b'{"x":' + written.text + b"}" in encode_result(result(results={"x": written.number}))


doubles = st.floats(allow_nan=False, allow_infinity=False)
times = st.integers(0, 2**63 - 1)
outputs = st.none() | doubles | st.dictionaries(st.text(max_size=5), doubles, max_size=3)


def no_giants(results: dict[str, Outputs]) -> bool:
    return all(abs(number) < 2**53 for each in results.values() for number in (each.values() if isinstance(each, dict) else [each or 0]))


@given(doubles, st.dictionaries(st.text(max_size=5), outputs, max_size=4), st.none() | st.dictionaries(st.text(max_size=5), times))
def test_decode_of_encode_is_identity(number: float, results: dict[str, Outputs], since: dict[str, int] | None) -> None:
    there = result(close=number, volume=number, results=results, since=since)
    value = encode_result(there)
    back = decode_result(value)
    assert encode_result(back) == value
    # Above 2**53 the shortest digits read as an int are another int than the double's own; as a double they are the same.
    assert back == there if abs(number) < 2**53 and no_giants(results) else float(back.close or 0) == number


@given(doubles)
def test_a_number_keeps_its_shortest_digits(number: float) -> None:
    (text,) = re.findall(rb'"close":([^,]*),', encode_result(result(close=number)))
    assert re.fullmatch(rb"-?[0-9]+(\.[0-9]+)?", text)
    assert float(text) == number
    assert Decimal(text.decode()) == Decimal(repr(number))


def test_fields_of_later_versions_are_ignored() -> None:
    assert decode_result(encode_result(result())[:-1] + b',"session":"2013-10-07","filled":true}') == result(
        high=185, low=184, volume=1200, results=json.loads(encode_result(result()))["results"]
    )


@pytest.mark.parametrize("value", [b"", b"{}", b"[]", b"\xff", b'{"v":1}', b"[" * 100_000])
def test_what_is_no_result_is_a_decode_error(value: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_result(value)


def test_content_leaves_out_when_and_how_often_it_was_said() -> None:
    again = result(status=Status.REVISED, run=2, revision=3, emitted_ms=4, cause="late", complete=False, as_of_ms=5)
    assert canonical_content(again) == canonical_content(result())
    shuffled = result(results=dict(reversed(result().results.items())))
    assert encode_result(shuffled) != encode_result(result())
    assert canonical_content(shuffled) == canonical_content(result())


@pytest.mark.parametrize(
    "change",
    [
        {"close": 1},
        {"trades": 13},
        {"start_ms": 0},
        {"stock_id": "A"},
        {"time_frame": "1min"},
        {"results": {}},
        {"since": {"RSI": 1}},
        {"v": 2},
    ],
    ids=str,
)
def test_content_is_everything_else(change: dict[str, object]) -> None:
    assert canonical_content(result(**change)) != canonical_content(result())
