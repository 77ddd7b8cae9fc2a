"""What a client may say, when, and how often; and what it is told when it may not."""

import json
from typing import Any

import msgspec
import pytest

from connectors.delivery.live.limits import Limits
from connectors.delivery.live.messages import STATUS, ErrorCode, ListSubscriptions, Mode, Ping, Resume, Subscribe, Unsubscribe
from connectors.delivery.live.protocol import Admitted, Conversation, Heard, Refused
from connectors.delivery.live.server_messages import SERVER_MESSAGES
from tests.connectors.delivery.live.talk import ANYBODY, Talker, Time, hub_of


class Key:
    """A permit that can be taken back."""

    def __init__(self, name: str = "ann") -> None:
        self.name = name
        self.good = True

    def holds(self) -> bool:
        return self.good


def open_talk(**limits: Any) -> Conversation:
    return Conversation(Limits(**limits), 0.0, ANYBODY)


def locked_talk(key: Key) -> Conversation:
    return Conversation(Limits(), 0.0, None, lambda text: key if text == "right" else None)


def say(talk: Conversation, now_s: float = 0.0, **message: Any) -> Heard:
    return talk.receive(json.dumps(message), now_s)


def told(heard: Heard) -> tuple[str, int, int | None]:
    """Code, status, and the code to close with."""
    assert isinstance(heard, Refused)
    return heard.error.code, heard.error.status, heard.close


def test_every_message_of_the_protocol_is_understood() -> None:
    talk = open_talk()
    channel = {"channel": "bars", "time_frames": ["1min", "5min"], "symbols": ["AAPL"], "indicators": ["RSI"], "snapshot": 300}
    subscribe = say(talk, op="subscribe", id=2, channels=[channel | {"mode": "live", "max_hz": 4}])
    assert isinstance(subscribe, Subscribe)
    (wanted,) = subscribe.channels
    assert (wanted.symbols, wanted.time_frames, wanted.indicators, wanted.snapshot) == (("AAPL",), ("1min", "5min"), ("RSI",), 300)
    assert (wanted.mode, wanted.max_hz, subscribe.id) == (Mode.LIVE, 4.0, 2)
    assert isinstance(say(talk, op="unsubscribe", id=3, channels=[{"channel": "bars", "symbols": ["AAPL"]}]), Unsubscribe)
    assert say(talk, op="list", id=4) == ListSubscriptions(4)
    assert say(talk, op="ping", id="five") == Ping("five")
    assert say(talk, op="resume", id=6, conn="d1-7-x", msg_seq=90121) == Resume("d1-7-x", 90121, 6)
    assert say(talk, op="ping", later="fields of later versions are passed over") == Ping()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "bad_message"),
        (b"\xff\xfe", "bad_message"),
        ("{", "bad_message"),
        ("[]", "bad_message"),
        ('{"id":1}', "bad_message"),
        ('{"op":"dance"}', "invalid_action"),
        ('{"op":7}', "bad_message"),
        ('{"op":"subscribe"}', "bad_message"),
        ('{"op":"subscribe","channels":[]}', "bad_message"),
        ('{"op":"subscribe","channels":[{"channel":"ticks","symbols":["A"],"time_frames":["1min"]}]}', "bad_message"),
        ('{"op":"subscribe","channels":[{"channel":"bars","symbols":["A"],"time_frames":[]}]}', "bad_message"),
        ('{"op":"subscribe","channels":[{"channel":"bars","symbols":["A"],"time_frames":["1min"],"max_hz":0}]}', "bad_message"),
        ('{"op":"subscribe","channels":[{"channel":"bars","symbols":["A"],"time_frames":["1min"],"snapshot":-1}]}', "bad_message"),
        ('{"op":"subscribe","channels":[{"channel":"bars","symbols":["A"],"time_frames":["1min"],"mode":"loud"}]}', "bad_message"),
        ('{"op":"resume","conn":"d1-7"}', "bad_message"),
        ("[" * 5_000, "bad_message"),
        ('{"op":"ping","x":' + "[" * 5_000, "bad_message"),
    ],
)
def test_what_is_not_understood_is_said_and_the_talk_goes_on(data: str | bytes, code: str) -> None:
    talk = open_talk()
    assert told(talk.receive(data, 0)) == (code, STATUS[ErrorCode(code)], None)
    assert say(talk, op="ping") == Ping()


def test_a_refusal_repeats_the_id_and_says_where_the_fault_lies() -> None:
    channels = [{"channel": "bars", "symbols": ["A"], "time_frames": ["1min"], "snapshot": "all"}]
    heard = say(open_talk(), op="subscribe", id="mine", channels=channels)
    assert isinstance(heard, Refused)
    assert heard.error.id == "mine"
    assert "channels[0].snapshot" in heard.error.detail


def test_without_a_key_only_the_key_is_heard() -> None:
    talk = locked_talk(Key())
    assert told(say(talk, op="list")) == ("not_authenticated", 401, None)
    assert say(talk, op="auth", id=1, key="right") == Admitted(1)
    assert say(talk, op="list") == ListSubscriptions()
    assert told(say(talk, op="auth", key="right")) == ("already_authenticated", 403, None)


def test_a_wrong_key_ends_the_talk() -> None:
    assert told(say(locked_talk(Key()), op="auth", key="wrong")) == ("auth_failed", 402, 1008)


def test_a_key_that_came_with_the_handshake_is_enough_and_where_none_is_needed_one_does_no_harm() -> None:
    with_header = Conversation(Limits(), 0.0, Key(), lambda text: None)
    assert told(say(with_header, op="auth", key="another")) == ("already_authenticated", 403, None)
    assert say(with_header, op="ping") == Ping()
    assert say(open_talk(), op="auth", id=1, key="some") == Admitted(1)


def test_the_key_has_to_come_within_ten_seconds() -> None:
    talk = locked_talk(Key())
    assert talk.check(9.9) is None
    late = talk.check(10.0)
    assert late is not None
    assert told(late) == ("auth_timeout", 404, 1008)
    assert open_talk().check(1e9) is None


def test_a_key_taken_back_ends_the_talk() -> None:
    key = Key()
    talk = locked_talk(key)
    say(talk, op="auth", key="right")
    assert talk.check(100.0) is None
    key.good = False
    revoked = talk.check(101.0)
    assert revoked is not None
    assert told(revoked) == ("key_revoked", 402, 1008)


def test_twenty_messages_at_once_and_ten_a_second_are_heard_and_more_are_too_many() -> None:
    talk = open_talk()
    assert [isinstance(say(talk, op="ping"), Ping) for _ in range(20)] == [True] * 20
    assert told(say(talk, op="ping")) == ("too_many_messages", 429, 1008)
    steady = open_talk()
    assert all(isinstance(say(steady, now_s / 10, op="ping"), Ping) for now_s in range(500))


def test_what_is_not_understood_counts_as_a_message_too() -> None:
    talk = open_talk()
    answers = [told(talk.receive("{", 0.0)) for _ in range(21)]
    assert answers[-1] == ("too_many_messages", 429, 1008)


def test_every_code_has_a_number() -> None:
    assert set(STATUS) == set(ErrorCode)


# Said and answered, through the connection -----------------------------------------------------------------------------


@pytest.fixture
def talker() -> Talker:
    time = Time()
    talker = Talker(hub_of(time, Limits(max_symbols=3), frames=("1min", "5min", "1hour")), time)
    talker.listen()
    return talker


def test_a_ping_is_answered_with_the_time(talker: Talker) -> None:
    assert talker.say(op="ping", id=5) == [{"T": "pong", "id": 5, "now_ms": talker.time.ms}]


def test_a_subscription_is_repeated_as_it_was_understood_and_what_was_not_taken_is_named(talker: Talker) -> None:
    channel = {"channel": "bars", "symbols": ["A", "B", "A", "no symbol", "C", "D", "B"], "time_frames": ["5T", "1m", "3min", "7min", "1h"]}
    (ack,) = talker.say(op="subscribe", id=2, channels=[channel | {"indicators": ["RSI", "MACD"]}])
    taken = {"channel": "bars", "symbols": ["A", "B", "C"], "time_frames": ["5min", "1min", "1hour"]}
    assert ack["subscribed"] == [taken | {"indicators": ["MACD", "RSI"], "max_hz": 10.0}]
    assert ack["rejected"] == [
        {"code": "bad_time_frame", "status": 409, "time_frame": "3min"},
        {"code": "bad_time_frame", "status": 409, "time_frame": "7min"},
        {"code": "bad_symbol", "status": 409, "stock_id": "no symbol"},
        {"code": "symbol_limit", "status": 405, "stock_id": "D"},
    ]
    assert ack["snapshots"] == 0


def test_the_limit_is_on_symbols_named_in_all_and_the_star_is_none(talker: Talker) -> None:
    for symbols, rejected in ((["A", "B"], []), (["*", "C"], []), (["D", "A"], ["D"])):
        (ack,) = talker.say(op="subscribe", channels=[{"channel": "bars", "symbols": symbols, "time_frames": ["1min"]}])
        assert [each["stock_id"] for each in ack["rejected"]] == rejected
    talker.say(op="unsubscribe", channels=[{"channel": "bars", "symbols": ["B"]}])
    (ack,) = talker.say(op="subscribe", channels=[{"channel": "bars", "symbols": ["D"], "time_frames": ["1min"]}])
    assert ack["rejected"] == []


def test_the_list_says_all_that_is_subscribed_in_few_channels(talker: Talker) -> None:
    talker.say(op="subscribe", channels=[{"channel": "bars", "symbols": ["B", "A"], "time_frames": ["1min", "5min"], "mode": "final"}])
    talker.say(op="subscribe", channels=[{"channel": "bars", "symbols": ["*"], "time_frames": ["1hour"]}])
    (listed,) = talker.say(op="list", id=4)
    assert listed == {
        "T": "ack",
        "id": 4,
        "subscribed": [
            {"channel": "bars", "symbols": ["*"], "time_frames": ["1hour"], "max_hz": 10.0},
            {"channel": "bars", "symbols": ["A", "B"], "time_frames": ["1min", "5min"], "mode": "final", "max_hz": 10.0},
        ],
    }


def test_a_client_that_is_sent_away_hears_why_and_then_nothing(talker: Talker) -> None:
    for _ in range(21):
        talker.connection.receive('{"op":"ping"}')
    heard = talker.listen()
    assert [message["T"] for message in heard] == ["pong"] * 20 + ["error"]
    assert heard[-1]["status"] == 429
    assert talker.connection.ending == 1008
    assert talker.say(op="ping") == []
    assert talker.hub.metrics.cuts == {"too_many_messages": 1}


def test_a_client_with_a_key_is_welcomed_first_and_let_in_by_its_first_message() -> None:
    time, key = Time(), Key()
    talker = Talker(hub_of(time), time, None, lambda text: key)
    assert talker.listen()[0]["T"] == "welcome"
    assert talker.say(op="list")[0]["code"] == "not_authenticated"
    assert talker.say(op="auth", id=1, key="tl_x") == [{"T": "ack", "id": 1}]
    key.good = False
    talker.hub.beat()
    assert talker.listen()[-1]["code"] == "key_revoked"


def test_schemas_can_be_made_of_every_message() -> None:
    _, components = msgspec.json.schema_components([*SERVER_MESSAGES, Subscribe, Unsubscribe, Resume])
    assert {"Bar", "Snapshot", "Ack", "Subscribe"} <= set(components)
