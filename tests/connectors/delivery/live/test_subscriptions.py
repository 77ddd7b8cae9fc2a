"""What is asked for, as it is understood; and what of a record is left for whoever asked for some of it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.live.limits import Limits
from connectors.delivery.live.messages import Channel, Mode, Subscribe
from connectors.delivery.live.selection import Bodies, select_indicators
from connectors.delivery.live.subscriptions import Known, canonical_frame, listed, plan, snapshot_rows
from connectors.delivery.live.watch import Want
from connectors.delivery.store.records import Series
from tests.connectors.delivery.live.talk import record


def channel(*symbols: str, frames: tuple[str, ...] = ("1min",), mode: Mode = Mode.LIVE, **more: int) -> Channel:
    return Channel(channel="bars", symbols=symbols, time_frames=frames, mode=mode, **more)  # type: ignore[arg-type]


KNOWN = Known(Limits(), frozenset(), frozenset(), lambda frame: True)


def test_series_are_the_symbols_in_each_time_frame() -> None:
    (wanted,) = plan(Subscribe((channel("A", "B", frames=("1m", "5min")),)), KNOWN).wanted
    assert wanted.series == [Series("A", "1min"), Series("A", "5min"), Series("B", "1min"), Series("B", "5min")]


def test_a_channel_of_which_nothing_is_left_is_not_subscribed() -> None:
    understood = plan(Subscribe((channel("A", frames=("7min",)), channel("a b"), channel())), KNOWN)
    assert understood.wanted == []
    assert [each.code for each in understood.rejected] == ["bad_time_frame", "bad_symbol"]


def test_what_the_client_does_not_say_of_the_rate_the_server_does() -> None:
    wanted = plan(Subscribe((channel("A"), channel("B", max_hz=2))), KNOWN).wanted
    assert [each.want.max_hz for each in wanted] == [10, 2]


def test_a_client_has_no_more_than_eight_rates_at_a_time() -> None:
    channels = tuple(channel("A", max_hz=hertz) for hertz in range(1, 11))
    understood = plan(Subscribe(channels), KNOWN._replace(rates=frozenset({3.0, 40.0})))
    assert [each.want.max_hz for each in understood.wanted] == [1, 2, 3, 4, 5, 6, 7]
    assert [(each.code, each.status) for each in understood.rejected] == [("too_many_rates", 409)] * 3


def test_rows_of_snapshots_are_counted_over_symbols_frames_and_channels() -> None:
    channels = (channel("A", "B", frames=("1min", "5min"), snapshot=100), channel("*", snapshot=10), channel("C"))
    wanted = plan(Subscribe(channels), KNOWN).wanted
    assert snapshot_rows(wanted, lambda frame: 7) == 2 * 2 * 100 + 7 * 10


FRAMES = {"1m": "1min", "60min": "1hour", "24h": "1day", "1D": "1day", "7min": None, "": None}


@pytest.mark.parametrize(("label", "frame"), FRAMES.items())
def test_aliases_of_time_frames_are_taken(label: str, frame: str | None) -> None:
    assert canonical_frame(label) == frame


def test_what_is_subscribed_alike_is_listed_together() -> None:
    live, final = Want(Mode.LIVE, None, 10.0), Want(Mode.FINAL, frozenset({"RSI"}), 10.0)
    named = {Series(symbol, frame): live for symbol in "BA" for frame in ("1min", "5min")}
    named |= {Series("C", "1min"): final, Series("A", "1hour"): live}
    said = [(each.symbols, each.time_frames, each.mode, each.indicators) for each in listed(named, {"5min": final})]
    assert said == [
        (("*",), ("5min",), "final", ("RSI",)),
        (("A", "B"), ("1min", "5min"), "live", None),
        (("C",), ("1min",), "final", ("RSI",)),
        (("A",), ("1hour",), "live", None),
    ]


# What of a record --------------------------------------------------------------------------------------------------------


def test_all_indicators_are_the_record_itself() -> None:
    value = record().value
    assert select_indicators(value, None) is value


LABELS = st.sampled_from(["RSI", "MACD", "Own", "é"])
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.dictionaries(st.sampled_from(["macd", "signal"]), st.just(0.5))


@given(st.dictionaries(LABELS, NUMBERS), st.frozensets(LABELS), st.booleans())
def test_only_the_indicators_asked_for_are_left_and_nothing_else_changes(results: Any, labels: frozenset[str], since: bool) -> None:
    said = json.loads(record(close=184.1000000000001, results=results).value)
    if since:
        said["since"] = {label: 5 for label in results}
    left = json.loads(select_indicators(json.dumps(said).encode(), labels))
    assert left["results"] == {label: number for label, number in results.items() if label in labels}
    assert left.get("since", {}).keys() == (left["results"].keys() if since else set())
    assert {name: value for name, value in left.items() if name not in ("results", "since")} == {
        name: value for name, value in said.items() if name not in ("results", "since")
    }


def test_numbers_keep_the_digits_they_had() -> None:
    value = b'{"close":0.00001,"volume":1234567890123456789012,"results":{"RSI":1.10,"MACD":{"macd":100000000000000000000.5}},"x":[1.0]}'
    kept = select_indicators(value, frozenset({"RSI", "MACD"}))
    assert kept == value


def test_a_record_without_an_object_of_results_is_left_as_it_is() -> None:
    assert select_indicators(b'{"results":null}', frozenset()) == b'{"results":null}'


def test_one_body_is_made_for_all_who_want_the_same() -> None:
    bodies = Bodies.of(record(results={"RSI": 1, "MACD": 2}))
    assert bodies.get(frozenset({"RSI"})) is bodies.get(frozenset({"RSI"}))
    assert bodies.get(None) is bodies.get(None)
    assert json.loads(b"{" + bodies.get(frozenset({"RSI"})))["results"] == {"RSI": 1}
