"""Every record and message there is fits its schema: those here are made by the code that makes them in earnest."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from openapi_spec_validator import OpenAPIV31SpecValidator

from connectors.codec import DeadLetter, TickDecoder, encode_dead_letter, encode_result
from connectors.dead_letters import dead_letter_of_line
from connectors.delivery.http.asyncapi import asyncapi_document
from connectors.delivery.http.openapi import openapi_document
from connectors.delivery.http.parameters import Offer
from connectors.delivery.http.schemas import RECORDS, record_schema
from connectors.delivery.live.messages import ClientMessage
from connectors.delivery.live.snapshots import Answer, Question, parts_of
from connectors.registry import Service
from connectors.replay_notes import encode_replay_note
from connectors.topics import Topics
from tests.connectors.delivery.http.served import FRAMES, INDICATORS
from tests.connectors.delivery.live.talk import Talker, Time, forming, hub_of, record
from tests.udfs.driver import Driver
from tests.udfs.histories import SPECS, history, rules_of, steps
from udfs.model import Reason, Scales, Status

SYNTAX = {Reason.BAD_JSON, Reason.NOT_OBJECT, Reason.MISSING_FIELD, Reason.BAD_TYPE, Reason.BAD_SYMBOL}
"""Why a line is refused that a schema can know of."""


@cache
def validator(name: str) -> Draft202012Validator:
    schema = record_schema(name)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def fits(name: str, value: bytes) -> bool:
    return validator(name).is_valid(json.loads(value))


def check(name: str, value: bytes) -> Any:
    read = json.loads(value)
    validator(name).validate(read)
    return read


@settings(max_examples=10)
@given(st.lists(steps, min_size=20, max_size=80))
def test_results_fit_final_revised_and_forming(moves: list[Any]) -> None:
    driver = Driver(rules_of("1min", "5min", indicators=SPECS))
    for arrival in history(moves, driver.rules):
        driver.record([arrival.tick], arrival.at_ms)
        for result in driver.forming():
            check("result", encode_result(result))
    driver.finish()
    for result in driver.results:
        check("result", encode_result(result))


@pytest.mark.parametrize("name", ["stock_id", "start_ms", "results", "vwap", "complete"])
def test_a_result_without_a_field_does_not_fit(name: str) -> None:
    whole = json.loads(record().value)
    validator("result").validate(whole)
    with pytest.raises(ValidationError):
        validator("result").validate({field: value for field, value in whole.items() if field != name})
    with pytest.raises(ValidationError):
        validator("result").validate(whole | {name: "x" if name != "stock_id" else 5})


numbers = st.integers(-5, 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0, 1, 1e12, 1e13, 1e15, 1e16])
names = st.sampled_from(["IBM", "ibm", "", "I BM", "A" * 65]) | st.none() | st.integers()
lines = st.fixed_dictionaries(
    {},
    optional={
        "stock_id": names,
        "symbol": names,
        "price": numbers | st.none() | st.text(max_size=2),
        "size": numbers | st.none() | st.booleans(),
        "event_time_ms": numbers | st.none(),
        "seq": st.integers(-(2**64), 2**64) | st.none(),
        "id": st.text(max_size=3) | st.integers(-(2**70), 2**70) | st.none(),
        "source": st.text(max_size=3) | st.none() | st.integers(),
        "flags": st.lists(st.text(max_size=3), max_size=2) | st.none() | st.just("no_price"),
        "later": st.none() | st.lists(st.integers(), max_size=2),
    },
)


@settings(max_examples=500)
@given(lines)
@example({"stock_id": "IBM", "symbol": "", "price": 1})
@example({"symbol": "", "price": 1})
def test_every_line_that_counts_fits_and_one_that_fits_is_not_refused_for_its_form(line: dict[str, Any]) -> None:
    decoded = TickDecoder(Scales()).decode("IBM", json.dumps(line).encode(), 1_795_348_620_000, 0)
    fitting = validator("tick").is_valid(line)
    if decoded.ticks:
        assert fitting
    if fitting:
        assert not {refusal.reason for refusal in decoded.refusals} & SYNTAX


def test_dead_letters_fit_whatever_was_refused() -> None:
    value = b'{"stock_id":"IBM"}\n{"stock_id":"IBM","price":"\xff"}\nnonsense\n[]\n{"stock_id":"AAPL","price":1}'
    refusals = TickDecoder(Scales()).decode("IBM", value, 1, 17).refusals
    assert len(refusals) == 5
    for refusal in refusals:
        check("dead-letter", encode_dead_letter(dead_letter_of_line(refusal, value, "stock_data", 3, 17, "job", 5)))
    large = DeadLetter(
        reason=Reason.TOO_LONG, detail="", stage="gateway", received_ms=1, original=b"x" * 300_000, client="f", connection="c", line=0
    )
    assert check("dead-letter", encode_dead_letter(large))["truncated"] is True
    check("replay-note", encode_replay_note(["0:1", "0:2"], 5))
    assert not fits("dead-letter", encode_replay_note(["0:1"], 5))


def test_registry_entries_fit() -> None:
    service = Service(service="gateway", instance="g1", address="127.0.0.1:9999", version="1", started_ms=1, seen_ms=2, load={"x": 0.5})
    check("service", msgspec.json.encode(service))
    check("service", msgspec.json.encode(msgspec.structs.replace(service, load={})))


def said_by_a_server() -> Iterator[bytes]:
    """Frames of a conversation with about everything in it."""

    def snapshots(question: Question, take: Any) -> None:
        parts = {series: parts_of(series, [record(series.stock_id).value], question.labels) for series in question.series}
        take(Answer(parts, len(parts), {0: 1}, {}))

    time = Time()
    hub = hub_of(time, snapshots=snapshots)
    one, other = Talker(hub, time), Talker(hub, time)
    one.say(op="subscribe", id=1, channels=[{"channel": "bars", "symbols": ["A", "B", "?"], "time_frames": ["1m", "x"], "snapshot": 5}])
    hub.take_forming([forming(minute=1, second=1), forming(minute=1, second=2)])
    hub.take_results([record(minute=1), record(minute=1, status="revised", revision=1, offset=2)])
    hub.change_state("degraded", "kafka_unreachable")
    hub.beat()
    one.say(op="list", id="two")
    one.say(op="ping", id=None)
    one.say(op="unsubscribe", id=3)
    one.say(op="dance", id=4)
    other.resume("d1-99-x", 5)
    time.pass_by(1)
    hub.stop()
    for talker in (one, other):
        talker.listen()
        yield from talker.frames


def test_what_the_server_says_fits() -> None:
    kinds = {message["T"] for frame in said_by_a_server() for message in check("server-messages", frame)}
    assert kinds == {"welcome", "ack", "pong", "bar", "snapshot", "hb", "status", "error", "bye"}
    assert {status.value for status in Status} >= {"final", "revised", "forming"}
    assert not fits("server-messages", b'{"T":"hb"}')
    assert not fits("server-messages", b'[{"T":"nothing"}]')


BARS = {"channel": "bars", "time_frames": ["1min", "5min"], "symbols": ["AAPL"]}
CLIENT = [
    {"op": "auth", "id": 1, "key": "..."},
    {"op": "subscribe", "id": 2, "channels": [{**BARS, "indicators": ["RSI"], "snapshot": 300, "mode": "live", "max_hz": 4}]},
    {"op": "subscribe", "channels": [{**BARS, "symbols": ["*"], "indicators": None}]},
    {"op": "unsubscribe", "id": "x"},
    {"op": "unsubscribe", "channels": [{"channel": "bars", "symbols": ["AAPL"]}]},
    {"op": "list", "id": 4},
    {"op": "ping"},
    {"op": "resume", "id": 6, "conn": "d1-7", "msg_seq": 90121},
]
WRONG = [
    {},
    {"op": "dance"},
    {"op": "auth"},
    {"op": "subscribe", "channels": []},
    {"op": "subscribe", "channels": [{**BARS, "channel": "trades"}]},
    {"op": "subscribe", "channels": [{**BARS, "mode": "fast"}]},
    {"op": "subscribe", "channels": [{**BARS, "snapshot": 10_001}]},
    {"op": "resume", "conn": "d1-7", "msg_seq": -1},
]


@pytest.mark.parametrize("message", [*CLIENT, *WRONG], ids=str)
def test_what_a_client_may_say_fits_and_what_the_server_does_not_take_does_not(message: dict[str, Any]) -> None:
    assert validator("client-message").is_valid(message) == (message in CLIENT)
    try:
        msgspec.json.decode(json.dumps(message), type=ClientMessage)
        taken = True
    except msgspec.DecodeError:
        taken = False
    assert taken == (message in CLIENT)


# The two descriptions --------------------------------------------------------------------------------------------------


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from references(each)


def resolve(document: Any, reference: str) -> Any:
    for name in reference.removeprefix("#/").split("/"):
        document = document[name]
    return document


def test_asyncapi_names_everything_it_refers_to() -> None:
    document = asyncapi_document("1", Topics("x."))
    assert document["asyncapi"] == "3.0.0"
    assert [channel["address"] for channel in document["channels"].values()] == [
        "/v1/ws", "x.stock_data", "x.indicator_results", "x.indicator_live", "x.dead_letters", "x.service_registry",
    ]  # fmt: skip
    for reference in references(document):
        assert resolve(document, reference)
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    by_tag = {message["name"] for message in document["components"]["messages"].values()}
    assert by_tag >= {
        "auth",
        "subscribe",
        "unsubscribe",
        "list",
        "ping",
        "resume",
        "welcome",
        "ack",
        "bar",
        "snapshot",
        "hb",
        "error",
        "bye",
    }


@pytest.mark.parametrize("with_keys", [True, False])
def test_openapi_is_valid_and_describes_the_records_by_the_same_schemas(with_keys: bool) -> None:
    document = openapi_document("1", Offer(FRAMES, INDICATORS, 1_024), with_keys=with_keys)
    OpenAPIV31SpecValidator(document).validate()
    result = record_schema("result")["$defs"]["Result"]
    own = document["components"]["schemas"]["Result"]
    assert json.dumps(own).replace("#/components/schemas/", "#/$defs/") == json.dumps(result)
    assert any(operation["security"] for path in document["paths"].values() for operation in path.values()) == with_keys


def test_every_record_of_the_wire_has_a_schema() -> None:
    assert set(RECORDS) == {"tick", "result", "dead-letter", "replay-note", "service", "client-message", "server-messages"}
