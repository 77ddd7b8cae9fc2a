"""Real sockets: how a connection begins and ends, and that one client's trouble is nobody else's."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.delivery.live.limits import Limits
from connectors.keys import KeyRing, Scope, add_key
from tests.connectors.client.results.serving import Serving, serving
from tests.connectors.delivery.live.raw_socket import BINARY, CLOSE, PING, PONG, TEXT, RawSocket
from tests.connectors.delivery.live.talk import brief, forming, record
from tests.connectors.gateway.running import wait_until

LIMITS = Limits(heartbeat_interval_s=0.1, slow_after_s=1.0, auth_timeout_s=0.3, outbox_events=2_000)


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("ws"), limits=LIMITS) as delivery:
        yield delivery


def publish(delivery: Serving, *records: Any) -> None:
    delivery.publish(*(json.loads(each.value) for each in records))


def nobody_is_there(delivery: Serving) -> None:
    """Wait until every client has gone."""
    wait_until(lambda: not delivery.ask(lambda hub: hub.open_connections))


def subscribe(client: RawSocket, *symbols: str, snapshot: int = 0, **more: Any) -> dict[str, Any]:
    channel = {"channel": "bars", "symbols": symbols, "time_frames": ["1min"], "snapshot": snapshot} | more
    client.say(op="subscribe", id=1, channels=[channel])
    return client.until(T="ack", id=1)[-1]


def test_a_client_has_its_snapshot_and_then_every_update(delivery: Serving) -> None:
    publish(delivery, *(record("SNAP", minute) for minute in range(5)))
    with RawSocket(delivery.address) as client:
        assert client.status == 101
        assert client.messages()[0]["T"] == "welcome"
        assert subscribe(client, "SNAP", snapshot=3)["snapshots"] == 1
        (snapshot,) = client.until(T="snapshot")
        assert [bar["start_ms"] for bar in snapshot["bars"]] == [record("SNAP", minute).start_ms for minute in (2, 3, 4)]
        publish(delivery, forming("SNAP", 5, 30))
        assert brief(client.until(T="bar")) == [("SNAP", 5, "forming", 0)]
        publish(delivery, record("SNAP", 5), record("SNAP", 4, "revised", revision=1))
        assert brief(client.until(revision=1)) == [("SNAP", 5, "final", 0), ("SNAP", 4, "revised", 1)]


def test_heartbeats_come_without_being_asked_and_pings_are_answered(delivery: Serving) -> None:
    with RawSocket(delivery.address) as client:
        client.messages()
        assert client.messages()[0]["T"] == "hb"
        client.send(b"are you there?", PING)
        while (frame := client.receive()).opcode == TEXT:
            pass
        assert frame == (PONG, b"are you there?")
        client.send(b'{"op":"ping","id":7}', BINARY)
        assert client.until(T="pong")[-1]["id"] == 7


def test_compression_is_off_by_default(delivery: Serving) -> None:
    with RawSocket(delivery.address, Sec_WebSocket_Extensions="permessage-deflate") as client:
        assert client.status == 101
        assert "extensions" not in client.answer.lower()


def test_a_message_in_pieces_is_one_message(delivery: Serving) -> None:
    with RawSocket(delivery.address) as client:
        client.send(b'{"op":"pi', fin=False)
        client.send(b"between", PING)
        client.send(b'ng","id":8}', 0)
        assert client.until(T="welcome")
        frames = [client.receive() for _ in range(2)]
        assert {frame.opcode for frame in frames} <= {TEXT, PONG}


CLOSES = {
    "a message above 64 KiB": (b"x" * (64 * 1024 + 1), TEXT, 1009),
    "text that is no UTF-8": (b"\xff\xfe", TEXT, 1007),
    "an opcode nobody knows": (b"", 3, 1002),
    "a goodbye": (b"\x03\xe8", CLOSE, 1000),
    "a close code nobody may send": (b"\x03\xed", CLOSE, 1002),
    "a close code that stands for no goodbye": (b"\x03\xee", CLOSE, 1002),
}


@pytest.mark.parametrize("what", CLOSES)
def test_what_is_no_websocket_ends_with_the_code_for_it(delivery: Serving, what: str) -> None:
    data, opcode, code = CLOSES[what]
    with RawSocket(delivery.address) as client:
        client.send(data, opcode)
        assert client.close_code() == code
        with pytest.raises(ConnectionError):
            client.receive()


def test_a_client_that_says_too_much_hears_so_and_is_closed_with_1008(delivery: Serving) -> None:
    with RawSocket(delivery.address) as client:
        client.messages()
        for _ in range(30):
            client.say(op="ping")
        assert client.until(T="error")[-1]["code"] == "too_many_messages"
        assert client.close_code() == 1008


@pytest.mark.parametrize("ends", [RawSocket.reset, RawSocket.hang_up])
def test_a_client_that_breaks_off_is_waited_for_and_goes_on_where_it_was(delivery: Serving, ends: Callable[[RawSocket], None]) -> None:
    symbol = ends.__name__
    subscriptions_before = delivery.ask(lambda hub: hub.subscriptions)
    first = RawSocket(delivery.address)
    conn = first.messages()[0]["conn"]
    subscribe(first, symbol)
    publish(delivery, record(symbol, 0))
    seen = first.until(T="bar")[-1]["msg_seq"]
    ends(first)
    nobody_is_there(delivery)
    publish(delivery, record(symbol, 1), record(symbol, 2))
    with RawSocket(delivery.address) as second:
        second.say(op="resume", id=2, conn=conn, msg_seq=seen)
        assert brief(second.until(T="bar")) == [(symbol, 1, "final", 0), (symbol, 2, "final", 0)]
        third = RawSocket(delivery.address)
        third.say(op="resume", id=3, conn=conn, msg_seq=seen + 1)
        assert brief(third.until(T="bar")) == [(symbol, 2, "final", 0)]
        assert second.until(T="error")[-1]["code"] == "resumed_elsewhere"
        assert second.close_code() == 1001
        third.send(b"\x03\xe8", CLOSE)
        assert third.close_code() == 1000
    wait_until(lambda: delivery.ask(lambda hub: hub.subscriptions) == subscriptions_before)


def test_a_client_that_stops_reading_is_cut_and_the_others_hear_every_final_meanwhile(delivery: Serving) -> None:
    """Its socket is full long before the outbox: it is cut because its socket takes nothing for a second."""
    finals = 60
    stalled = RawSocket(delivery.address, receive_buffer=4_096)
    healthy = [RawSocket(delivery.address) for _ in range(3)]
    for client in (stalled, *healthy):
        subscribe(client, "*", mode="final")
    heard: list[list[Any]] = [[] for _ in healthy]

    def listen(which: int) -> None:
        while len(heard[which]) < finals:
            heard[which] += brief(healthy[which].until(T="bar"))

    listeners = [threading.Thread(target=listen, args=(which,)) for which in range(len(healthy))]
    for listener in listeners:
        listener.start()
    for minute in range(finals):
        publish(delivery, record("STALL", minute, pad=20_000))
    wait_until(lambda: delivery.ask(lambda hub: hub.metrics.cuts["slow_client"]) == 1)
    assert stalled.until(T="error")[-1]["status"] == 407
    assert stalled.close_code() == 1013
    with pytest.raises(ConnectionError):
        stalled.receive()
    for listener in listeners:
        listener.join(timeout=20)
    assert heard == [[("STALL", minute, "final", 0) for minute in range(finals)]] * len(healthy)
    for client in (stalled, *healthy):
        client.socket.close()


def test_a_client_that_reads_is_not_cut_by_a_batch_larger_than_what_may_wait_for_it(delivery: Serving) -> None:
    batch = [record(f"B{number % 100}", number // 100, offset=number) for number in range(LIMITS.outbox_events + 1_000)]
    heard: list[int] = []

    def listen() -> None:
        while len(heard) < len(batch):
            heard.extend(bar["emitted_ms"] for bar in client.until(T="bar") if bar["T"] == "bar")

    with RawSocket(delivery.address) as client:
        subscribe(client, "*", mode="final")
        listener = threading.Thread(target=listen)
        listener.start()
        delivery.hand_over(batch)
        listener.join(timeout=20)
    assert heard == list(range(len(batch)))


def test_for_a_client_that_takes_nothing_no_more_than_its_outbox_is_kept(tmp_path: Path) -> None:
    most, peak = Limits().outbox_bytes, 0
    with serving(tmp_path, limits=Limits(heartbeat_interval_s=0.1, slow_after_s=60)) as delivery:
        stalled = RawSocket(delivery.address, receive_buffer=4_096)
        subscribe(stalled, "*", mode="final")
        for minute in range(120):
            publish(delivery, record("STALL", minute, pad=100_000))
            peak = max(peak, delivery.ask(lambda hub: hub.outbox_bytes))
        wait_until(lambda: delivery.ask(lambda hub: hub.metrics.cuts["slow_client"]) == 1)
        assert most - 200_000 < peak <= most
        assert delivery.ask(lambda hub: hub.outbox_bytes) == 0
        stalled.socket.close()


def test_a_stalled_client_that_never_reads_again_is_let_go(delivery: Serving) -> None:
    nobody_is_there(delivery)
    stalled = RawSocket(delivery.address, receive_buffer=4_096)
    subscribe(stalled, "NEVER", mode="final")
    for minute in range(60):
        publish(delivery, record("NEVER", minute, pad=20_000))
    nobody_is_there(delivery)
    stalled.socket.close()


@pytest.mark.parametrize("where", ["next_frame", "receive"])
def test_what_nobody_foresaw_closes_one_client_with_1011_alone(delivery: Serving, where: str, caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(f"{where} is broken")

    with RawSocket(delivery.address) as broken, RawSocket(delivery.address) as healthy:
        name = broken.messages()[0]["conn"]
        subscribe(healthy, "WELL")
        delivery.ask(lambda hub: [setattr(each, where, fail) for each in hub._connections if each.conn == name])
        broken.say(op="ping")
        assert broken.close_code() == 1011
        with pytest.raises(ConnectionError):
            broken.receive()
        publish(delivery, record("WELL"))
        assert brief(healthy.until(T="bar")) == [("WELL", 0, "final", 0)]
    assert f"{where} is broken" in caplog.text


def test_at_the_end_each_client_is_told_and_closed_with_1001(tmp_path: Path) -> None:
    with serving(tmp_path) as delivery:
        client = RawSocket(delivery.address)
        client.messages()
    assert client.until(T="bye")[-1]["code"] == "shutdown"
    assert client.close_code() == 1001


def test_with_keys_a_client_is_let_in_by_its_header_or_its_first_message_and_only_with_a_key_that_may_read(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    reads, sends = (add_key(file, name, [scope], 0) for name, scope in (("ann", Scope.READ), ("feed", Scope.INGEST)))
    with serving(tmp_path, ring=KeyRing(file), limits=LIMITS) as delivery:
        assert RawSocket(delivery.address, Authorization=f"Bearer {sends.text}").status == 401
        assert RawSocket(delivery.address, Origin="https://elsewhere.example").status == 403
        with RawSocket(delivery.address, Authorization=f"Bearer {reads.text}") as by_header, RawSocket(delivery.address) as by_message:
            subscribe(by_header, "A")
            by_message.say(op="auth", key=reads.text)
            by_message.until(T="ack")
            subscribe(by_message, "A")
            wrong = RawSocket(delivery.address)
            wrong.say(op="auth", key=sends.text)
            assert wrong.until(T="error")[-1]["status"] == 402
            assert wrong.close_code() == 1008
            silent = RawSocket(delivery.address)
            assert silent.until(T="error")[-1]["code"] == "auth_timeout"
            assert silent.close_code() == 1008
            publish(delivery, record("A"))
            for client in (by_header, by_message):
                assert brief(client.until(T="bar")) == [("A", 0, "final", 0)]
