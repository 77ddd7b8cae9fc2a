"""How connections and the gateway itself end: nothing that was taken is lost, and who does not want to go harms nobody."""

import json
import socket
import threading
from base64 import b64decode
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from connectors.gateway.client import Client
from connectors.gateway.limits import Limits
from connectors.gateway.protocol import Connection
from connectors.gateway.service import Gateway
from connectors.gateway.turns import TURN_LINES
from connectors.keys import KeyRing, Scope, add_key, revoke_keys
from tests.conftest import TestBroker
from tests.connectors.gateway.running import Socket, count_reasons, letters_of, lines_of, now_ms, records_of, running_gateway, wait_until
from tests.connectors.kafka_fixtures import connection_with_topics

HELLO = b'{"op":"hello","client":"feed-a"}'


def tick(**fields: Any) -> bytes:
    return json.dumps({"stock_id": "IBM", "price": 10.5, "size": 100, "event_time_ms": now_ms(), **fields}).encode()


def readiness(address: tuple[str, int]) -> tuple[int, dict[str, Any]]:
    """What `/readyz` says."""
    http = HTTPConnection(*address, timeout=10)
    http.request("GET", "/readyz")
    answer = http.getresponse()
    said = answer.status, json.loads(answer.read())
    http.close()
    return said


def test_stopping_makes_durable_what_was_taken_acknowledges_it_and_says_goodbye(broker: TestBroker) -> None:
    with running_gateway(connection_with_topics(broker, "stop.")) as running, running.sock() as client, running.sock() as silent:
        client.send(HELLO, *(tick(seq=seq) for seq in range(5_000)))
        silent.send(tick(seq=5_000))
        wait_until(lambda: running.ask(lambda gateway: gateway.metrics.lines) > 0)
        assert running.stop() == 0
        said = client.hear_all()
        assert (said[-2]["op"], said[-1]["op"], said[-1]["code"]) == ("ack", "bye", "shutdown")
        assert silent.hear_all() == []
        acked = said[-2]["n"]
        assert readiness(running.admin) == (503, {"ready": False, "why": ["stopping"]})
    seqs = [line["seq"] for line in lines_of(records_of(broker.bootstrap, "stop.stock_data"))]
    assert set(range(acked)) <= set(seqs)
    assert len(seqs) == len(set(seqs))


def test_a_client_that_ignores_its_goodbye_harms_nobody(broker: TestBroker) -> None:
    """It is cut while its line is on its way to Kafka, and the gateway stops before it has hung up."""
    limits = Limits(partial_line_timeout_s=0.3)
    with running_gateway(connection_with_topics(broker, "stubborn."), limits=limits) as running:
        with running.sock(HELLO) as stubborn, running.sock(HELLO) as good:
            good.send(tick(seq=0))
            good.hear_ack(1)
            stubborn.send_raw(tick(seq=1))
            wait_until(lambda: running.gateway.metrics.cuts["partial_line_timeout"])
            assert running.stop() == 0
            assert [said["op"] for said in stubborn.hear_all()] == ["welcome", "hint", "bye"]
            assert good.hear_all() == [{"op": "bye", "code": "shutdown", "retry_ms": 1_000}]
        assert running.gateway.metrics.cuts == {"partial_line_timeout": 1, "shutdown": 1}
    assert sorted(line["seq"] for line in lines_of(records_of(broker.bootstrap, "stubborn.stock_data"))) == [0, 1]


def test_stopping_takes_what_is_left_of_clients_that_hear_no_acks(broker: TestBroker) -> None:
    stopped = threading.Event()

    def push(client: Socket) -> None:
        with suppress(OSError):
            while not stopped.is_set():
                client.send(tick(seq=9))

    with running_gateway(connection_with_topics(broker, "stop-plain.")) as running:
        with running.sock() as whole, running.sock() as half, running.sock() as busy:
            whole.send_raw(tick(seq=0) + b"\n" + tick(seq=1))
            half.send_raw(tick(seq=2) + b"\n" + tick(seq=3)[:20])
            pushing = threading.Thread(target=push, args=(busy,))
            pushing.start()
            wait_until(lambda: running.gateway.metrics.lines > 10)
            assert running.stop() == 0
            metrics = running.gateway.metrics
            assert [said["op"] for said in whole.hear_all()] == ["hint"]
            assert [said.get("code") for said in half.hear_all()] == ["truncated", "shutdown"]
            stopped.set()
            pushing.join()
        assert metrics.lines == metrics.ticks + metrics.dead_letters.total(), "nothing was taken after the last look"
    seqs = [line["seq"] for line in lines_of(records_of(broker.bootstrap, "stop-plain.stock_data"))]
    assert sorted(seq for seq in seqs if seq < 9) == [0, 1, 2]
    letters = letters_of(broker.bootstrap, "stop-plain.dead_letters")
    assert (len(seqs), count_reasons(letters)) == (metrics.ticks, {"truncated": len(letters)})
    assert tick(seq=3)[:20] in [b64decode(letter["original"]) for letter in letters]
    assert len({letter["connection"] for letter in letters}) == len(letters) <= 2, "the busy one may be in the middle of a line too"


def test_a_client_that_never_reads_is_gone_some_time_after_it_was_cut(
    broker: TestBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.gateway.client.GRACE_S", 0.1)
    key = add_key(tmp_path / "keys.json", "feed", [Scope.INGEST], now_ms())
    ring = KeyRing(tmp_path / "keys.json")
    kafka, limits = connection_with_topics(broker, "deaf-for-ever."), Limits(errors_per_second=10**9)

    def give_little_room(gateway: Gateway) -> None:
        for client in gateway.clients:
            assert client._transport is not None
            client._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)

    def is_muted(gateway: Gateway) -> bool:
        return any(client.connection is not None and client.connection.answers.muted for client in gateway.clients)

    with running_gateway(kafka, limits=limits, ring=ring) as running, running.sock() as deaf:
        deaf.send(b'{"op":"hello","key":"%s"}' % key.text.encode())
        assert (deaf.hear() or {})["op"] == "welcome"
        running.ask(give_little_room)
        while not running.ask(is_muted):
            deaf.send(*([b"bad"] * 1_000))
        revoke_keys(tmp_path / "keys.json", "feed")
        running.ask(lambda gateway: ring.refresh())
        wait_until(lambda: running.gateway.metrics.cuts["unauthorized"])
        wait_until(lambda: running.ask(lambda gateway: len(gateway.clients)) == 0)


def test_a_flood_of_short_lines_is_taken_in_turns_and_told_of_when_it_ends(broker: TestBroker) -> None:
    turns: list[int] = []

    def count_lines(gateway: Gateway) -> None:
        receive = gateway.receive

        def counting(client: Client, connection: Connection, data: bytes) -> None:
            turns.append(data.count(b"\n"))
            receive(client, connection, data)

        gateway.receive = counting  # type: ignore[method-assign]

    with running_gateway(connection_with_topics(broker, "flood.")) as running:
        running.ask(count_lines)
        with running.sock(HELLO) as client:
            client.send_raw(b"x\n" * 20_000)
            client.no_more()
            said = client.hear_all()
    assert (sum(turns), max(turns) <= TURN_LINES) == (20_001, True)
    told = [each for each in said if each["op"] == "err"]
    assert sum(each["n"] if each["code"] == "suppressed" else 1 for each in told) == 20_000
    assert said[-1] == {"op": "ack", "n": 20_000, "bad": 20_000}
