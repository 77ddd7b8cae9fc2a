import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.http.bars_query import After, BarsQuery, Format, page_token, parse_bars_query, parse_latest_query
from connectors.delivery.http.parameters import Offer
from connectors.delivery.http.stream_query import parse_last_event_id, parse_stream_query
from connectors.delivery.live.messages import Mode, Resume
from connectors.errors import BadQuery
from udfs.frames import parse_frame, parse_frames
from udfs.indicators.descriptions import describe

OFFER = Offer(parse_frames(["1min", "5min", "1day"]), describe({"RSI": "rsi(14)", "MACD": "macd(12,26,9)"}), 3)
NEWEST = (("symbols", "IBM"), ("time_frame", "1min"))
RANGE = (("symbols", "IBM,AAPL"), ("time_frame", "1min"), ("start", "1000"), ("end", "2000"))


def parsed(*pairs: tuple[str, str]) -> BarsQuery:
    return parse_bars_query(pairs, OFFER)


def refusal(*pairs: tuple[str, str]) -> tuple[str, str]:
    with pytest.raises(BadQuery) as refused:
        parsed(*pairs)
    return refused.value.code, refused.value.parameter


def test_defaults_are_the_newest_thousand_with_everything_ascending() -> None:
    assert parsed(*NEWEST) == BarsQuery(
        symbols=("IBM",),
        frame=parse_frame("1min"),
        start_ms=None,
        end_ms=None,
        limit=1_000,
        newest_first=False,
        labels=None,
        include_forming=False,
        format=Format.JSON,
        after=None,
    )


def test_everything_can_be_said_once_and_in_any_order() -> None:
    pairs = [
        ("format", "csv"),
        ("include_forming", "true"),
        ("indicators", "MACD,RSI,MACD"),
        ("sort", "desc"),
        ("limit", "7"),
        ("end", "1795348860000"),
        ("start", "2026-11-22T12:00:00Z"),
        ("time_frame", "5T"),
        ("symbols", "IBM,BRK.B,IBM"),
    ]
    assert parsed(*pairs) == BarsQuery(
        symbols=("IBM", "BRK.B"),
        frame=parse_frame("5min"),
        start_ms=1_795_348_800_000,
        end_ms=1_795_348_860_000,
        limit=7,
        newest_first=True,
        labels=frozenset({"RSI", "MACD"}),
        include_forming=True,
        format=Format.CSV,
        after=None,
    )


def test_no_indicators_are_not_all_indicators() -> None:
    assert parsed(*NEWEST, ("indicators", "")).labels == frozenset()
    assert parsed(*NEWEST).labels is None


@pytest.mark.parametrize(
    ("text", "epoch_ms"),
    [
        ("0", 0),
        ("1795348620000", 1_795_348_620_000),
        ("1970-01-01T00:00:01Z", 1_000),
        ("1970-01-01T01:00:00.5+01:00", 500),
        ("1970-01-01T00:00:00.0005Z", 1),
    ],
)
def test_times_are_epoch_ms_or_rfc_3339(text: str, epoch_ms: int) -> None:
    assert parsed(*NEWEST, ("start", text)).start_ms == epoch_ms
    assert parsed(*NEWEST, ("end", text)).end_ms == epoch_ms


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("start", "", "bad_start"),
        ("start", "yesterday", "bad_start"),
        ("start", "-1", "bad_start"),
        ("start", "1e3", "bad_start"),
        ("start", "2026-11-22T12:00:00", "bad_start"),
        ("start", "2026-11-22T12:00:00 01:00", "bad_start"),
        ("start", "9999999999999999", "bad_start"),
        ("end", "2026-13-01T00:00:00Z", "bad_end"),
        ("limit", "0", "bad_limit"),
        ("limit", "10001", "bad_limit"),
        ("limit", "-5", "bad_limit"),
        ("limit", "1.5", "bad_limit"),
        ("limit", "\N{ARABIC-INDIC DIGIT FIVE}", "bad_limit"),
        ("sort", "up", "bad_sort"),
        ("format", "xml", "bad_format"),
        ("include_forming", "1", "bad_include_forming"),
        ("indicators", "SMA", "unknown_indicator"),
        ("indicators", "RSI,", "unknown_indicator"),
        ("indicators", "MACD.signal", "unknown_indicator"),
        ("page_token", "abc", "bad_page_token"),
        ("page_token", "%", "bad_page_token"),
        ("page_token", "é", "bad_page_token"),
        ("page_token", "x" * 401, "bad_page_token"),
    ],
)
def test_what_is_wrong_names_its_parameter(name: str, text: str, code: str) -> None:
    assert refusal(*NEWEST, (name, text)) == (code, name)


@pytest.mark.parametrize(
    ("symbols", "code"),
    [("", "bad_symbols"), ("IBM,", "bad_symbols"), ("I BM", "bad_symbols"), ("*", "bad_symbols"), ("A,B,C,D", "bad_symbols")],
)
def test_symbols_are_symbols_and_not_too_many(symbols: str, code: str) -> None:
    assert refusal(("symbols", symbols), ("time_frame", "1min")) == (code, "symbols")


@pytest.mark.parametrize("frame", ["2min", "", "1minute", "hour"])
def test_a_time_frame_that_is_not_configured_is_unknown(frame: str) -> None:
    assert refusal(("symbols", "IBM"), ("time_frame", frame)) == ("unknown_time_frame", "time_frame")


def test_nothing_is_passed_over() -> None:
    assert refusal(*NEWEST, ("colour", "red")) == ("unknown_parameter", "'colour'")
    assert refusal(*NEWEST, ("limit", "1"), ("limit", "1")) == ("repeated_parameter", "limit")
    assert refusal(("symbols", "IBM")) == ("bad_time_frame", "time_frame")
    assert refusal(("time_frame", "1min")) == ("bad_symbols", "symbols")


def test_a_range_does_not_end_before_it_starts() -> None:
    assert refusal(*NEWEST, ("start", "2000"), ("end", "1999")) == ("bad_range", "end")
    assert parsed(*NEWEST, ("start", "2000"), ("end", "2000")).is_range


def test_the_newest_bars_of_many_symbols_are_at_most_ten_thousand() -> None:
    many = (("symbols", "A,B"), ("time_frame", "1min"))
    assert refusal(*many, ("limit", "5001")) == ("bad_limit", "limit")
    assert parsed(*many, ("limit", "5000")).limit == 5_000
    assert parsed(*many, ("limit", "10000"), ("start", "0")).limit == 10_000


@given(st.sampled_from(["IBM", "AAPL"]), st.integers(0, 2**53))
def test_a_page_token_says_where_to_go_on(symbol: str, start_ms: int) -> None:
    query = parsed(*RANGE)
    token = page_token(query, After(symbol, start_ms))
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,400}", token)
    assert parsed(*RANGE, ("page_token", token)) == replace(query, after=After(symbol, start_ms))


@pytest.mark.parametrize(
    "other",
    [
        (("symbols", "IBM"), *RANGE[1:]),
        (("symbols", "AAPL,IBM"), *RANGE[1:]),
        (RANGE[0], ("time_frame", "5min"), *RANGE[2:]),
        (*RANGE[:2], ("start", "1001"), RANGE[3]),
        RANGE[:3],
        RANGE[:2],
        (*RANGE, ("sort", "desc")),
    ],
)
def test_a_page_token_fits_its_own_query_only(other: tuple[tuple[str, str], ...]) -> None:
    token = page_token(parsed(*RANGE), After("IBM", 1_000))
    assert refusal(*other, ("page_token", token)) == ("bad_page_token", "page_token")
    assert parsed(*RANGE, ("limit", "5"), ("indicators", "RSI"), ("format", "csv"), ("page_token", token)).after == After("IBM", 1_000)


@given(st.lists(st.tuples(st.sampled_from(["symbols", "time_frame", "start", "end", "limit", "indicators", "page_token", "x"]), st.text())))
def test_any_query_is_taken_or_refused(pairs: list[tuple[str, str]]) -> None:
    taken = taken_or_refused(pairs)
    if isinstance(taken, BadQuery):
        assert re.fullmatch("[a-z_]+", taken.code)
        assert (taken.detail + taken.parameter).isprintable()


def taken_or_refused(pairs: list[tuple[str, str]]) -> BarsQuery | BadQuery:
    try:
        return parse_bars_query(pairs, OFFER)
    except BadQuery as refused:
        return refused


def test_the_latest_of_all_symbols_or_some_in_some_frames() -> None:
    assert parse_latest_query((("symbols", "*"), ("time_frames", "1m,1D,1min")), OFFER) == (
        None, (parse_frame("1min"), parse_frame("1day")), None, False,
    )  # fmt: skip
    some = parse_latest_query((("symbols", "A,B"), ("time_frames", "5min"), ("indicators", ""), ("include_forming", "true")), OFFER)
    assert some == (("A", "B"), (parse_frame("5min"),), frozenset(), True)
    with pytest.raises(BadQuery, match="time_frames: '7min' is not served"):
        parse_latest_query((("symbols", "*"), ("time_frames", "1min,7min")), OFFER)


def test_a_stream_is_subscribed_by_its_query() -> None:
    pairs = (("symbols", "*"), ("time_frames", "1m,5m"), ("indicators", "RSI"), ("mode", "latest"), ("max_hz", "0.5"), ("snapshot", "300"))
    (channel,) = parse_stream_query(pairs, OFFER).channels
    assert (channel.symbols, channel.time_frames, channel.indicators) == (("*",), ("1min", "5min"), ("RSI",))
    assert (channel.mode, channel.max_hz, channel.snapshot) == (Mode.LATEST, 0.5, 300)


@pytest.mark.parametrize("hertz", ["0", "nan", "inf", "-1", "51", "fast", ""])
def test_a_stream_has_a_pace_that_can_be_kept(hertz: str) -> None:
    with pytest.raises(BadQuery, match="max_hz"):
        parse_stream_query((("symbols", "A"), ("time_frames", "1min"), ("max_hz", hertz)), OFFER)


@pytest.mark.parametrize(
    "text", ["", ":", "5", "d1-7:", ":5", "d1-7:x", "d1-7:-1", "d1-7:" + "9" * 16, "d" * 129 + ":1", "d1-7:\N{SUPERSCRIPT TWO}"]
)
def test_what_is_no_event_id_of_ours_is_none(text: str) -> None:
    assert parse_last_event_id(text) is None


def test_an_event_id_names_the_connection_and_the_last_message() -> None:
    assert parse_last_event_id("d1-7-a_b:90121") == Resume(conn="d1-7-a_b", msg_seq=90_121)
