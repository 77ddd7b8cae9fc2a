import csv
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from connectors.delivery.http.responses import Answer, AnswerCache
from connectors.delivery.store.records import BarRecord
from tests.connectors.delivery.http.served import LATENESS_MS, Answered, Served, served
from tests.connectors.delivery.store.records import FIRST_MS, MINUTE, record_of

OLD = 60
"""Bars of IBM; the last start is 59 minutes behind the first."""


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("http")) as running:
        running.take(*(record_of("IBM", bar, close=100 + bar) for bar in range(OLD)))
        running.take(*(record_of("AAPL", bar) for bar in range(3)), record_of("AAPL", 0, time_frame="1day"))
        running.take(record_of("IBM", 5, revision=1, close=5.5, cause="late"))
        running.take_forming(forming("IBM", OLD))
        yield running


def forming(symbol: str, bar: int) -> BarRecord:
    return record_of(symbol, bar, status="forming", as_of_ms=FIRST_MS + bar * MINUTE + 500)


def bars(one: Served, symbols: str = "IBM", **parameters: object) -> Answered:
    return one.get("/v1/bars?" + urlencode({"symbols": symbols, "time_frame": "1min", **parameters}))


def starts(answered: Answered, symbol: str = "IBM") -> list[int]:
    """Numbers of the bars that came."""
    assert answered.status == 200
    return [(record["start_ms"] - FIRST_MS) // MINUTE for record in answered.json["bars"][symbol]]


def at(bar: int) -> int:
    return FIRST_MS + bar * MINUTE


# Bars ------------------------------------------------------------------------------------------------------------------


def test_without_a_range_the_newest_bars_of_each_symbol_come(one: Served) -> None:
    answered = bars(one, "IBM,AAPL,ZZZ", limit=2)
    assert starts(answered) == [58, 59]
    assert starts(answered, "AAPL") == [1, 2]
    assert starts(answered, "ZZZ") == []
    assert answered.json["next_page_token"] is None
    assert list(answered.json["bars"]) == ["IBM", "AAPL", "ZZZ"]
    assert starts(bars(one, limit=2, sort="desc")) == [59, 58]


def test_a_record_comes_as_it_is_in_the_topic_and_the_newest_of_its_bar(one: Served) -> None:
    revised = record_of("IBM", 5, revision=1, close=5.5, cause="late")
    assert bars(one, start=at(5), end=at(6)).body == b'{"bars":{"IBM":[' + revised.value + b']},"next_page_token":null}'


def test_a_range_has_its_start_and_not_its_end(one: Served) -> None:
    assert starts(bars(one, start=at(10), end=at(13))) == [10, 11, 12]
    assert starts(bars(one, start=at(10) + 1, end=at(13) + 1)) == [11, 12, 13]
    assert starts(bars(one, start="2026-11-22T12:07:00Z", end="2026-11-22T13:09:00+01:00")) == [10, 11]
    assert starts(bars(one, end=at(3))) == [0, 1, 2]
    assert starts(bars(one, start=at(58))) == [58, 59]
    assert starts(bars(one, start=at(10), end=at(10))) == []


@pytest.mark.parametrize(("sort", "expected"), [("asc", [*range(4, 20)]), ("desc", [*range(19, 3, -1)])])
@pytest.mark.parametrize("limit", [1, 5, 16, 17])
def test_pages_make_up_the_range_symbol_after_symbol(one: Served, sort: str, expected: list[int], limit: int) -> None:
    walked: dict[str, list[int]] = {"IBM": [], "ZZZ": [], "AAPL": []}
    path: str | None = "/v1/bars?" + urlencode(
        {"symbols": "IBM,ZZZ,AAPL", "time_frame": "1min", "start": 0, "end": at(20), "limit": limit, "sort": sort}
    )
    while path is not None:
        answered = one.get(path)
        page = {symbol: starts(answered, symbol) for symbol in walked}
        assert sum(map(len, page.values())) <= limit
        for symbol, found in page.items():
            walked[symbol] += found
        link, token = answered.headers["Link"], answered.json["next_page_token"]
        assert (link is None) == (token is None)
        path = link.removeprefix("<").removesuffix('>; rel="next"') if link else None
    early = [3, 2, 1, 0] if sort == "desc" else [0, 1, 2, 3]
    assert walked == {
        "IBM": expected + early if sort == "desc" else early + expected,
        "ZZZ": [],
        "AAPL": [*range(3)][:: -1 if sort == "desc" else 1],
    }


def test_as_many_symbols_as_a_client_may_name_fit_into_one_request(one: Served) -> None:
    many = [f"{'S' * 58}{number:06}" for number in range(1_024)]
    assert list(bars(one, ",".join(many), limit=9).json["bars"]) == many
    assert bars(one, ",".join([*many, "IBM"]), limit=9).code == "bad_symbols"


def test_indicators_are_those_asked_for(one: Served) -> None:
    def results(**parameters: str) -> object:
        (record,) = bars(one, limit=1, **parameters).json["bars"]["IBM"]
        return record["results"]

    assert results() == {"RSI": 55.2, "MACD": None}
    assert results(indicators="MACD") == {"MACD": None}
    assert results(indicators="") == {}
    assert results(indicators="MovingAverage") == {}


def test_the_forming_bar_comes_when_it_is_asked_for_and_in_the_range(one: Served) -> None:
    assert starts(bars(one, limit=1, include_forming="true")) == [59, 60]
    assert starts(bars(one, limit=1, include_forming="true", sort="desc")) == [60, 59]
    assert starts(bars(one, start=at(59), include_forming="true")) == [59, 60]
    assert starts(bars(one, start=at(58), include_forming="true", limit=2, sort="desc")) == [60, 59, 58]
    assert starts(bars(one, start=at(59), end=at(60), include_forming="true")) == [59]
    first = bars(one, start=at(58), limit=1, include_forming="true")
    assert starts(first) == [58]
    token = first.json["next_page_token"]
    assert starts(bars(one, start=at(58), limit=1, include_forming="true", page_token=token)) == [59, 60]


def test_csv_and_ndjson_have_the_same_bars(one: Served) -> None:
    as_json = bars(one, limit=3).json["bars"]["IBM"]
    as_lines = bars(one, limit=3, format="ndjson")
    assert as_lines.headers["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line) for line in as_lines.body.splitlines()] == as_json
    as_csv = bars(one, limit=3, format="csv")
    assert as_csv.headers["Content-Type"] == "text/csv"
    rows = list(csv.DictReader(io.StringIO(as_csv.body.decode(), newline="")))
    assert list(rows[0])[-5:] == ["RSI", "MACD.macd", "MACD.signal", "MACD.histogram", "MovingAverage"]
    for row, record in zip(rows, as_json, strict=True):
        assert (row["stock_id"], int(row["start_ms"]), float(row["close"])) == (record["stock_id"], record["start_ms"], record["close"])
        assert (row["RSI"], row["MACD.signal"], row["complete"], row["cause"]) == ("55.2", "", "true", "")
    assert b"RSI\r\n" in bars(one, limit=1, format="csv", indicators="RSI").body


def test_csv_has_the_outputs_of_an_indicator_in_columns_of_their_own(one: Served) -> None:
    one.take(record_of("CSV", 0, results={"RSI": None, "MACD": {"macd": 1.5, "signal": -0.0000001, "histogram": 1e22}}, cause='a,"b'))
    (row,) = csv.DictReader(io.StringIO(bars(one, "CSV", format="csv").body.decode(), newline=""))
    assert (row["RSI"], row["MACD.macd"], row["MACD.signal"], row["cause"]) == ("", "1.5", "-1e-07", 'a,"b')


# Caching ---------------------------------------------------------------------------------------------------------------


def test_an_answer_that_has_not_changed_is_not_sent_again(one: Served) -> None:
    path = "/v1/bars?symbols=AAPL&time_frame=1min"
    first = one.get(path)
    for tag in (first.headers["ETag"], first.headers["ETag"].removeprefix("W/"), f'"x", {first.headers["ETag"]}', "*"):
        again = one.get(path, If_None_Match=tag)
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert one.get(path, If_None_Match='W/"x"').status == 200
    assert one.ask("HEAD", path).headers["ETag"] == first.headers["ETag"]
    one.take(record_of("AAPL", 3))
    changed = one.get(path, If_None_Match=first.headers["ETag"])
    assert changed.status == 200
    assert starts(changed, "AAPL") == [0, 1, 2, 3]


def test_a_revision_is_seen_by_the_next_request(one: Served) -> None:
    path = "/v1/bars?symbols=REV&time_frame=1min"
    one.take(record_of("REV", 0))
    assert one.get(path).json["bars"]["REV"][0]["revision"] == 0
    one.take(record_of("REV", 0, revision=1, close=1.0))
    assert one.get(path).json["bars"]["REV"][0]["revision"] == 1


def test_what_no_tick_can_change_any_more_may_be_kept(one: Served) -> None:
    lateness = LATENESS_MS // MINUTE
    settled, open_ = 59 - lateness - 1, 59 - lateness
    assert "immutable" in bars(one, end=at(settled)).headers["Cache-Control"]
    assert bars(one, end=at(open_)).headers["Cache-Control"] == "no-cache"
    assert bars(one, start=at(0)).headers["Cache-Control"] == "no-cache"
    assert bars(one).headers["Cache-Control"] == "no-cache"
    assert bars(one, "IBM,ZZZ", end=at(settled)).headers["Cache-Control"] == "no-cache"
    assert bars(one, end=at(settled), include_forming="true").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("time_frame", "end", "kept"),
    [("1hour", 3, True), ("1hour", 2, True), ("1hour", 4, False), ("1hour", 33, False), ("5min", 39, True), ("5min", 44, False)],
)
def test_a_range_that_ends_within_a_bar_is_open_as_long_as_the_bar(one: Served, time_frame: str, end: int, kept: bool) -> None:
    """Bar 3 starts at 12:00; ticks come late up to 12:41."""
    assert ("immutable" in bars(one, time_frame=time_frame, end=at(end)).headers["Cache-Control"]) is kept


def test_where_keys_are_asked_for_nobody_keeps_an_answer_for_others(tmp_path: Path) -> None:
    with served(tmp_path, with_keys=True) as guarded:
        guarded.take(*(record_of("IBM", bar) for bar in range(OLD)))
        for path in (
            "/v1/symbols",
            "/v1/indicators",
            "/v1/bars/latest?symbols=*&time_frames=1min",
            "/udf/config",
            "/udf/symbols?symbol=IBM",
        ):
            assert guarded.get(path).headers["Cache-Control"] == "private, no-cache"
        assert bars(guarded, end=at(5)).headers["Cache-Control"].startswith("private, max-age=")
        assert guarded.get("/openapi.json").headers["Cache-Control"] == "no-cache"


def test_gzip_is_for_those_who_take_it(one: Served) -> None:
    path = "/v1/bars?symbols=IBM&time_frame=1min"
    plain = one.get(path)
    assert plain.headers["Content-Encoding"] is None
    for accepted in ("gzip", "br, GZIP;q=0.5", "*"):
        packed = one.get(path, Accept_Encoding=accepted)
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.body) == plain.body
        assert (packed.headers["ETag"], packed.headers["Vary"]) == (plain.headers["ETag"], "Accept-Encoding")
    assert one.get(path, Accept_Encoding="br, gzip;q=0").headers["Content-Encoding"] is None
    assert one.get("/v1/time-frames", Accept_Encoding="gzip").headers["Content-Encoding"] is None


def test_the_cache_makes_an_answer_once_a_version_and_keeps_within_its_bytes(one: Served) -> None:
    cache, made = AnswerCache(max_bytes=10_000), []

    async def ask(path: str, version: int, size: int = 10) -> int:
        async def make() -> Answer:
            made.append((path, version))
            return Answer(b"x" * size, "text/plain")

        return len((await cache.get((path, ()), version, make)).body)

    for path, version in (("a", 1), ("a", 1), ("b", 1), ("a", 2), ("b", 1)):
        one.run(ask(path, version))
    assert made == [("a", 1), ("b", 1), ("a", 2)]
    assert one.run(ask("large", 1, 9_000)) == 9_000
    one.run(ask("large", 1, 9_000))
    one.run(ask("a", 2))
    assert made[3:] == [("large", 1), ("large", 1), ("a", 2)]


def test_the_cache_counts_what_was_asked_too(one: Served) -> None:
    cache, made = AnswerCache(max_bytes=10_000), []

    async def ask(symbols: str) -> None:
        async def make() -> Answer:
            made.append(symbols[0])
            return Answer(b"", "text/plain")

        await cache.get(("bars", (("time_frame", "1min"), ("symbols", symbols))), 1, make)

    for first in "ABCABC":
        one.run(ask(first + "x" * 3_000))
    assert made == [*"ABCABC"], "two of them fit"


# What there is ---------------------------------------------------------------------------------------------------------


def test_the_latest_bar_of_each_series(one: Served) -> None:
    answered = one.get("/v1/bars/latest?symbols=IBM,AAPL,ZZZ&time_frames=1m,1D").json["bars"]
    assert {symbol: list(frames) for symbol, frames in answered.items()} == {"IBM": ["1min"], "AAPL": ["1min", "1day"], "ZZZ": []}
    assert answered["IBM"]["1min"]["start_ms"] == at(59)
    everything = one.get("/v1/bars/latest?symbols=*&time_frames=1min&include_forming=true&indicators=RSI").json["bars"]
    assert everything["IBM"]["1min"]["status"] == "forming"
    assert everything["AAPL"]["1min"]["results"] == {"RSI": 55.2}


def test_a_forming_bar_gives_way_to_its_final(one: Served) -> None:
    one.take_forming(forming("FORM", 0))
    one.take(record_of("FORM", 0))
    assert starts(bars(one, "FORM", include_forming="true"), "FORM") == [0]
    assert one.get("/v1/bars/latest?symbols=FORM&time_frames=1min&include_forming=true").json["bars"]["FORM"]["1min"]["status"] == "final"


def test_a_symbol_that_has_only_begun_is_among_the_latest_when_forming_bars_are(one: Served) -> None:
    one.take_forming(forming("NEW", 0))
    everything = "/v1/bars/latest?symbols=*&time_frames=1min"
    assert "NEW" not in one.get(everything).json["bars"]
    assert one.get(f"{everything}&include_forming=true").json["bars"]["NEW"]["1min"]["status"] == "forming"


def test_symbols_are_found_by_a_part_of_their_name(one: Served) -> None:
    one.take(record_of("DEC", 0, open=0.12345, high=1, low=0.1, close=None))
    found = one.get("/v1/symbols?query=aa").json
    assert found == {
        "symbols": [
            {
                "stock_id": "AAPL",
                "price_decimals": 2,
                "time_frames": ["1min", "1day"],
                "last": found["symbols"][0]["last"],
            }
        ],
        "total": 1,
    }
    (dec,) = one.get("/v1/symbols?query=DEC").json["symbols"]
    assert (dec["price_decimals"], dec["last"]) == (5, {"close": None, "start_ms": at(0), "end_ms": at(1)})
    assert one.get("/v1/symbols?query=nothing").json == {"symbols": [], "total": 0}
    some = one.get("/v1/symbols?limit=1").json
    assert (len(some["symbols"]), some["total"] > 1) == (1, True)


def test_indicators_and_time_frames_are_those_configured(one: Served) -> None:
    indicators = {each["label"]: each for each in one.get("/v1/indicators").json["indicators"]}
    assert indicators["RSI"] == {"label": "RSI", "spec": "rsi(14)", "outputs": [], "pane": "own", "levels": [30, 70], "bars_needed": 15}
    assert indicators["MACD"]["outputs"] == ["macd", "signal", "histogram"]
    assert [each["time_frame"] for each in one.get("/v1/time-frames").json["time_frames"]] == ["1min", "5min", "1hour", "1day"]


# What is wrong ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/bars?symbols=IBM&time_frame=1min&limit=0", 400, "bad_limit"),
        ("/v1/bars?symbols=%00&time_frame=1min", 400, "bad_symbols"),
        ("/v1/bars?symbols=IBM&time_frame=1min&start=2026-01-01T00:00:00+01:00", 400, "bad_start"),
        ("/v1/bars/latest?symbols=*", 400, "bad_time_frames"),
        ("/v1/symbols?%ff=1", 400, "unknown_parameter"),
        ("/v1/indicators?x=1", 400, "unknown_parameter"),
        ("/v1/stream?symbols=*", 400, "bad_time_frames"),
        ("/openapi.json?x=1", 400, "unknown_parameter"),
        ("/schemas/nothing.json", 404, "not_found"),
        ("/v1/nothing/%ed%a0%80", 404, "not_found"),
    ],
)
def test_errors_are_problem_documents_with_a_code(one: Served, path: str, status: int, code: str) -> None:
    answered = one.get(path)
    assert (answered.status, answered.code) == (status, code)
    assert answered.json["type"] == "about:blank"
    assert answered.headers["Cache-Control"] == "no-store"


def test_another_method_is_refused_with_those_that_are_taken(one: Served) -> None:
    answered = one.ask("POST", "/v1/bars")
    assert (answered.status, answered.code) == (405, "method_not_allowed")
    assert "GET" in answered.headers["Allow"]


def test_a_key_in_the_query_is_no_parameter(one: Served) -> None:
    assert one.get("/v1/time-frames?token=secret").status == 200
    linked = one.get("/v1/bars?symbols=IBM&time_frame=1min&start=0&limit=1&token=secret")
    assert "secret" not in linked.headers["Link"]
