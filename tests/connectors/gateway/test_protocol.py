import json

import pytest

from connectors.control_lines import encode_drop
from connectors.gateway.budgets import Allowances
from connectors.gateway.control_lines import Hello
from connectors.gateway.limits import Limits
from connectors.gateway.protocol import Permit
from tests.connectors.gateway.lines import HOUR_MS, NOW_MS, Heard, connection, heard, settle, tick

HELLO = b'{"op":"hello","v":1,"client":"feed-a"}\n'
WELCOME = {"op": "welcome", "v": 1, "conn": "g1-1", "max_line": 16_384, "heartbeat_ms": 15_000}
SECRET = "s3cr3t-0123456789"


def knows_the_key(hello: Hello) -> Permit | None:
    return Permit("feeds", lambda: True) if hello.key == SECRET else None


# Lines -------------------------------------------------------------------------------------------------------------


def test_the_first_line_may_be_a_tick_and_a_client_that_says_nothing_wrong_is_told_nothing() -> None:
    out = heard(tick() + b"\n" + tick(seq=2) + b"\n")
    assert [(line, symbol) for line, symbol, _, _ in out.ticks] == [(0, "IBM"), (1, "IBM")]
    assert (out.said, out.closed) == ([], [])


def test_a_bad_line_is_answered_with_its_number_and_reason_and_becomes_a_dead_letter() -> None:
    out = heard(tick() + b"\nnonsense\n" + tick(price=-1) + b"\n" + tick() + b"\n")
    assert out.letters == [(1, "bad_json", b"nonsense", 8), (2, "bad_price", tick(price=-1), len(tick(price=-1)))]
    assert [line for line, *_ in out.ticks] == [0, 3]
    assert out.errors() == [(1, "bad_json"), (2, "bad_price")]
    assert out.said[1] == {
        "op": "err", "line": 2, "code": "bad_price", "status": 400, "detail": "price: expected a number > 0 and <= 1e12, got -1.0",
    }  # fmt: skip


def test_blank_lines_and_control_lines_are_not_numbered() -> None:
    out = heard(b"\n" + tick(seq=0) + b'\n\r\n\n{"op":"hb"}\n' + tick(seq=1) + b"\nbad\n")
    assert [line for line, *_ in out.ticks] == [0, 1]
    assert [line for line, *_ in out.letters] == [2]


def test_a_line_too_long_is_kept_in_part_and_the_next_one_counts() -> None:
    long = b"y" * 100_000
    out = heard(tick() + b"\n" + long, long + b"\n" + tick() + b"\n")
    assert out.letters == [(1, "too_long", b"y" * 16_384, 200_000)]
    assert (out.errors(), out.said[0]["status"]) == ([(1, "too_long")], 413)
    assert [line for line, *_ in out.ticks] == [0, 2]


def test_a_whole_object_at_a_clean_end_is_a_tick_and_its_sender_gets_a_hint() -> None:
    out = heard(tick(), end=True)
    assert [line for line, *_ in out.ticks] == [0]
    assert [(each["op"], each["line"]) for each in out.said] == [("hint", 0)]


@pytest.mark.parametrize("rest", [tick()[:-1], b"12", b"{"])
def test_anything_else_unfinished_at_the_end_is_truncated(rest: bytes) -> None:
    assert heard(tick() + b"\n" + rest, end=True).letters == [(1, "truncated", rest, len(rest))]


def test_even_a_whole_object_is_truncated_when_the_connection_breaks() -> None:
    one = connection()
    out = heard(tick(), of=one).hear(one.end(NOW_MS, 0.0, clean=False))
    assert [(line, reason) for line, reason, *_ in out.letters] == [(0, "truncated")]


def test_after_ten_errors_in_a_second_the_others_are_counted_and_told_of_later() -> None:
    one, out = connection(), Heard()
    out.hear(one.receive(b"bad\n" * 822, NOW_MS, 100.0))
    assert len(out.letters) == 822
    assert out.errors() == [(line, "bad_json") for line in range(10)]
    assert Heard().hear(one.check(NOW_MS, 100.5)).said == []
    assert Heard().hear(one.check(NOW_MS, 101.0)).said == [{"op": "err", "code": "suppressed", "n": 812}]
    assert Heard().hear(one.receive(b"bad\n", NOW_MS, 101.1)).errors() == [(822, "bad_json")]


@pytest.mark.parametrize("ends", ["cleanly", "by our goodbye", "at a deadline"])
def test_errors_held_back_are_told_of_when_there_is_no_later(ends: str) -> None:
    one = connection()
    heard(HELLO + b"bad\n" * 100 + b"{", of=one)
    events = {
        "cleanly": lambda: one.end(NOW_MS, 0.5, clean=True),
        "by our goodbye": lambda: one.bye("shutdown", 0.5),
        "at a deadline": lambda: one.check(NOW_MS, 60.0),
    }[ends]()
    said = Heard().hear(events).said
    half_a_line = 0 if ends == "by our goodbye" else 1
    told_apart = half_a_line if ends == "at a deadline" else 0  # a second begins in which errors may be told again
    counts = [each["n"] for each in said if each.get("code") == "suppressed"]
    assert (sum(counts), [each["op"] for each in said][-1]) == (90 + half_a_line - told_apart, "err" if ends == "cleanly" else "bye")
    assert one.answers.last_words(1.0) == []


def test_a_client_that_does_not_read_is_told_its_last_words_all_the_same() -> None:
    one = connection()
    heard(HELLO, of=one)
    one.answers.muted = True
    settle(heard(b"bad\n" * 3, of=one).batches)
    one.settlement.advance()
    said = Heard().hear(one.answers.last_words(0.5)).said
    assert said == [{"op": "err", "code": "suppressed", "n": 3}, {"op": "ack", "n": 3, "bad": 3}]


def test_a_client_that_does_not_read_is_told_less_and_all_of_it_later() -> None:
    one = connection()
    heard(HELLO, of=one)
    one.answers.muted = True
    out = heard(b"bad\n" * 3, of=one)
    settle(out.batches)
    one.settlement.advance()
    assert (out.said, one.answers.ack(50.0), one.check(NOW_MS, 50.0)) == ([], None, [])
    one.answers.muted = False
    assert Heard().hear(one.check(NOW_MS, 51.0)).said[0] == {"op": "err", "code": "suppressed", "n": 3}
    assert one.answers.ack(51.0) is not None


def test_more_lines_than_allowed_pause_the_reading_and_lose_none() -> None:
    one, out = connection(Limits(lines_per_second=100)), Heard()
    assert out.hear(one.receive((tick() + b"\n") * 100, NOW_MS, 50.0)).pauses == []
    assert out.hear(one.receive((tick() + b"\n") * 50, NOW_MS, 50.0)).pauses == [0.5]
    assert len(out.ticks) == 150


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ((b"feed-a", "10.0.0.1"), (b"feed-a", "10.0.0.2"), True),
        ((b"feed-a", "10.0.0.1"), (b"feed-b", "10.0.0.1"), False),
        ((b"", "10.0.0.1"), (b"", "10.0.0.1"), True),
        ((b"", "10.0.0.1"), (b"", "10.0.0.2"), False),
        ((b"10.0.0.1", "10.0.0.2"), (b"", "10.0.0.1"), False),
    ],
)
def test_a_named_client_has_one_allowance_over_all_its_connections_and_others_one_an_address(
    first: tuple[bytes, str], second: tuple[bytes, str], shared: bool
) -> None:
    allowances, pauses = Allowances(100), []
    for name, address in (first, second):
        one = connection(address=address, allowances=allowances)
        hello = b'{"op":"hello","client":"%s"}\n' % name if name else b""
        pauses.append(heard(hello + (tick() + b"\n") * 100, of=one).pauses)
    assert pauses == [[], [1.0] if shared else []]


def test_where_a_key_is_asked_for_the_allowance_is_its_holders_whatever_the_client_calls_itself() -> None:
    allowances, pauses = Allowances(100), []
    holders = {"one": "ann", "another": "ann", "third": "bob"}
    for key, client in (("one", "feed-a"), ("one", "feed-b"), ("another", "feed-a"), ("third", "feed-a")):
        one = connection(admit=lambda hello: Permit(holders[hello.key or ""], lambda: True), allowances=allowances)
        hello = b'{"op":"hello","client":"%s","key":"%s"}\n' % (client.encode(), key.encode())
        pauses.append(heard(hello + (tick() + b"\n") * 100, of=one).pauses)
    assert pauses == [[], [1.0], [2.0], []]


# Hello -------------------------------------------------------------------------------------------------------------


def test_a_hello_is_welcomed_and_names_the_source() -> None:
    out = heard(HELLO + tick() + b"\n")
    assert out.said == [WELCOME]
    assert json.loads(out.ticks[0][2])["source"] == "feed-a"
    assert out.batches[0].origin.client == "feed-a"


def test_a_client_that_replays_may_send_old_ticks_and_has_no_say_in_heartbeats() -> None:
    old = tick(event_time_ms=NOW_MS - 1_000 * HOUR_MS) + b"\n"
    one = connection()
    assert heard(b'{"op":"hello","replay":true}\n' + old, of=one).letters == []
    assert one.feed.replay
    assert [reason for _, reason, *_ in heard(HELLO + old).letters] == ["stale_time"]


@pytest.mark.parametrize(
    "hello",
    [
        b'{"op":"hello","v":2}',
        b'{"op":"hello","client":"a b"}',
        b'{"op":"hello","client":7}',
        b'{"op":"hello","replay":"yes"}',
        b'{"op":"hello","client":""}',
    ],
)
def test_a_hello_that_cannot_be_understood_ends_the_connection(hello: bytes) -> None:
    out = heard(hello + b"\n" + tick() + b"\n")
    assert [each["op"] for each in out.said] == ["err", "bye"]
    assert (out.closed, out.ticks, out.letters) == (["bad_op"], [], [])


def test_a_later_hello_or_an_unknown_op_is_an_error_and_no_line() -> None:
    out = heard(HELLO + tick() + b"\n" + HELLO + b'{"op":"dance"}\n' + tick() + b"\n")
    assert out.errors() == [(None, "bad_op"), (None, "bad_op")]
    assert [line for line, *_ in out.ticks] == [0, 1]
    assert out.letters == []


def test_a_tick_may_have_a_field_named_op() -> None:
    assert [symbol for _, symbol, *_ in heard(tick(op="buy") + b"\n" + tick(op="hb") + b"\n").ticks] == ["IBM", "IBM"]


@pytest.mark.parametrize(
    "first",
    [
        b'{"op":"hello","key":"%s' % SECRET.encode(),
        b'{"key":"%s"}' % SECRET.encode(),
        b'{"ke\\u0079":"%s"}' % SECRET.encode(),
        b'{"op":7,"pass":"%s"}' % SECRET.encode(),
        b'{"op":"hello","key":"%s"}' % (SECRET.encode() * 2_000),
    ],
)
def test_of_a_first_line_that_may_hold_a_key_only_length_and_hash_are_kept(first: bytes) -> None:
    for end in (b"\n", b""):
        out = heard(first + end, end=True)
        ((line, reason, original, size),) = out.letters
        assert (line, reason, original, size) == (0, "unauthorized", b"", len(first))
        assert SECRET not in json.dumps(out.said)
        assert SECRET not in out.batches[0].refused[0].refusal.detail


@pytest.mark.parametrize("broken", [b'{"op":"hello","key":"%s"', tick()[:20] + b'{"op":"hello","key":"%s"}'])
def test_a_hello_broken_on_its_way_is_not_kept_wherever_it_comes(broken: bytes) -> None:
    broken %= SECRET.encode()
    for stream in (tick() + b"\n" + tick() + b"\n" + broken, tick() + b"\n" + broken + b"\n" + tick()):
        out = heard(stream, end=True)
        assert [(reason, original) for _, reason, original, _ in out.letters] == [("unauthorized", b"")]
        assert SECRET not in json.dumps(out.said) + repr([batch.refused for batch in out.batches])
        assert len(out.ticks) == 2


def test_a_tick_may_have_fields_named_op_and_key() -> None:
    line = tick(op="buy", key="k-1")
    assert [text for _, _, text, _ in heard(tick() + b"\n" + line + b"\n").ticks] == [tick(), line]


@pytest.mark.parametrize("drop", [encode_drop("IBM"), b'{"symbol":"IBM","op":"drop"}', b'{"op":"drop","stock_id":"IBM","op":"drop"}'])
@pytest.mark.parametrize("before", [b"", HELLO, tick() + b"\n"])
def test_what_drops_a_symbol_is_not_for_feeds_to_send(drop: bytes, before: bytes) -> None:
    out = heard(before + drop + b"\n" + tick() + b"\n")
    assert [reason for _, reason, *_ in out.letters] == ["missing_field" if before else "unauthorized"]
    assert {text.partition(b',"source"')[0].rstrip(b"}") for _, _, text, _ in out.ticks} == {tick().rstrip(b"}")}


# Keys --------------------------------------------------------------------------------------------------------------


def test_with_the_right_key_ticks_are_taken() -> None:
    out = heard(b'{"op":"hello","key":"%s"}\n' % SECRET.encode() + tick() + b"\n", of=connection(admit=knows_the_key))
    assert (out.said, len(out.ticks)) == ([WELCOME], 1)


@pytest.mark.parametrize("first", [b'{"op":"hello","key":"wrong-key"}', HELLO.strip(), tick(), b"wrong-key", b"wrong-key" * 4_000])
def test_without_it_the_client_is_turned_away_and_nothing_it_sent_is_kept(first: bytes) -> None:
    out = heard(first + b"\n" + tick() + b"\n", of=connection(admit=knows_the_key))
    assert [(reason, original) for _, reason, original, _ in out.letters] == [("unauthorized", b"")]
    assert [(each["op"], each["code"]) for each in out.said] == [("err", "unauthorized"), ("bye", "unauthorized")]
    assert (out.said[0]["status"], out.closed, out.ticks) == (401, ["unauthorized"], [])
    assert "wrong-key" not in json.dumps(out.said)


def test_where_a_key_is_needed_the_hello_has_its_time() -> None:
    one = connection(admit=knows_the_key)
    one.receive(b'{"op":"hello"', NOW_MS, 3.0)
    assert one.check(NOW_MS, 4.9) == []
    out = Heard().hear(one.check(NOW_MS, 5.0))
    assert out.closed == ["hello_timeout"]
    assert [(reason, original) for _, reason, original, _ in out.letters] == [("unauthorized", b"")]


def test_a_client_whose_key_is_revoked_is_cut_and_what_it_sent_whole_counts() -> None:
    revoked = False
    one = connection(admit=lambda hello: Permit("feeds", lambda: not revoked))
    out = heard(HELLO + tick() + b"\n" + tick()[:20], of=one)
    assert one.check(NOW_MS, 1.0) == []
    revoked = True
    out.hear(one.check(NOW_MS, 2.0, is_read=False))
    assert (len(out.ticks), out.closed) == (1, ["unauthorized"])
    assert [reason for _, reason, *_ in out.letters] == ["truncated"]
    assert one.receive(tick() + b"\n", NOW_MS, 3.0) == []


# Time --------------------------------------------------------------------------------------------------------------


def test_a_line_that_does_not_end_is_cut_at_its_deadline_however_slowly_it_grows() -> None:
    one = connection()
    for second in range(0, 30, 10):
        assert one.receive(b"x", NOW_MS, float(second)) == []
        assert one.check(NOW_MS, second + 9.0) == []
    out = Heard().hear(one.check(NOW_MS, 30.0))
    assert (out.closed, out.letters) == (["partial_line_timeout"], [(0, "truncated", b"xxx", 3)])
    assert one.receive(b"more\n", NOW_MS, 31.0) == []


def test_a_whole_object_without_newline_counts_when_its_deadline_comes() -> None:
    one = connection()
    one.receive(tick(), NOW_MS, 0.0)
    out = Heard().hear(one.check(NOW_MS, 30.0))
    assert (len(out.ticks), out.closed) == (1, ["partial_line_timeout"])


def test_a_line_that_ends_gives_the_next_one_its_own_time() -> None:
    one = connection()
    one.receive(b"{", NOW_MS, 0.0)
    one.receive(b"}\n{", NOW_MS, 20.0)
    assert Heard().hear(one.check(NOW_MS, 49.0)).closed == []
    assert Heard().hear(one.check(NOW_MS, 50.0)).closed == ["partial_line_timeout"]


def test_who_said_hello_hears_a_heartbeat_when_we_are_silent_and_is_cut_when_silent_itself() -> None:
    one = connection()
    heard(HELLO, of=one)
    said = [second for second in range(1, 60) if Heard().hear(one.check(NOW_MS, float(second))).said == [{"op": "hb"}]]
    assert said == [15, 30, 45]
    out = Heard().hear(one.check(NOW_MS, 60.0))
    assert (out.closed, out.said) == (["idle_timeout"], [{"op": "bye", "code": "idle_timeout", "retry_ms": 1_000}])


def test_a_heartbeat_of_the_client_keeps_it_and_silence_without_hello_is_no_fault() -> None:
    greeted, silent = connection(), connection()
    heard(HELLO, of=greeted)
    heard(tick() + b"\n", of=silent)
    for second in range(0, 600, 45):
        assert Heard().hear(greeted.receive(b'{"op":"hb"}\n', NOW_MS, float(second))).said == []
        assert Heard().hear(greeted.check(NOW_MS, second + 44.0)).closed == []
    assert silent.check(NOW_MS, 10_000.0) == []


def test_who_is_not_read_misses_no_deadline() -> None:
    one = connection()
    one.receive(HELLO + b"{", NOW_MS, 0.0)
    assert Heard().hear(one.check(NOW_MS, 300.0, is_read=False)).said == [{"op": "hb"}]
    one.stood_still(300.0)
    assert Heard().hear(one.check(NOW_MS, 329.0)).closed == []
    assert Heard().hear(one.check(NOW_MS, 330.0)).closed == ["partial_line_timeout"]


# Acks --------------------------------------------------------------------------------------------------------------


def test_acks_are_for_who_said_hello_and_count_dead_letters() -> None:
    one, silent = connection(), connection()
    out = heard(HELLO + tick() + b"\nbad\n" + tick() + b"\n", of=one)
    settle(out.batches)
    one.settlement.advance()
    ack = one.answers.ack(1.0)
    assert ack is not None
    assert json.loads(ack.data) == {"op": "ack", "n": 3, "bad": 1}
    assert one.answers.ack(2.0) is None, "nothing new"
    settle(heard(tick() + b"\n", of=silent).batches)
    silent.settlement.advance()
    assert silent.answers.ack(1.0) is None


def test_acks_come_at_intervals_or_when_many_lines_are_new() -> None:
    one = connection(Limits(ack_interval_s=1.0))
    heard(HELLO, of=one)
    acked = []
    for step in range(20):
        settle(heard((tick() + b"\n") * (6_000 if step >= 13 else 1), of=one).batches)
        one.settlement.advance()
        if one.answers.ack(10.0 + step * 0.25) is not None:
            acked.append(step)
    assert acked == [0, 4, 8, 12, 14, 16, 18]


def test_goodbye_comes_after_the_last_ack() -> None:
    one = connection()
    settle(heard(HELLO + tick() + b"\n", of=one).batches)
    one.settlement.advance()
    out = Heard().hear(one.bye("shutdown", 0.0))
    assert out.said == [{"op": "ack", "n": 1, "bad": 0}, {"op": "bye", "code": "shutdown", "retry_ms": 1_000}]
    assert out.closed == ["shutdown"]
