"""What a client of results says when, and what it makes of the answers."""

import json
from typing import Any

import msgspec
import pytest

from connectors.client.results.conversation import ResultConversation
from connectors.client.results.subscription import Stage, Subscription
from connectors.client.results.told import Gap
from connectors.delivery.live.messages import Channel, ClientMessage, Mode
from tests.connectors.client.results.records import MINUTE_MS, T0_MS, bar, frame, record, told, welcome

ALL = Channel(channel="bars", symbols=("A",), time_frames=("1min",), mode=Mode.FINAL)
WITH_SNAPSHOT = msgspec.structs.replace(ALL, snapshot=3)


def conversation(key: str | None = None, rejoin_bars: int = 5) -> ResultConversation:
    return ResultConversation(key=key, rejoin_bars=rejoin_bars)


def said(one: ResultConversation) -> dict[str, Any]:
    """The next message, as a server of today reads it."""
    message = one.to_send()
    assert message is not None
    msgspec.json.decode(message, type=ClientMessage)
    parsed: dict[str, Any] = json.loads(message)
    return parsed


def answer(one: ResultConversation, to: dict[str, Any], **more: object) -> None:
    one.receive(frame({"T": "ack", "id": to["id"], **more}))


def refuse(one: ResultConversation, to: dict[str, Any], code: str, status: int) -> None:
    one.receive(frame({"T": "error", "code": code, "status": status, "detail": "no", "id": to["id"]}))


def joined(one: ResultConversation, conn: str = "d1-1") -> ResultConversation:
    one.begin()
    one.receive(frame(welcome(conn)))
    answer(one, said(one), subscribed=[])
    assert one.joined
    return one


def subscribed(one: ResultConversation, channel: Channel = ALL) -> Subscription:
    subscription = one.subscribe(channel)
    answer(one, said(one), subscribed=[])
    assert subscription.stage is Stage.SETTLED
    return subscription


def snapshot(msg_seq: int, *bars: dict[str, Any], stock_id: str = "A", done: bool = True) -> dict[str, Any]:
    return {"T": "snapshot", "msg_seq": msg_seq, "channel": "bars", "stock_id": stock_id, "time_frame": "1min", "bars": bars, "done": done}


def lost(one: ResultConversation, conn: str = "d1-2") -> dict[str, Any]:
    """The connection is cut and its resume refused; what is said next."""
    one.begin()
    one.receive(frame(welcome(conn)))
    refuse(one, said(one), "resume_refused", 410)
    return said(one)


def test_with_a_key_it_authenticates_first_and_says_nothing_before_the_welcome() -> None:
    one = conversation(key="secret")
    subscription = one.subscribe(WITH_SNAPSHOT)
    one.begin()
    assert one.to_send() is None
    one.receive(frame(welcome()))
    auth = said(one)
    assert (auth["op"], auth["key"]) == ("auth", "secret")
    assert one.to_send() is None
    answer(one, auth)
    answer(one, said(one))
    subscribe = said(one)
    assert subscribe["channels"] == [{"channel": "bars", "symbols": ["A"], "time_frames": ["1min"], "mode": "final", "snapshot": 3}]
    assert subscription.stage is Stage.WANTED


def test_a_subscription_is_settled_with_its_last_snapshot_and_updates_follow() -> None:
    one = joined(conversation())
    subscription = one.subscribe(WITH_SNAPSHOT)
    answer(one, said(one), snapshots=1, rejected=[{"code": "symbol_limit", "status": 405, "stock_id": "Z"}])
    one.receive(frame(snapshot(1, record(0), record(1), done=False)))
    assert subscription.stage is Stage.WANTED
    one.receive(frame(snapshot(2, record(2)), bar(3, record(3)), bar(4, record(2, revision=1))))
    assert subscription.stage is Stage.SETTLED
    assert subscription["A", "1min"]["close"].tolist() == [100.0, 101.0, 102.0]
    assert [each.stock_id for each in subscription.rejected] == ["Z"]
    assert told(list(one.news)) == [("A", 3, 1, 0), ("A", 2, 1, 1)]


def test_after_a_cut_it_goes_on_behind_the_last_number_it_has_seen() -> None:
    one = joined(conversation())
    subscribed(one)
    one.receive(frame(bar(1, record(1)), bar(2, record(2))))
    one.begin()
    one.receive(frame(welcome("d1-9")))
    resume = said(one)
    assert (resume["op"], resume["conn"], resume["msg_seq"]) == ("resume", "d1-1", 2)
    answer(one, resume, conn="d1-1", msg_seq=2)
    one.receive(frame(bar(3, record(3))))
    assert (told(list(one.news)), one.resumes, one.rejoins) == ([("A", 1, 1, 0), ("A", 2, 1, 0), ("A", 3, 1, 0)], 1, 0)
    assert one.to_send() is None


def test_where_nothing_was_kept_it_goes_on_from_a_snapshot_and_tells_of_the_gap() -> None:
    one = joined(conversation())
    subscribed(one, WITH_SNAPSHOT)
    one.receive(frame(bar(1, record(1)), bar(2, record(2))))
    one.news.clear()
    again = lost(one)
    assert again["channels"][0]["snapshot"] == 5
    answer(one, again, snapshots=1)
    one.receive(frame(snapshot(1, record(0), record(1, revision=1), record(2), record(3)), bar(2, record(4)), bar(3, record(3))))
    gap = one.news.popleft()
    assert gap == Gap("A", "1min", T0_MS + 3 * MINUTE_MS, T0_MS)
    assert not gap.bars_may_lack
    assert told(list(one.news)) == [("A", 1, 1, 1), ("A", 3, 1, 0), ("A", 4, 1, 0)]
    assert (one.rejoins, one.repeated) == (1, 1)


def test_a_snapshot_that_does_not_reach_back_leaves_a_gap_with_its_bounds() -> None:
    one = joined(conversation())
    subscribed(one)
    one.receive(frame(bar(1, record(1))))
    one.news.clear()
    answer(one, lost(one), snapshots=1)
    one.receive(frame(snapshot(1, record(7), record(8))))
    gap = one.news.popleft()
    assert gap == Gap("A", "1min", T0_MS + 2 * MINUTE_MS, T0_MS + 7 * MINUTE_MS)
    assert gap.bars_may_lack
    assert told(list(one.news)) == [("A", 7, 1, 0), ("A", 8, 1, 0)]


def test_bars_from_before_a_subscription_are_not_told_as_news_when_it_is_taken_up_again() -> None:
    one = joined(conversation())
    subscribed(one)
    one.receive(frame({"T": "hb", "msg_seq": 0, "now_ms": T0_MS + 5 * MINUTE_MS, "newest_end_ms": None, "lag_ms": None}))
    answer(one, lost(one), snapshots=1)
    one.receive(frame(snapshot(1, record(2), record(3), record(4))))
    assert isinstance(one.news.popleft(), Gap)
    assert told(list(one.news)) == [("A", 4, 1, 0)]


def test_a_series_of_a_star_that_the_delivery_does_not_know_yet_is_taken_up_behind_a_gap_without_a_snapshot() -> None:
    one = joined(conversation())
    subscribed(one, msgspec.structs.replace(ALL, symbols=("*",), time_frames=("1m",)))
    named = subscribed(one, msgspec.structs.replace(ALL, symbols=("C",)))
    one.receive(frame(*(bar(number, record(1, stock_id=symbol)) for number, symbol in enumerate("ABC", 1))))
    one.receive(frame(bar(4, record(1, stock_id="D", time_frame="5min"))))
    one.unsubscribe(named)
    answer(one, said(one))
    one.news.clear()
    answer(one, lost(one), snapshots=1)
    one.receive(frame(bar(1, record(2, stock_id="B")), snapshot(2, record(1), record(2))))
    gaps = [each for each in one.news if isinstance(each, Gap)]
    ends_ms = T0_MS + 2 * MINUTE_MS
    assert gaps == [Gap("A", "1min", ends_ms, T0_MS + MINUTE_MS), Gap("B", "1min", ends_ms, None), Gap("C", "1min", ends_ms, None)]
    assert told(list(one.news)) == [("B", 2, 1, 0), ("A", 2, 1, 0)]


def test_a_gap_is_told_though_the_client_is_cut_again_before_all_is_taken_up() -> None:
    one = joined(conversation())
    subscribed(one, msgspec.structs.replace(ALL, symbols=("*",)))
    one.receive(frame(*(bar(number, record(1, stock_id=symbol)) for number, symbol in enumerate("ABC", 1))))
    one.news.clear()
    answer(one, lost(one), snapshots=2)
    one.receive(frame(bar(1, record(5, stock_id="B"))))
    assert lost(one, "d1-3")["op"] == "subscribe"
    gaps = [each for each in one.news if isinstance(each, Gap)]
    assert gaps == [Gap("B", "1min", T0_MS + 2 * MINUTE_MS, None)], "it was not known; those with a snapshot to come get theirs then"


def test_a_snapshot_too_large_to_go_on_from_is_done_without() -> None:
    one = joined(conversation(rejoin_bars=100))
    subscribed(one, msgspec.structs.replace(ALL, symbols=("*",)))
    one.receive(frame(bar(1, record(1)), bar(2, record(1, stock_id="B"))))
    one.news.clear()
    again = lost(one)
    assert again["channels"][0]["snapshot"] == 100
    refuse(one, again, "snapshot_too_large", 409)
    again = said(one)
    assert "snapshot" not in again["channels"][0]
    answer(one, again)
    assert list(one.news) == [Gap(symbol, "1min", T0_MS + 2 * MINUTE_MS, None) for symbol in "AB"]


def test_it_asks_for_no_more_rows_than_the_delivery_gives() -> None:
    one = joined(conversation(rejoin_bars=100))
    subscribed(one, msgspec.structs.replace(ALL, symbols=tuple("ABCDE"), time_frames=("1min", "5min")))
    one.begin()
    one.receive(frame(welcome("d1-2", snapshot_rows=400)))
    refuse(one, said(one), "resume_refused", 410)
    assert said(one)["channels"][0]["snapshot"] == 40


def test_what_was_not_answered_before_a_cut_is_asked_again() -> None:
    one = joined(conversation())
    subscribed(one)
    wanted = one.subscribe(msgspec.structs.replace(WITH_SNAPSHOT, symbols=("B",)))
    said(one)
    one.begin()
    one.receive(frame(welcome("d1-2")))
    answer(one, said(one), conn="d1-1", msg_seq=0)
    again = said(one)
    assert again["channels"][0]["symbols"] == ["B"]
    answer(one, again, snapshots=1)
    one.receive(frame(snapshot(1, record(0, stock_id="B"), stock_id="B")))
    assert wanted.stage is Stage.SETTLED


def test_what_came_before_a_cut_and_is_in_the_snapshot_that_was_asked_for_again_is_not_told_beside_it() -> None:
    one = joined(conversation())
    subscribed(one, msgspec.structs.replace(ALL, symbols=("B",)))
    wanted = one.subscribe(msgspec.structs.replace(WITH_SNAPSHOT, symbols=("A", "B")))
    answer(one, said(one), snapshots=2)
    one.receive(frame(snapshot(1, record(0), record(1)), bar(2, record(2)), bar(3, record(1, revision=1)), bar(4, record(2, stock_id="B"))))
    again = lost(one)
    assert [channel["symbols"] for channel in again["channels"]] == [["B"]]
    answer(one, again, snapshots=1)
    one.receive(frame(snapshot(1, record(2, stock_id="B"), stock_id="B")))
    answer(one, said(one), snapshots=2)
    one.receive(frame(snapshot(2, record(1, revision=1), record(2), record(3)), snapshot(3, record(2, stock_id="B"), stock_id="B")))
    one.receive(frame(bar(4, record(4))))
    assert wanted["A", "1min"]["start_ms"].tolist() == [T0_MS + number * MINUTE_MS for number in (1, 2, 3)]
    assert told(list(one.news)) == [("B", 2, 1, 0), ("A", 4, 1, 0)], "B was wanted before, and is told as it came"


def test_a_subscription_refused_says_why_and_the_others_go_on() -> None:
    one = joined(conversation())
    refused = one.subscribe(ALL)
    refuse(one, said(one), "bad_time_frame", 409)
    assert refused.stage is Stage.REFUSED
    assert refused.refusal is not None
    assert (refused.refusal.code, refused.refusal.status, one.ending) == ("bad_time_frame", 409, None)
    subscribed(one)


def test_what_is_wanted_no_more_is_said_again_after_a_cut_and_not_taken_up() -> None:
    one = joined(conversation())
    keeps, goes = subscribed(one), subscribed(one, msgspec.structs.replace(ALL, symbols=("B",)))
    one.unsubscribe(goes)
    assert said(one)["channels"] == [{"channel": "bars", "symbols": ["B"], "time_frames": ["1min"]}]
    one.begin()
    one.receive(frame(welcome("d1-2")))
    answer(one, said(one))
    again = said(one)
    assert again["op"] == "unsubscribe"
    answer(one, again)
    assert [channel["symbols"] for channel in lost(one, "d1-3")["channels"]] == [["A"]]
    assert keeps.stage is Stage.LOST


@pytest.mark.parametrize(
    ("code", "status", "for_good"), [("auth_failed", 402, True), ("slow_client", 407, False), ("auth_timeout", 404, False)]
)
def test_an_error_of_the_connection_ends_it_and_a_key_that_is_not_known_is_not_tried_again(code: str, status: int, for_good: bool) -> None:
    one = joined(conversation())
    one.subscribe(ALL)
    one.receive(frame({"T": "error", "code": code, "status": status, "detail": "", "id": None}))
    assert one.ending is not None
    assert (one.ending.code, one.ending.for_good, one.to_send()) == (code, for_good, None)


def test_goodbye_says_when_to_come_back() -> None:
    one = joined(conversation())
    one.receive(frame({"T": "bye", "code": "shutdown", "retry_ms": 800}))
    assert one.ending is not None
    assert one.ending.retry_s == 0.8


@pytest.mark.parametrize("text", [b"HTTP/1.1 400", b"{}", b"\xff", b'[{"T":"welcome"}]', b'[{"T":"ack"}]', b"[1]"])
def test_what_no_delivery_says_ends_the_connection(text: bytes) -> None:
    one = joined(conversation())
    one.receive(text)
    assert one.ending is not None
    assert not one.ending.for_good


def test_a_number_left_out_ends_the_connection_and_nothing_of_it_is_resumed() -> None:
    one = joined(conversation())
    subscribed(one)
    one.receive(frame(bar(1, record(1)), bar(3, record(3))))
    assert one.ending is not None
    assert told(list(one.news)) == [("A", 1, 1, 0)]
    one.begin()
    one.receive(frame(welcome("d1-2")))
    answer(one, said(one))
    assert said(one)["op"] == "subscribe"


def test_a_record_that_is_none_is_passed_over_and_so_are_words_of_newer_deliveries() -> None:
    one = joined(conversation())
    subscribed(one)
    half = {"stock_id": "A", "time_frame": "1min", "start_ms": 0, "end_ms": 60_000, "status": "final", "run": 1, "revision": 0}
    one.receive(frame(bar(1, half), {"T": "song", "verses": 3}, bar(2, record(2))))
    assert (told(list(one.news)), one.unreadable, one.ending) == ([("A", 2, 1, 0)], 1, None)


def test_older_forming_and_forming_behind_its_final_are_not_told() -> None:
    one = joined(conversation())
    subscribed(one)
    forming = [record(1, status="forming", as_of_ms=as_of_ms) for as_of_ms in (20, 10, 30)]
    one.receive(frame(*(bar(number, each) for number, each in enumerate([*forming, record(1), forming[2]], 1))))
    assert [one.as_of_ms for one in one.news if not isinstance(one, Gap)] == [20, 30, None]


def test_a_new_run_wins_over_the_one_before() -> None:
    one = joined(conversation())
    subscribed(one)
    one.receive(frame(bar(1, record(1, revision=2)), bar(2, record(1, run=2)), bar(3, record(1, revision=3))))
    assert told(list(one.news)) == [("A", 1, 1, 2), ("A", 1, 2, 0)]


def test_heartbeats_and_states_are_kept_and_say_how_long_to_wait() -> None:
    one = conversation()
    assert one.patience_s == 10.0
    joined(one)
    one.receive(frame({"T": "hb", "msg_seq": 0, "now_ms": 5, "newest_end_ms": 4, "lag_ms": 180}))
    one.receive(frame({"T": "status", "state": "degraded", "reason": "kafka_unreachable"}))
    assert one.heartbeat is not None
    assert (one.heartbeat.lag_ms, one.state.reason, one.patience_s) == (180, "kafka_unreachable", 5.0)
