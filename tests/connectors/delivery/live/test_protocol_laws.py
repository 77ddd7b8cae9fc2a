"""What holds whatever a client sends."""

import json
import re
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from connectors.delivery.live.limits import Limits
from connectors.delivery.live.messages import STATUS, ErrorCode
from connectors.delivery.live.protocol import BURST, Conversation, Refused
from connectors.delivery.live.snapshots import Answer, parts_of
from tests.connectors.delivery.live.talk import ANYBODY, Talker, Time, hub_of

LIMITS = Limits(max_symbols=4, max_snapshot_rows=50)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
SYMBOLS = st.lists(st.sampled_from(["A", "B", "C", "D", "E", "*", "", "é", "a b", "x" * 65]) | st.text(max_size=3), max_size=6)
FRAMES = st.lists(st.sampled_from(["1min", "1m", "5T", "1h", "1day", "7min", "", "1"]), max_size=4)
CHANNEL = st.fixed_dictionaries(
    {"channel": st.sampled_from(["bars", "bars", "bars", "ticks"]), "symbols": SYMBOLS, "time_frames": FRAMES},
    optional={
        "mode": st.sampled_from(["live", "final", "latest", "loud"]),
        "indicators": st.none() | st.lists(st.sampled_from(["RSI", "MACD", ""]), max_size=3),
        "max_hz": st.floats() | st.sampled_from([1, 4, 0]),
        "snapshot": st.sampled_from([0, 1, 3, 20, -1, 10_001]),
    },
)
MESSAGE = st.fixed_dictionaries(
    {"op": st.sampled_from(["subscribe", "subscribe", "unsubscribe", "list", "ping", "resume", "auth", "dance"])},
    optional={
        "id": st.none() | st.integers(-1, 2**54) | st.text(max_size=70),
        "channels": st.lists(CHANNEL, max_size=3) | JSON,
        "key": st.text(max_size=5),
        "conn": st.text(max_size=5),
        "msg_seq": st.integers(-1, 5),
    },
)
DATA = st.binary(max_size=60) | st.text(max_size=60) | JSON.map(json.dumps) | MESSAGE.map(json.dumps)


def empty(question: Any, take: Any) -> None:
    """A store that has nothing."""
    take(Answer({series: parts_of(series, [], None) for series in question.series}, 0, {}, {}))


@given(st.lists(DATA, max_size=30), st.booleans())
@example(["\ud800"], False)
@example([b'{"op":"ping","id":"\xed\xa0\x80"}'], False)
def test_nothing_a_client_says_raises_and_every_message_has_an_answer(messages: list[str | bytes], locked: bool) -> None:
    time = Time()
    talker = Talker(hub_of(time, LIMITS, empty), time, None if locked else ANYBODY, (lambda key: None) if locked else None)
    talker.listen()
    for data in messages:
        was_over = talker.connection.ending is not None
        talker.connection.receive(data)
        heard = [message for message in talker.listen() if message["T"] in ("ack", "pong", "error")]
        assert len(heard) == (0 if was_over else 1)
        for message in heard:
            if message["T"] == "error":
                assert message["status"] == STATUS[ErrorCode(message["code"])]
        time.pass_by(0.1)
    session = talker.connection.session
    assert len(session.symbols) <= LIMITS.max_symbols
    for channel in session.channels:
        assert all(re.fullmatch(r"[1-9]\d*(min|hour|day)", frame) for frame in channel.time_frames)
        assert all(re.fullmatch(r"[A-Za-z0-9._:/=^+*-]{1,64}", symbol) for symbol in channel.symbols)


@given(st.lists(CHANNEL, min_size=1, max_size=3), st.lists(CHANNEL, max_size=3))
def test_what_the_list_says_can_be_subscribed_again_and_is_the_same(first: Any, second: Any) -> None:
    time = Time()
    hub = hub_of(time, LIMITS, empty)
    one, other = Talker(hub, time), Talker(hub, time)
    for channels in (first, second):
        one.say(op="subscribe", channels=channels)
    listed = one.say(op="list")[-1]["subscribed"]
    other.listen()
    if listed:
        (ack,) = other.say(op="subscribe", channels=listed)
        assert ack["rejected"] == []
    assert other.say(op="list")[-1]["subscribed"] == listed
    assert hub.subscriptions == 2 * one.connection.session.subscriptions


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=100), st.integers(1, 20))
def test_no_more_messages_are_heard_than_the_rate_allows_and_within_it_all_are(gaps: list[float], per_second: int) -> None:
    """Counted over every stretch of time, the slow way."""
    talk = Conversation(Limits(messages_per_second=per_second), 0.0, ANYBODY)
    now_s, heard = 0.0, []
    for gap_s in gaps:
        now_s += gap_s
        if isinstance(talk.receive('{"op":"ping"}', now_s), Refused):
            most = max(sum(since_s <= each for each in heard) - per_second * (now_s - since_s) for since_s in heard)
            assert most + 1 > per_second * BURST - 1e-6
        else:
            heard.append(now_s)
    for first, since_s in enumerate(heard):
        for last in range(first, len(heard)):
            assert last - first + 1 <= per_second * (BURST + heard[last] - since_s) + 1e-6
