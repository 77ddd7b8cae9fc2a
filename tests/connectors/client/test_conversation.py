"""What a client says when, and what it makes of answers."""

import json

import pytest

from connectors.client.conversation import Conversation, Refused, check_line
from connectors.client.outbox import Chunk
from connectors.gateway.control_lines import parse_hello

WELCOME = b'{"op":"welcome","v":1,"conn":"g1-1","max_line":16384,"heartbeat_ms":15000}\n'


class Told(list[Refused]):
    def __call__(self, refused: Refused) -> None:
        self.append(refused)


def conversation(*lines: bytes, told: Told | None = None, limit_bytes: int = 1_000) -> Conversation:
    one = Conversation("feed-a", limit_bytes, Told() if told is None else told, key=None, replay=False)
    for line in lines:
        one.say(Chunk(1, line + b"\n"))
    return one


def welcomed(one: Conversation) -> Conversation:
    one.begin(0.0)
    one.receive(WELCOME)
    return one


def test_it_says_hello_first_and_nothing_else_before_it_is_welcome() -> None:
    one = conversation(b"a")
    assert json.loads(one.begin(0.0)) == {"op": "hello", "v": 1, "client": "feed-a"}
    assert one.to_send(0.0, 100) == b""
    one.receive(WELCOME[:20])
    assert one.to_send(0.0, 100) == b""
    one.receive(WELCOME[20:])
    assert one.to_send(0.0, 100) == b"a\n"


def test_its_hello_is_one_that_the_gateway_understands() -> None:
    hello = parse_hello(Conversation("feed-a", 9, Told(), key="secret", replay=True).begin(0.0))
    assert not isinstance(hello, str)
    assert (hello.client, hello.key, hello.replay) == ("feed-a", "secret", True)


def test_after_a_cut_only_what_is_not_acknowledged_goes_again() -> None:
    one = conversation()
    one.say(Chunk(3, b"a\nb\nc\n"))
    welcomed(one)
    one.to_send(0.0, 100)
    one.receive(b'{"op":"ack","n":2,"bad":1}\n')
    assert (one.acked, one.bad, one.outbox.lines) == (2, 1, 1)
    one.say(Chunk(1, b"d\n"))
    assert welcomed(one).to_send(0.0, 100) == b"c\nd\n"
    one.receive(b'{"op":"ack","n":2,"bad":2}\n')
    assert (one.acked, one.bad, one.outbox.lines, one.outbox.bytes) == (4, 3, 0, 0)


def test_it_is_full_until_enough_is_acknowledged() -> None:
    one = welcomed(conversation(b"x" * 600, b"y" * 600))
    assert one.outbox.full
    assert len(one.to_send(0.0, 100)) == 601
    one.receive(b'{"op":"ack","n":1,"bad":0}\n')
    assert not one.outbox.full


def test_a_refused_line_is_told_with_its_bytes_also_behind_acknowledged_ones() -> None:
    told = Told()
    one = conversation(told=told)
    one.say(Chunk(2, b"a\nb\n"))
    one.say(Chunk(2, b"c\nd\n"))
    welcomed(one)
    one.to_send(0.0, 100)
    one.receive(b'{"op":"ack","n":1,"bad":0}\n')
    for number in (1, 3, 0, 9):
        one.receive(b'{"op":"err","line":%d,"code":"bad_price","status":400,"detail":"price"}\n' % number)
    one.receive(b'{"op":"err","code":"suppressed","n":812}\n')
    assert [each.line for each in told] == [b"b", b"d", b"a", None]
    assert told[0] == Refused(b"b", "bad_price", 400, "price")
    assert one.suppressed == 812


def test_silent_for_a_heartbeat_it_says_that_it_lives() -> None:
    one = welcomed(conversation())
    assert [one.to_send(now_s, 100) for now_s in (14.9, 15.0, 20.0, 30.0)] == [b"", b'{"op":"hb"}\n', b"", b'{"op":"hb"}\n']
    one.say(Chunk(1, b"a\n"))
    assert one.to_send(40.0, 100) == b"a\n"
    assert one.to_send(50.0, 100) == b""


def test_it_waits_for_three_heartbeats_of_the_gateway() -> None:
    assert conversation().patience_s == 10.0
    assert welcomed(conversation()).patience_s == 45.0


@pytest.mark.parametrize(("code", "for_good"), [("shutdown", False), ("too_many_connections", False), ("unauthorized", True)])
def test_after_goodbye_nothing_is_sent_and_a_key_that_is_not_known_is_not_tried_again(code: str, for_good: bool) -> None:
    one = welcomed(conversation(b"a"))
    one.receive(b'{"op":"bye","code":"%s","retry_ms":2500}\n' % code.encode())
    assert one.bye is not None
    assert (one.bye.retry_s, one.refused_for_good) == (2.5, for_good)
    assert one.to_send(0.0, 100) == b""


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 400 Bad Request\r\n", b"\xff\n", b'{"op":"ack","n":5}\n', b'{"op":"ack","n":-1}\n', b"x" * 70_000]
)
def test_what_no_gateway_says_ends_the_connection_and_loses_nothing(said: bytes) -> None:
    one = welcomed(conversation(b"a", b"b"))
    one.to_send(0.0, 100)
    one.receive(said)
    assert one.bye is not None
    assert not one.refused_for_good
    assert welcomed(one).to_send(0.0, 100) == b"a\nb\n"


def test_hints_heartbeats_and_words_of_newer_gateways_change_nothing() -> None:
    one = welcomed(conversation(b"a"))
    one.receive(b'{"op":"hb"}\n{"op":"hint","line":0,"detail":"d"}\n{"op":"sing","song":[1]}\n')
    assert (one.bye, one.acked) == (None, 0)


@pytest.mark.parametrize("line", [b"", b"\r", b"a\nb", b'{"op":"hb"}', b' {"x":1,"op":"hello"}'])
def test_a_line_that_a_gateway_would_not_number_is_not_sent(line: bytes) -> None:
    assert check_line(line) is not None


@pytest.mark.parametrize("line", [b"bad", b"{", b'{"op":"hb"', b'{"stock_id":"A","op":"x"}', b" ", b'"op"', b"\xff"])
def test_every_other_line_is_sent_and_becomes_a_tick_or_a_dead_letter(line: bytes) -> None:
    assert check_line(line) is None
