"""Records come in on one side, and every client hears what it asked for, in order, and no more often than it asked."""

import json
from typing import Any

import pytest

from connectors.delivery.live.limits import Limits
from connectors.delivery.live.snapshots import Answer, Question, answer
from connectors.delivery.store.records import Series
from connectors.delivery.store.store import Store
from tests.connectors.delivery.live.talk import DAY_MS, Talker, Time, brief, forming, hub_of, record


@pytest.fixture
def time() -> Time:
    return Time()


def test_the_first_message_is_the_welcome_and_says_how_to_come_back_and_what_is_allowed(time: Time) -> None:
    talker = Talker(hub_of(time), time)
    (welcome,) = talker.listen()
    assert welcome == {
        "T": "welcome",
        "conn": "d1-1-t0",
        "heartbeat_ms": 1_000,
        "limits": {"symbols": 1_024, "msg_s": 10, "snapshot_rows": 10_000},
        "v": 1,
    }


def test_a_record_reaches_the_client_with_every_byte_it_had_in_the_topic(time: Time) -> None:
    hub = hub_of(time)
    talker = Talker(hub, time)
    talker.subscribe("A")
    sent = record(results={"RSI": None, "MACD": {"macd": 0.1, "signal": 0.00001}}, close=184.1000000000001)
    hub.take_results([sent])
    talker.listen()
    assert talker.frames[-1] == b'[{"T":"bar","msg_seq":1,' + sent.value[1:] + b"]"


def test_each_mode_hears_its_own(time: Time) -> None:
    hub = hub_of(time)
    final, live, latest = (Talker(hub, time) for _ in range(3))
    for talker, mode in ((final, "final"), (live, "live"), (latest, "latest")):
        talker.subscribe("A", mode=mode, max_hz=1)
    hub.take_forming([forming(minute=1, second=1)])
    for talker in (final, live, latest):
        talker.listen()
    hub.take_results([record(minute=0), record(minute=1), record(minute=1, status="revised", revision=1, offset=2)])
    for talker in (final, live, latest):
        talker.listen()
    time.pass_by(1)
    finals = [("A", 0, "final", 0), ("A", 1, "final", 0), ("A", 1, "revised", 1)]
    for talker in (final, live, latest):
        talker.listen()
    assert final.bars() == finals
    assert live.bars() == [("A", 1, "forming", 0), *finals]
    # The newest only: the minute before and revision 0 are passed over.
    assert latest.bars() == [("A", 1, "forming", 0), ("A", 1, "revised", 1)]


def test_forming_is_sent_at_once_and_then_no_more_often_than_asked_always_the_newest(time: Time) -> None:
    hub = hub_of(time)
    talker = Talker(hub, time)
    talker.subscribe("A", "B", max_hz=4)
    hub.take_forming([forming("A", second=1)])
    assert brief(talker.listen()) == [("A", 0, "forming", 0)]
    for second in (2, 3, 4):
        hub.take_forming([forming("A", second=second), forming("B", second=second)])
        assert talker.listen() == []
    assert talker.wakes[-1] == pytest.approx(time.s + 0.25)
    time.pass_by(0.25)
    heard = talker.listen()
    assert [(bar["stock_id"], bar["as_of_ms"] - DAY_MS, bar["conflated"]) for bar in heard] == [("A", 4_000, 2), ("B", 4_000, 2)]
    assert len(talker.frames) == 3, "welcome and ack, the first, and one for both symbols"


def test_finals_do_not_wait_for_the_pace_of_forming_bars(time: Time) -> None:
    hub = hub_of(time)
    talker = Talker(hub, time)
    talker.subscribe("A", max_hz=0.01)
    hub.take_forming([forming(second=1)])
    talker.listen()
    hub.take_forming([forming(second=2)])
    hub.take_results([record()])
    assert brief(talker.listen()) == [("A", 0, "final", 0)]
    time.pass_by(100)
    assert talker.listen() == [], "the forming record that waited is of a bar that is final by now"


@pytest.mark.parametrize(
    "late",
    [
        pytest.param(forming(minute=1, second=30), id="an older as_of_ms of the same run"),
        pytest.param(forming(minute=0, second=59), id="a bar that has a final"),
        pytest.param(forming(minute=0, second=59, run=2), id="a bar that has a final, in a newer run"),
        pytest.param(forming(minute=1, second=50, run=0), id="an older run"),
    ],
)
def test_a_forming_record_that_says_nothing_new_is_not_sent(time: Time, late: Any) -> None:
    hub = hub_of(time)
    talker = Talker(hub, time)
    talker.subscribe("A")
    hub.take_results([record(minute=0)])
    hub.take_forming([forming(minute=1, second=40)])
    talker.listen()
    time.pass_by(1)
    hub.take_forming([late])
    assert talker.listen() == []
    assert hub.forming(Series("A", "1min")) == forming(minute=1, second=40)


def test_what_the_store_held_at_the_start_hides_forming_bars_too(time: Time, tmp_path: Any) -> None:
    store = Store(tmp_path / "store.sqlite", 100)
    store.apply([record(minute=5)], {0: 1})
    hub = hub_of(time)
    hub.remember(store.reader().latest())
    talker = Talker(hub, time)
    talker.subscribe("A")
    hub.take_forming([forming(minute=5, second=59)])
    assert talker.listen() == []
    assert hub.newest_end_ms == DAY_MS + 6 * 60_000
    store.close()


def test_whoever_comes_hears_at_once_what_is_forming_and_in_mode_latest_the_newest_whatever_it_is(time: Time) -> None:
    hub = hub_of(time)
    hub.take_results([record("A"), record("B")])
    hub.take_forming([forming("B", minute=1)])
    heard = {mode: brief(Talker(hub, time).subscribe("A", "B", mode=mode)) for mode in ("final", "live", "latest")}
    assert heard == {
        "final": [],
        "live": [("B", 1, "forming", 0)],
        "latest": [("A", 0, "final", 0), ("B", 1, "forming", 0)],
    }


def test_a_star_is_every_symbol_and_a_symbol_named_beside_it_is_sent_once_and_as_named(time: Time) -> None:
    hub = hub_of(time)
    talker = Talker(hub, time)
    talker.subscribe("*", mode="final")
    talker.subscribe("A", mode="live", indicators=())
    hub.take_results([record("A"), record("B"), record("NEW"), record("A", time_frame="5min")])
    hub.take_forming([forming("A", minute=1), forming("B", minute=1)])
    talker.listen()
    assert talker.bars() == [("A", 0, "final", 0), ("B", 0, "final", 0), ("NEW", 0, "final", 0), ("A", 1, "forming", 0)]
    assert [bar["results"] for bar in talker.heard if bar["T"] == "bar"] == [{}, {"RSI": 55.2}, {"RSI": 55.2}, {}]


def test_a_symbol_no_longer_named_is_again_what_the_star_says(time: Time) -> None:
    hub = hub_of(time)
    talker = Talker(hub, time)
    talker.subscribe("A", mode="final")
    talker.subscribe("*", mode="live")
    hub.take_forming([forming("A", second=1)])
    assert brief(talker.listen()) == []
    talker.say(op="unsubscribe", channels=[{"channel": "bars", "symbols": ["A"]}])
    hub.take_forming([forming("A", second=2)])
    assert brief(talker.listen()) == [("A", 0, "forming", 0)]


def test_a_later_subscription_of_a_series_takes_the_place_of_the_earlier(time: Time) -> None:
    hub = hub_of(time)
    talker = Talker(hub, time)
    talker.subscribe("A", time_frames=("1min", "5min"))
    talker.subscribe("A", mode="final", time_frames=("1m",), indicators=("MACD",))
    hub.take_forming([forming(), forming(time_frame="5min")])
    hub.take_results([record()])
    assert [(bar["time_frame"], bar["status"], bar["results"]) for bar in talker.listen()] == [
        ("1min", "final", {}),
        ("5min", "forming", {"RSI": 55.2}),
    ]


def test_after_unsubscribe_nothing_comes_but_finals_that_waited_already(time: Time) -> None:
    hub = hub_of(time)
    talker = Talker(hub, time)
    talker.subscribe("A", "B")
    hub.take_results([record("A")])
    hub.take_forming([forming("A", minute=1), forming("B")])
    (ack, *rest) = talker.say(op="unsubscribe", id=9, channels=[{"channel": "bars", "symbols": ["A"], "time_frames": ["1m"]}])
    assert [channel["symbols"] for channel in ack["subscribed"]] == [["B"]]
    assert brief(rest) == [("A", 0, "final", 0), ("B", 0, "forming", 0)]
    hub.take_results([record("A", minute=1)])
    assert talker.listen() == []
    assert talker.say(op="unsubscribe", id=10) == [{"T": "ack", "id": 10, "subscribed": []}]
    assert hub.subscriptions == 0


def test_a_heartbeat_says_the_last_number_the_newest_end_and_how_slow_the_slowest_record_was(time: Time) -> None:
    hub = hub_of(time)
    talker = Talker(hub, time)
    talker.subscribe("A")
    hub.take_results([record(offset=DAY_MS - 180), record(minute=1, offset=DAY_MS - 20)])
    talker.listen()
    time.pass_by(1)
    hub.beat()
    assert talker.listen() == [{"T": "hb", "msg_seq": 2, "now_ms": DAY_MS + 1_000, "newest_end_ms": DAY_MS + 120_000, "lag_ms": 180}]
    hub.beat()
    assert talker.listen()[0]["lag_ms"] is None, "nothing came since"


def test_everybody_hears_when_kafka_is_away_and_whoever_comes_meanwhile(time: Time) -> None:
    hub = hub_of(time)
    talker = Talker(hub, time)
    talker.listen()
    hub.change_state("ok")
    hub.change_state("degraded", "kafka_unreachable")
    hub.change_state("degraded", "kafka_unreachable")
    degraded = {"T": "status", "state": "degraded", "reason": "kafka_unreachable"}
    assert talker.listen() == [degraded]
    assert Talker(hub, time).listen()[1:] == [degraded]
    hub.change_state("ok")
    assert talker.listen() == [{"T": "status", "state": "ok"}]


def test_when_the_topic_was_made_anew_all_clients_are_sent_away_and_old_finals_hide_nothing(time: Time) -> None:
    hub = hub_of(time)
    talker, cut = Talker(hub, time), Talker(hub, time)
    talker.subscribe("A")
    cut.subscribe("A")
    cut.connection.lost(for_good=False)
    hub.take_results([record(minute=9)])
    hub.start_over()
    assert [message["T"] for message in talker.listen()] == ["bye"]
    assert (talker.connection.ending, talker.heard[-1]["code"]) == (1012, "restart")
    again = Talker(hub, time)
    assert not again.resume(cut.connection.conn, 0)
    again.subscribe("A")
    hub.take_forming([forming(minute=0)])
    assert brief(again.listen()) == [("A", 0, "forming", 0)]


def test_at_the_end_everybody_is_told_when_to_come_back_and_nobody_is_taken(time: Time) -> None:
    hub = hub_of(time)
    talker = Talker(hub, time)
    talker.subscribe("A")
    hub.stop()
    late = Talker(hub, time)
    for each in (talker, late):
        bye = each.listen()[-1]
        assert (bye["T"], bye["code"], 0 < bye["retry_ms"] < 5_000) == ("bye", "shutdown", True)
        assert each.connection.ending == 1001
    assert talker.listen() == []


def test_one_client_too_many_is_told_so(time: Time) -> None:
    hub = hub_of(time, Limits(max_connections=1))
    first, second = Talker(hub, time), Talker(hub, time)
    (error,) = second.listen()
    assert (error["code"], error["status"], second.connection.ending) == ("connection_limit", 406, 1013)
    first.connection.lost(for_good=True)
    assert Talker(hub, time).listen()[0]["T"] == "welcome"
    assert hub.metrics.turned_away == 1


def test_a_client_that_takes_nothing_for_ten_seconds_is_cut_and_the_others_are_not(time: Time) -> None:
    hub = hub_of(time)
    slow, quick = Talker(hub, time), Talker(hub, time)
    slow.subscribe("A")
    quick.subscribe("A")
    for minute in range(12):
        hub.take_results([record(minute=minute)])
        time.pass_by(1)
        hub.beat()
        quick.listen()
    assert slow.connection.ending == 1013
    (error,) = slow.listen()
    assert (error["T"], error["code"], error["status"], error["id"]) == ("error", "slow_client", 407, None)
    assert len(quick.bars()) == 12
    assert quick.connection.ending is None
    assert hub.metrics.cuts == {"slow_client": 1}
    assert hub.outbox_bytes < 12 * 1_000


def test_a_client_whose_socket_is_stuck_is_cut_though_no_final_waits(time: Time) -> None:
    hub = hub_of(time)
    talker = Talker(hub, time)
    talker.subscribe("A")
    talker.connection.sending_since_s = time.s
    time.pass_by(10.5)
    hub.beat()
    assert talker.connection.ending == 1013


@pytest.mark.parametrize("limits", [Limits(outbox_events=5), Limits(outbox_bytes=3_000)])
def test_a_client_for_which_more_waits_than_may_is_cut_and_what_waited_is_let_go(time: Time, limits: Limits) -> None:
    hub = hub_of(time, limits)
    talker = Talker(hub, time)
    talker.subscribe("A")
    hub.take_results([record(minute=minute) for minute in range(10)])
    hub.beat()
    assert [message.get("code") for message in talker.listen()] == ["slow_client"]
    assert hub.outbox_bytes == 0


# Cut and resumed -------------------------------------------------------------------------------------------------------


def test_a_client_that_was_cut_goes_on_where_it_was_and_hears_what_it_missed_first(time: Time) -> None:
    hub = hub_of(time)
    cut = Talker(hub, time)
    cut.subscribe("A")
    hub.take_results([record(minute=0), record(minute=1)])
    cut.listen()
    cut.connection.lost(for_good=False)
    hub.take_results([record(minute=2)])
    hub.take_forming([forming(minute=3, second=1), forming(minute=3, second=2)])
    again = Talker(hub, time)
    again.listen()
    assert again.resume(cut.connection.conn, 1)
    ack, *rest = again.listen()
    assert (ack["conn"], ack["msg_seq"], ack["subscribed"][0]["symbols"]) == (cut.connection.conn, 1, ["A"])
    assert brief(rest) == [("A", 1, "final", 0), ("A", 2, "final", 0), ("A", 3, "forming", 0)]
    assert again.seq == 4
    hub.take_results([record(minute=3)])
    assert brief(again.listen()) == [("A", 3, "final", 0)]
    assert hub.metrics.resumes == {"ok": 1}


def test_a_resume_can_be_asked_again_by_the_first_name_and_takes_over_from_a_connection_that_seems_alive(time: Time) -> None:
    hub = hub_of(time)
    first = Talker(hub, time)
    first.subscribe("A")
    hub.take_results([record(minute=0)])
    first.listen()
    name = first.connection.conn
    second, third = Talker(hub, time), Talker(hub, time)
    assert second.resume(name, 0)
    second.listen()
    assert third.resume(name, 0)
    assert brief(third.listen()) == [("A", 0, "final", 0)]
    for old in (first, second):
        assert old.connection.ending == 1001
        assert [message["code"] for message in old.listen() if message["T"] == "error"] == ["resumed_elsewhere"]
        old.connection.lost(for_good=False)
    hub.take_results([record(minute=1)])
    assert brief(third.listen()) == [("A", 1, "final", 0)]
    assert hub.open_connections == 1


def test_a_resume_that_cannot_be_is_refused_and_the_connection_can_be_used(time: Time) -> None:
    hub = hub_of(time, Limits(outbox_events=2))
    cut = Talker(hub, time)
    cut.subscribe("A")
    for minute in range(5):
        hub.take_results([record(minute=minute)])
        cut.listen()
    name = cut.connection.conn
    cut.connection.lost(for_good=False)
    again = Talker(hub, time)
    for conn, seq in (("d1-9-x", 0), (name, 2), (name, 6), (again.connection.conn, 0)):
        assert not again.resume(conn, seq)
        refusal = again.listen()[-1]
        assert (refusal["T"], refusal["code"], refusal["status"]) == ("error", "resume_refused", 410)
    again.seq = 0
    again.subscribe("A")
    assert not again.resume(name, 4), "resume comes before subscribe"
    again.listen()
    again.seq = 0
    hub.take_results([record(minute=5)])
    assert brief(again.listen()) == [("A", 5, "final", 0)]


def test_nobody_resumes_the_connection_of_another_key(time: Time) -> None:
    hub = hub_of(time)
    ann, bob = (type("Permit", (), {"name": name, "holds": staticmethod(lambda: True)})() for name in ("ann", "bob"))
    anns = Talker(hub, time, permit=ann)
    anns.subscribe("A")
    anns.connection.lost(for_good=False)
    assert not Talker(hub, time, permit=bob).resume(anns.connection.conn, 0)
    assert Talker(hub, time, permit=ann).resume(anns.connection.conn, 0)


def test_a_session_is_kept_for_a_minute_and_not_at_all_after_a_goodbye(time: Time) -> None:
    hub = hub_of(time)
    names = []
    for for_good in (False, False, True):
        talker = Talker(hub, time)
        talker.subscribe("A")
        names.append(talker.connection.conn)
        talker.connection.lost(for_good=for_good)
    assert not Talker(hub, time).resume(names[2], 0)
    time.pass_by(60)
    hub.beat()
    assert Talker(hub, time).resume(names[0], 0)
    time.pass_by(0.1)
    hub.beat()
    assert not Talker(hub, time).resume(names[1], 0)
    assert hub.subscriptions == 1


def test_of_sessions_without_a_client_no_more_are_kept_than_clients_may_be_there(time: Time) -> None:
    hub = hub_of(time, Limits(max_connections=2))
    names = []
    for _ in range(4):
        talker = Talker(hub, time)
        talker.subscribe("A")
        names.append(talker.connection.conn)
        talker.connection.lost(for_good=False)
    assert hub.subscriptions == 2
    again = Talker(hub, time)
    assert [again.resume(name, 0) for name in names[:2]] == [False, False], "the first that went are the first forgotten"
    assert again.resume(names[2], 0)
    again.connection.lost(for_good=False)
    assert Talker(hub, time).resume(names[3], 0)
    assert hub.subscriptions == 2


# Snapshots -------------------------------------------------------------------------------------------------------------


class Waiting:
    """Snapshots that are read from a real store when the test says so, and answered when it says so."""

    def __init__(self, store: Store) -> None:
        self.asked: list[tuple[Question, Any]] = []
        self._reader = store.reader()

    def __call__(self, question: Question, take: Any) -> None:
        self.asked.append((question, take))

    def read(self) -> tuple[Answer, Any]:
        question, take = self.asked.pop(0)
        return answer(self._reader, question), take


@pytest.fixture
def store(tmp_path: Any) -> Any:
    store = Store(tmp_path / "store.sqlite", 10_000)
    yield store
    store.close()


def test_a_snapshot_comes_first_and_updates_go_on_exactly_behind_it(time: Time, store: Store) -> None:
    """Records reach the hub a little after the store has them: those that the snapshot has are not sent again, whenever they come."""
    waiting = Waiting(store)
    hub = hub_of(time, snapshots=waiting)
    records = [record(minute=minute, offset=minute) for minute in range(6)]
    talker = Talker(hub, time)
    store.apply(records[:1], {0: 1})
    (_, ack) = talker.subscribe("A", snapshot=3)
    assert ack["snapshots"] == 1
    store.apply(records[1:3], {0: 3})
    hub.take_results(records[:2])
    read, take = waiting.read()
    store.apply(records[3:], {0: 6})
    hub.take_results(records[3:4])
    hub.take_forming([forming(minute=6)])
    assert talker.listen() == []
    take(read)
    snapshot, *rest = talker.listen()
    hub.take_results([records[2]])
    hub.take_results(records[4:])
    assert [(bar["start_ms"] - DAY_MS) // 60_000 for bar in snapshot["bars"]] == [0, 1, 2]
    assert (snapshot["done"], snapshot["stock_id"], snapshot["time_frame"]) == (True, "A", "1min")
    assert brief(rest + talker.listen()) == [("A", 3, "final", 0), ("A", 6, "forming", 0), ("A", 4, "final", 0), ("A", 5, "final", 0)]


def test_every_series_asked_for_has_a_snapshot_and_the_last_part_says_that_it_is(time: Time, store: Store) -> None:
    waiting = Waiting(store)
    hub = hub_of(time, snapshots=waiting)
    store.apply([record(minute=minute, offset=minute, pad=100_000) for minute in range(7)], {0: 7})
    talker = Talker(hub, time)
    talker.subscribe("A", "NONE", snapshot=10)
    read, take = waiting.read()
    take(read)
    parts = [(message["stock_id"], len(message["bars"]), message["done"]) for message in talker.listen()]
    assert parts == [("A", 2, False), ("A", 2, False), ("A", 2, False), ("A", 1, True), ("NONE", 0, True)]
    assert max(map(len, talker.frames)) < 1_000_000, "clients have limits, too"
    assert hub.metrics.snapshot_rows == 7


def test_snapshots_are_read_as_fast_as_the_client_takes_them(time: Time, store: Store) -> None:
    waiting = Waiting(store)
    hub = hub_of(time, snapshots=waiting)
    talker = Talker(hub, time)
    talker.subscribe("A", "B", "C", snapshot=600)
    for symbol in "ABC":
        assert [question.series for question, _ in waiting.asked] == [(Series(symbol, "1min"),)]
        read, take = waiting.read()
        take(read)
        assert not waiting.asked, "not before what was read is out"
        talker.listen()
    assert [message["stock_id"] for message in talker.heard if message["T"] == "snapshot"] == ["A", "B", "C"]


def test_no_more_is_read_while_parts_of_what_was_read_wait(time: Time, store: Store) -> None:
    waiting = Waiting(store)
    hub = hub_of(time, snapshots=waiting)
    store.apply([record(minute=minute, offset=minute, pad=100_000) for minute in range(7)], {0: 7})
    talker = Talker(hub, time)
    talker.subscribe("A", "B", snapshot=600)
    read, take = waiting.read()
    take(read)
    for _ in range(3):
        assert talker.connection.next_frame() is not None
        assert not waiting.asked
    assert talker.connection.next_frame() is not None
    assert [question.series for question, _ in waiting.asked] == [(Series("B", "1min"),)]


def test_the_star_has_a_snapshot_of_each_series_that_is_known(time: Time, store: Store) -> None:
    waiting = Waiting(store)
    hub = hub_of(time, snapshots=waiting)
    records = [record(symbol, offset=offset) for offset, symbol in enumerate("ABC")]
    store.apply(records, {0: 3})
    hub.take_results(records)
    talker = Talker(hub, time)
    talker.subscribe("C", mode="final")
    ack = talker.subscribe("*", snapshot=5)[-1]
    assert ack["snapshots"] == 2
    hub.take_results([record("C", minute=1), record("D")])
    read, take = waiting.read()
    take(read)
    heard = talker.listen()
    assert [message["stock_id"] for message in heard if message["T"] == "snapshot"] == ["A", "B"]
    assert brief(heard) == [("C", 1, "final", 0), ("D", 0, "final", 0)]


def test_a_series_no_longer_wanted_has_no_snapshot_even_if_it_is_read_already(time: Time, store: Store) -> None:
    waiting = Waiting(store)
    hub = hub_of(time, snapshots=waiting)
    talker = Talker(hub, time)
    talker.subscribe("A", "B", snapshot=5)
    talker.say(op="unsubscribe", channels=[{"channel": "bars", "symbols": ["A"]}])
    read, take = waiting.read()
    take(read)
    assert [message["stock_id"] for message in talker.listen()] == ["B"]


def test_a_cut_before_a_snapshot_was_seen_cannot_be_resumed(time: Time, store: Store) -> None:
    waiting = Waiting(store)
    hub = hub_of(time, snapshots=waiting)
    talker = Talker(hub, time)
    talker.subscribe("A", snapshot=5)
    read, take = waiting.read()
    take(read)
    hub.take_results([record()])
    talker.listen()
    talker.connection.lost(for_good=False)
    assert not Talker(hub, time).resume(talker.connection.conn, 0)
    again = Talker(hub, time)
    assert again.resume(talker.connection.conn, 1)
    assert brief(again.listen()) == [("A", 0, "final", 0)]


@pytest.mark.parametrize("read", [False, True])
def test_while_a_snapshot_is_owed_a_cut_cannot_be_resumed(time: Time, store: Store, read: bool) -> None:
    """Whoever was cut asks again: it could not tell the parts of the first answer from those of the second."""
    waiting = Waiting(store)
    hub = hub_of(time, snapshots=waiting)
    talker = Talker(hub, time)
    talker.subscribe("A", snapshot=5)
    talker.connection.lost(for_good=False)
    if read:
        parts, take = waiting.read()
        take(parts)
    assert not Talker(hub, time).resume(talker.connection.conn, 0)


def test_a_series_named_by_two_channels_has_one_snapshot_and_is_counted_once(time: Time, store: Store) -> None:
    waiting = Waiting(store)
    hub = hub_of(time, snapshots=waiting)
    store.apply([record()], {0: 1})
    hub.take_results([record()])
    talker = Talker(hub, time)
    talker.listen()
    channel = {"channel": "bars", "time_frames": ["1min"]}
    for channels, expected in (
        ([{"symbols": ["A", "B"], "snapshot": 5}, {"symbols": ["A"], "snapshot": 2}], ["B", "A"]),
        ([{"symbols": ["*"], "snapshot": 5}, {"symbols": ["A"], "snapshot": 5}], ["A"]),
        ([{"symbols": ["A"], "snapshot": 5}, {"symbols": ["*"], "snapshot": 5}], ["A"]),
        ([{"symbols": ["A", "C"], "snapshot": 5}, {"symbols": ["A"]}], ["C"]),
    ):
        (ack,) = talker.say(op="subscribe", channels=[channel | each for each in channels])
        heard: list[str] = []
        while waiting.asked:
            parts, take = waiting.read()
            take(parts)
            heard += [message["stock_id"] for message in talker.listen()]
        assert heard == expected
        assert ack["snapshots"] == len(expected)
        talker.say(op="unsubscribe")


def test_forming_of_a_bar_whose_final_was_in_the_snapshot_is_not_shown_though_the_final_is_still_on_its_way(
    time: Time, store: Store
) -> None:
    waiting = Waiting(store)
    hub = hub_of(time, snapshots=waiting)
    hub.take_forming([forming(minute=1, second=50)])
    talker, other = Talker(hub, time), Talker(hub, time)
    other.subscribe("A", max_hz=10)
    store.apply([record(minute=1)], {0: 1})
    talker.subscribe("A", snapshot=5)
    parts, take = waiting.read()
    take(parts)
    hub.take_forming([forming(minute=1, second=59)])
    assert [message["T"] for message in talker.listen()] == ["snapshot"]
    hub.take_results([record(minute=1)])
    time.pass_by(1)
    assert talker.listen() == []
    assert brief(other.listen()) == [("A", 1, "final", 0)]


def test_a_snapshot_that_cannot_be_read_ends_the_connection(time: Time) -> None:
    hub = hub_of(time, snapshots=lambda question, take: take(None))
    talker = Talker(hub, time)
    talker.subscribe("A", snapshot=5)
    hub.beat()
    assert (talker.listen()[-1]["code"], talker.connection.ending) == ("snapshot_failed", 1011)


def test_snapshots_too_large_are_refused_and_nothing_is_subscribed(time: Time) -> None:
    hub = hub_of(time)
    talker = Talker(hub, time)
    channel = {"channel": "bars", "symbols": ["A", "B"], "time_frames": ["1min", "5min"]}
    error = talker.say(op="subscribe", id=3, channels=[channel | {"snapshot": 2_501}])[-1]
    assert (error["code"], error["status"], error["id"]) == ("snapshot_too_large", 409, 3)
    assert hub.subscriptions == 0
    json.dumps(error)
