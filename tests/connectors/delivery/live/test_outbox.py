"""What waits for one client: finals in order, the newest of what is forming, and what it may have missed."""

import json
from typing import Any

import pytest

from connectors.delivery.live.limits import Limits
from connectors.delivery.live.outbox import FRAME_BYTES, Frame, Outbox
from connectors.delivery.store.records import Series

A, B = Series("A", "1min"), Series("B", "1min")


def outbox(limits: Limits | None = None) -> Outbox:
    return Outbox(limits or Limits(), lambda when_s: None)


def body(name: str, pad: int = 0) -> bytes:
    return b'"n":"%b%b"}' % (name.encode(), b"x" * pad)


def read(frame: Frame | None) -> list[dict[str, Any]]:
    return [] if frame is None else [json.loads(message) for message in frame.messages]


def names(frame: Frame | None) -> list[tuple[int, str]]:
    return [(message["msg_seq"], message["n"]) for message in read(frame)]


def test_an_empty_outbox_has_no_frame() -> None:
    assert outbox().take(0) is None


def test_replies_come_first_then_finals_and_snapshots_in_order_then_what_is_forming_then_the_heartbeat() -> None:
    box = outbox()
    box.beat(b'"now_ms":1}', 0)
    box.show(box.pace(4), A, 60_000, body("forming"), 0)
    box.put_final(body("first"), 0)
    box.put_snapshot(body("snapshot"), 0)
    box.put_final(body("second"), 0)
    box.say(b'{"T":"ack"}', 0)
    messages = read(box.take(0))
    assert [message["T"] for message in messages] == ["ack", "bar", "snapshot", "bar", "bar", "hb"]
    assert [message.get("n") for message in messages] == [None, "first", "snapshot", "second", "forming", None]
    assert [message.get("msg_seq") for message in messages] == [None, 1, 2, 3, 4, 4]


def test_a_frame_is_closed_when_it_is_large_and_forming_bars_wait_until_all_finals_are_out() -> None:
    box = outbox()
    box.show(box.pace(4), A, 60_000, body("forming"), 0)
    for n in range(3):
        box.put_final(body(str(n), pad=FRAME_BYTES // 2), 0)
    frames = [names(box.take(0)) for _ in range(3)]
    assert [[seq for seq, _ in frame] for frame in frames] == [[1, 2], [3, 4], []]
    assert frames[1][-1] == (4, "forming")


def test_many_series_that_are_forming_go_out_in_several_frames_the_oldest_first() -> None:
    box = outbox()
    for n in range(600):
        box.show(box.pace(4), Series(f"S{n}", "1min"), 0, body(str(n)), 0)
    taken = []
    while frame := names(box.take(0)):
        taken.append(len(frame))
        assert frame == [(seq, str(seq - 1)) for seq, _ in frame]
    assert taken == [128, 128, 128, 128, 88]


def test_each_rate_has_a_time_of_its_own() -> None:
    box = outbox()
    fast, slow = box.pace(10), box.pace(1)
    for now_s in (0.0, 0.05, 0.1, 0.5, 1.0):
        box.show(fast, A, 0, body(f"fast {now_s}"), now_s)
        box.show(slow, B, 0, body(f"slow {now_s}"), now_s)
        sent = [name for _, name in names(box.take(now_s))]
        assert (
            sent
            == {
                0.0: ["fast 0.0", "slow 0.0"],
                0.05: [],
                0.1: ["fast 0.1"],
                0.5: ["fast 0.5"],
                1.0: ["fast 1.0", "slow 1.0"],
            }[now_s]
        )


def test_a_pace_is_kept_though_the_client_is_served_a_little_late_each_time() -> None:
    box, sent = outbox(), []
    for tick in range(1_000):
        box.show(box.pace(4), A, 0, body(str(tick)), tick / 100)
        if tick % 25 == 3 and box.take(tick / 100):
            sent.append(tick)
    assert len(sent) == 40, "each quarter of a second in ten seconds"


def test_it_says_when_to_come_back() -> None:
    woken: list[float] = []
    box = Outbox(Limits(), woken.append)
    pace = box.pace(4)
    box.show(pace, A, 0, body("one"), 10.0)
    box.take(10.0)
    box.show(pace, A, 0, body("two"), 10.1)
    assert woken == [10.0, 10.25]
    assert box.take(10.1) is None
    box.put_final(body("final"), 10.2)
    assert woken[2:] == [10.25, 10.2]
    box.take(10.2)
    assert woken[-1] == 10.25, "what still waits is not forgotten"
    assert names(box.take(10.25)) == [(3, "two")]


def test_finals_sent_are_kept_to_be_sent_again_under_numbers_that_go_on() -> None:
    box = outbox()
    for n in range(4):
        box.put_final(body(str(n)), n)
        box.take(n)
    box.put_final(body("4"), 4)
    box.show(box.pace(4), A, 9, body("forming"), 4)
    assert box.resume(2, 5)
    assert names(box.take(5)) == [(3, "2"), (4, "3"), (5, "4")], "what was forming then is shown anew by whoever knows it"
    assert box.resume(2, 6), "it may not have arrived either"
    assert names(box.take(6)) == [(3, "2"), (4, "3"), (5, "4")]
    assert not box.resume(1, 7)


@pytest.mark.parametrize("seq", [-1, 5])
def test_it_cannot_go_on_from_what_was_never_sent(seq: int) -> None:
    box = outbox()
    box.put_final(body("0"), 0)
    box.take(0)
    assert not box.resume(seq, 1)


def test_what_was_sent_longer_ago_than_a_client_may_stay_away_is_not_kept() -> None:
    box = outbox(Limits(resume_window_s=60))
    box.put_final(body("old"), 0)
    box.take(0)
    box.put_final(body("new"), 61)
    box.take(61)
    assert box.finals == 1
    assert not box.resume(0, 62)
    assert box.resume(1, 62)


def test_finals_that_wait_take_the_place_of_those_sent_and_never_more_than_may() -> None:
    box = outbox(Limits(outbox_events=3))
    for n in range(5):
        box.put_final(body(str(n)), 0)
        if n < 3:
            box.take(0)
    assert (box.finals, box.overflowed) == (3, False)
    box.put_final(body("5"), 0)
    assert (box.finals, box.overflowed) == (3, False)
    box.put_final(body("6"), 0)
    assert (box.finals, box.size, box.overflowed) == (0, 0, True)
    assert not box.resume(3, 0)
    box.say(b'{"T":"error"}', 0)
    box.put_final(body("7"), 0)
    box.show(box.pace(1), A, 8, body("8"), 0)
    assert [message["T"] for message in read(box.take(0))] == ["error"]


def test_what_waited_while_the_client_was_away_does_not_make_it_slow_when_it_is_back() -> None:
    box = outbox(Limits(slow_after_s=10))
    box.put_final(body("final"), 0)
    assert not box.is_stuck(10)
    assert box.is_stuck(10.1)
    assert box.resume(0, 50)
    assert not box.is_stuck(60)
