"""The requests that TradingView's own UDF adapter makes, in its order, with what it looks at in the answers."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.connectors.delivery.http.served import NOW_MS, Answered, Served, served
from tests.connectors.delivery.store.records import FIRST_MS, MINUTE, record_of

FIRST_S = FIRST_MS // 1_000
BARS = 30
MACD = {"macd": 0.5, "signal": 0.25, "histogram": 0.125}


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("udf")) as running:
        for bar in range(BARS):
            results = {"RSI": None if bar < 14 else 50.5 + bar, "MACD": None if bar < 20 else MACD}
            running.take(record_of("IBM", bar, close=184.125 + bar, high=300.0, volume=10 * bar, results=results))
        running.take(*(record_of("GAP", bar, open=None, high=None, low=None, close=None) for bar in range(3)), record_of("GAP", 3))
        running.take(record_of("DAY", 0, time_frame="1day", start_ms=1_795_305_600_000, end_ms=1_795_392_000_000))
        running.take_forming(record_of("IBM", BARS, status="forming", as_of_ms=FIRST_MS + BARS * MINUTE + 1, close=9.5))
        yield running


def history(one: Served, symbol: str, from_s: int, to_s: int, countback: int | None = None, resolution: str = "1") -> Answered:
    counted = "" if countback is None else f"&countback={countback}"
    return one.get(f"/udf/history?symbol={quote(symbol)}&resolution={resolution}&from={from_s}&to={to_s}{counted}")


def at(bar: int) -> int:
    return FIRST_S + 60 * bar


def test_the_adapter_finds_a_symbol_draws_it_and_keeps_it_up_to_date(one: Served) -> None:
    config = one.get("/udf/config").json
    assert (config["supports_search"], config["supports_group_request"], config["supports_time"]) == (True, False, True)
    assert config["supported_resolutions"] == ["1", "5", "60", "1D"]
    assert int(one.get("/udf/time").body) == NOW_MS // 1_000

    (found,) = one.get("/udf/search?limit=30&query=IBM&type=&exchange=").json
    symbol = one.get(f"/udf/symbols?symbol={found['ticker']}").json
    assert "s" not in symbol
    assert (symbol["name"], symbol["session"], symbol["timezone"]) == ("IBM", "24x7", "Etc/UTC")
    assert (symbol["minmov"], symbol["pricescale"]) == (1, 1_000)
    assert (symbol["has_intraday"], symbol["intraday_multipliers"], symbol["has_daily"]) == (True, ["1", "5", "60"], True)

    # Bars that are on the screen first: a count, and a range that would be too short for it.
    shown = history(one, symbol["ticker"], at(25), at(BARS + 1), countback=10).json
    assert shown["s"] == "ok"
    assert shown["t"] == [at(bar) for bar in range(BARS - 9, BARS + 1)]
    assert shown["c"] == [184.125 + bar for bar in range(BARS - 9, BARS)] + [9.5]
    assert {len(shown[column]) for column in "tohlcv"} == {10}

    # Then those before, until there are none.
    earlier = history(one, "IBM", at(-300), shown["t"][0], countback=329).json
    assert earlier["t"] == [at(bar) for bar in range(BARS - 9)]
    assert history(one, "IBM", at(-600), earlier["t"][0], countback=329).json == {"s": "no_data"}

    # Every ten seconds the last two.
    pulse = history(one, "IBM", at(BARS - 10), at(BARS) + 1, countback=2).json
    assert pulse["t"] == [at(BARS - 1), at(BARS)]


def test_a_range_has_its_start_and_not_its_end(one: Served) -> None:
    assert history(one, "IBM", at(3), at(5)).json["t"] == [at(3), at(4)]
    assert history(one, "IBM", at(3) + 1, at(5) + 1).json["t"] == [at(4), at(5)]
    assert history(one, "IBM", -5_000_000_000, at(2)).json["t"] == [at(0), at(1)]


def test_without_bars_in_the_range_it_is_said_where_there_are_some_before(one: Served) -> None:
    assert history(one, "IBM", at(500), at(600)).json == {"s": "no_data", "nextTime": at(BARS - 1)}
    assert history(one, "IBM", at(-20), at(-10)).json == {"s": "no_data"}
    assert history(one, "IBM", at(-20), at(0), countback=5).json == {"s": "no_data"}


def test_an_indicator_is_a_symbol_with_closes_where_it_has_values(one: Served) -> None:
    symbol = one.get("/udf/symbols?symbol=IBM%23RSI").json
    assert (symbol["name"], symbol["visible_plots_set"], symbol["pricescale"]) == ("IBM#RSI", "c", 10_000)
    values = history(one, "IBM#RSI", at(0), at(17)).json
    assert values["t"] == [at(14), at(15), at(16)]
    assert values["c"] == values["o"] == values["h"] == values["l"] == [64.5, 65.5, 66.5]
    assert "v" not in values
    assert history(one, "IBM#MACD.signal", at(0), at(BARS), countback=2).json["c"] == [0.25, 0.25]
    assert history(one, "IBM#RSI", at(0), at(10)).json == {"s": "no_data"}
    assert one.get("/udf/symbols?symbol=IBM%23MovingAverage").json["pricescale"] == 100_000


def test_bars_without_prices_are_left_out_and_not_counted(one: Served) -> None:
    assert history(one, "GAP", at(0), at(9), countback=2).json["t"] == [at(3)]
    assert history(one, "GAP", at(0), at(3)).json == {"s": "no_data"}


def test_a_day_begins_at_midnight_utc(one: Served) -> None:
    for resolution in ("1D", "D"):
        (start_s,) = history(one, "DAY", 0, 999_999_999_999, resolution=resolution).json["t"]
        assert start_s % 86_400 == 0


def test_a_search_with_a_hash_finds_values_of_indicators(one: Served) -> None:
    names = [found["ticker"] for found in one.get("/udf/search?query=IB%23MAC&type=&exchange=&limit=30").json]
    assert names == ["IBM#MACD.macd", "IBM#MACD.signal", "IBM#MACD.histogram"]
    assert one.get("/udf/search?query=IBM&type=index").json == []
    assert [found["type"] for found in one.get("/udf/search?query=IBM%23&type=index&limit=2").json] == ["index", "index"]
    assert one.get("/udf/search?query=").status == 200


@pytest.mark.parametrize("symbol", ["ZZZ", "IBM#SMA", "IBM#MACD", "IBM#MACD.x", "IBM#RSI.x", "IBM#", "", "%ff%00", "%ed%a0%80"])
def test_an_unknown_symbol_is_an_error_in_the_protocols_words(one: Served, symbol: str) -> None:
    name = symbol if "%" in symbol else quote(symbol)
    for path in (f"/udf/symbols?symbol={name}", f"/udf/history?symbol={name}&resolution=1&from=0&to=1"):
        answered = one.get(path)
        assert (answered.status, answered.json) == (200, {"s": "error", "errmsg": "unknown_symbol"})


@pytest.mark.parametrize(
    "query",
    [
        "symbol=IBM&resolution=7&from=0&to=1",
        "symbol=IBM&resolution=1&from=x&to=1",
        "symbol=IBM&resolution=1&from=0",
        "resolution=1&from=0&to=1",
        "symbol=IBM&resolution=1&from=0&to=1&countback=0",
    ],
)
def test_what_cannot_be_answered_says_why(one: Served, query: str) -> None:
    answered = one.get(f"/udf/history?{query}")
    assert (answered.status, answered.json["s"]) == (400, "error")
    assert answered.json["errmsg"]


def test_parameters_that_are_not_named_are_passed_over(one: Served) -> None:
    assert one.get("/udf/symbols?symbol=IBM&currencyCode=USD&unitId=x").json["name"] == "IBM"
