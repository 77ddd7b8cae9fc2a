"""The whole gateway on a socket and a broker: what comes in is in Kafka once, and acknowledged only then."""

import json
import threading
import time
from base64 import b64decode
from collections import Counter, defaultdict
from contextlib import ExitStack
from http.client import HTTPConnection
from typing import Any

import pytest
from kafka import KafkaAdminClient

from connectors.gateway.judge import TimeGuard
from connectors.gateway.limits import Limits
from connectors.gateway.service import Gateway
from tests.conftest import PROFILE, TestBroker
from tests.connectors.gateway.running import (
    RunningGateway,
    Socket,
    count_reasons,
    letters_of,
    lines_of,
    now_ms,
    records_of,
    running_gateway,
    wait_until,
)
from tests.connectors.kafka_fixtures import connection_with_topics

HELLO = b'{"op":"hello","client":"feed-a"}'
SLOW = {"short": 100, "long": 1_000}[PROFILE]
"""Clients that send a byte now and then."""


def tick(symbol: str = "IBM", **fields: Any) -> bytes:
    return json.dumps({"stock_id": symbol, "price": 10.5, "size": 100, "event_time_ms": now_ms(), **fields}).encode()


def test_a_plain_client_connects_sends_one_object_and_closes(broker: TestBroker) -> None:
    with running_gateway(connection_with_topics(broker, "gateway-plain.")) as running:
        for number in range(3):
            with running.sock() as client:
                client.send_raw(tick(seq=number))
        with running.sock() as client:
            client.send(tick(seq=3))
        with running.sock(HELLO) as client:  # one that listens gets a hint for the newline that is missing, and its ack
            client.send_raw(tick(seq=4))
            client.no_more()
            assert [said["op"] for said in client.hear_all()] == ["welcome", "hint", "ack"]
        wait_until(lambda: running.ask(lambda gateway: gateway.metrics.lines) == 5)
    lines = lines_of(records_of(broker.bootstrap, "gateway-plain.stock_data"))
    assert {line["seq"]: line.get("source") for line in lines} == {0: None, 1: None, 2: None, 3: None, 4: "feed-a"}


def test_one_tick_of_the_wrong_time_is_refused_and_no_other_of_its_batch_is_lost(broker: TestBroker) -> None:
    now, hour = now_ms(), 3_600_000
    wrong = {4_070_908_800_000: "future_time", 0: "stale_time", now + hour: "future_time", now - hour: None}
    with running_gateway(connection_with_topics(broker, "times.")) as running, running.sock() as client:
        client.send(HELLO, *(line for at in wrong for line in (tick("IBM"), tick("ODD", event_time_ms=at), tick("MSFT"))))
        assert client.hear_ack(12)["bad"] == 3
    records = records_of(broker.bootstrap, "times.stock_data")
    assert Counter(line["stock_id"] for line in lines_of(records)) == {"IBM": 4, "MSFT": 4, "ODD": 1}
    assert max(record.timestamp for record in records) <= now_ms()
    assert count_reasons(letters_of(broker.bootstrap, "times.dead_letters")) == {"future_time": 2, "stale_time": 1}


def test_a_batch_that_the_broker_refuses_loses_only_the_ticks_to_blame(broker: TestBroker) -> None:
    """The gateway's guard is wide open here, the broker's is not: it refuses whole batches of a partition."""
    kafka = connection_with_topics(broker, "refused.")
    far = now_ms() + 10 * 3_600_000
    lines = [tick("IBM", seq=seq, event_time_ms=far if seq % 50 == 7 else now_ms()) for seq in range(500)]
    with running_gateway(kafka, guard=TimeGuard(10**13, None)) as running, running.sock() as client:
        client.send(HELLO, *lines)
        counted = [0]
        while counted[-1] < 490 or running.ask(lambda gateway: gateway.publisher.records):
            counted.append(running.ask(lambda gateway: gateway.metrics.ticks))
            time.sleep(0.002)
        assert counted == sorted(counted), "what may still be refused does not count"
        said = list(iter(client.hear, {"op": "ack", "n": 500, "bad": 10}))
        assert {each["line"] for each in said if each["op"] == "err" and each["code"] == "future_time"} == set(range(7, 500, 50))
        assert running.ask(lambda gateway: (gateway.metrics.ticks, gateway.publisher.records, gateway.publisher.bytes)) == (490, 0, 0)
    assert sorted(line["seq"] for line in lines_of(records_of(broker.bootstrap, "refused.stock_data"))) == [
        seq for seq in range(500) if seq % 50 != 7
    ]
    letters = letters_of(broker.bootstrap, "refused.dead_letters")
    assert {letter["line"]: b64decode(letter["original"]) for letter in letters} == {seq: lines[seq] for seq in range(7, 500, 50)}
    assert count_reasons(letters) == {"future_time": 10}


def beats_of(broker: TestBroker, prefix: str) -> dict[int, list[int]]:
    """The times that heartbeats have told, by partition."""
    beats = defaultdict(list)
    for record in records_of(broker.bootstrap, f"{prefix}stock_data"):
        if record.value is None:
            assert record.key == b""
            beats[record.partition].append(record.timestamp)
    return beats


def feeds_live(running: RunningGateway, *feeds: Socket, beats: int = 2) -> None:
    """Have `feeds` show that they live until the gateway has sent so many more heartbeats."""
    wanted = running.ask(lambda gateway: gateway.metrics.heartbeats) + beats

    def are_sent() -> bool:
        for feed in feeds:
            feed.send(b'{"op":"hb"}')
        return running.ask(lambda gateway: gateway.metrics.heartbeats) >= wanted

    wait_until(are_sent)


def test_heartbeats_tell_every_partition_how_far_the_slowest_live_feed_is(broker: TestBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.gateway.service.PULSE_S", 0.2)
    began, delay, kafka = now_ms(), 900_000, connection_with_topics(broker, "gateway-beat.")
    with running_gateway(kafka, feed_timeout_s=2.0, partitions_every_s=0.2) as running, running.sock(HELLO) as live:
        time.sleep(0.6)
        assert running.ask(lambda gateway: gateway.metrics.heartbeats) == 0, "a feed that has sent nothing says nothing"
        assert "heartbeat_lag_seconds" not in running.ask(Gateway.gauges)
        live.send(tick())
        feeds_live(running, live)
        add_partitions(broker, "gateway-beat.stock_data", 5)
        with running.sock(b'{"op":"hello","replay":true}') as past, running.sock(HELLO) as delayed:
            past.send(tick(event_time_ms=1_381_152_600_000))
            delayed.send(tick(event_time_ms=began - delay))
            feeds_live(running, live, delayed, beats=3)
            assert running.ask(Gateway.gauges)["heartbeat_lag_seconds"] > 800
        feeds_live(running, live, beats=3)  # the delayed one is cut; the live one has no ticks, but lives
        wait_until(lambda: feeds_live(running, live, beats=1) or {3, 4} <= beats_of(broker, "gateway-beat.").keys())
        wait_until(lambda: running.ask(lambda gateway: gateway.pulse.reached_ms) is None)  # and now is silent
        lag_s = running.ask(Gateway.gauges)["heartbeat_lag_seconds"]
        wait_until(lambda: running.ask(Gateway.gauges)["heartbeat_lag_seconds"] > lag_s > 0)
        assert now_ms() - began < 60_000
    beats = beats_of(broker, "gateway-beat.")
    assert beats[0] == beats[1] == beats[2]
    assert beats[3] == beats[4] == beats[0][-len(beats[3]) :], "partitions that are added hear heartbeats too"
    behind = [(began - time_ms) // 60_000 for time_ms in beats[0]]
    first, last = behind.index(14), len(behind) - behind[::-1].index(14)
    assert behind[:first] == [-1] * first
    assert behind[first:last] == [14] * (last - first)
    assert behind[last:] == [-1] * (len(behind) - last)
    assert min(first, last - first, len(behind) - last) >= 2


def add_partitions(broker: TestBroker, topic: str, until: int) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.create_partitions({topic: until})
    admin.close()


def test_connections_are_limited_altogether_and_by_address_and_hear_that_we_live(broker: TestBroker) -> None:
    limits = Limits(max_connections=3, max_connections_per_address=2, heartbeat_interval_s=0.2)
    with running_gateway(connection_with_topics(broker, "limits."), limits=limits) as running:
        with running.sock() as one, running.sock() as two, running.sock() as three:
            for client in (one, two):
                client.send(HELLO)
                assert (client.hear() or {})["op"] == "welcome"
            assert three.hear_all() == [{"op": "bye", "code": "too_many_connections", "retry_ms": 1_000}]
        wait_until(lambda: running.ask(lambda gateway: len(gateway.clients)) == 0)
        with running.sock() as client:
            client.send(HELLO)
            assert [(client.hear() or {})["op"] for _ in range(2)] == ["welcome", "hb"]
        assert running.gateway.metrics.turned_away == 1


def test_slow_and_silent_clients_are_cut_and_others_are_unharmed(broker: TestBroker) -> None:
    limits = Limits(partial_line_timeout_s=1.0, idle_timeout_s=1.5, heartbeat_interval_s=0.5, max_connections_per_address=2_000)
    with running_gateway(connection_with_topics(broker, "slow."), limits=limits) as running, ExitStack() as sockets:
        slow = [sockets.enter_context(running.sock()) for _ in range(SLOW)]
        with running.sock(HELLO) as silent, running.sock(HELLO) as good:
            lines = 0
            while running.gateway.metrics.cuts.total() <= SLOW:
                for client in slow if lines < 15 and not lines % 5 else ():  # a byte now and then
                    client.send_raw(b"{")
                good.send(tick())
                lines += 1
                time.sleep(0.05)
                assert lines < 400
            for client in slow:
                assert [said["code"] for said in client.hear_all()] == ["truncated", "partial_line_timeout"]
            said = [said["op"] for said in silent.hear_all()]
            assert (said[0], {*said[1:-1]} <= {"hb"}, said[-1]) == ("welcome", True, "bye")
            assert good.hear_ack(lines)["bad"] == 0
        assert running.gateway.metrics.cuts == {"partial_line_timeout": SLOW, "idle_timeout": 1}


def test_a_client_that_sends_too_much_is_read_more_slowly_over_whichever_connections(broker: TestBroker) -> None:
    kafka, limits = connection_with_topics(broker, "rate."), Limits(lines_per_second=1_000)
    with running_gateway(kafka, limits=limits) as running, running.sock(HELLO) as one, running.sock(HELLO) as other:
        begun_s = time.monotonic()
        one.send(*([tick()] * 1_500))
        one.hear_ack(1_500)  # what came at once is taken at once
        other.send(*([tick()] * 1_000))
        other.hear_ack(1_000)
        other.send(tick())
        other.hear_ack(1_001)
        assert time.monotonic() - begun_s >= 1.4


def test_clients_that_send_as_much_as_they_can_have_equal_shares(broker: TestBroker) -> None:
    """The buffer is so small that reading stops again and again."""
    stopping = threading.Event()
    chunk = b"\n".join(tick(f"S{number}", note="x" * 200) for number in range(200)) + b"\n"

    def push(client: Socket) -> None:
        while not stopping.is_set():
            client.send_raw(chunk)

    with running_gateway(connection_with_topics(broker, "fair."), buffer_bytes=2**20) as running:
        clients = [running.sock(HELLO) for _ in range(4)]
        pushing = [threading.Thread(target=push, args=(client,)) for client in clients]
        for thread in pushing:
            thread.start()
        wait_until(lambda: running.ask(lambda gateway: gateway.metrics.pauses) >= 3 and running.ask(shares)[-1] > 20_000)
        smallest, *_, largest = running.ask(shares)
        stopping.set()
        for client, thread in zip(clients, pushing, strict=True):
            thread.join()
            client.close()
    assert smallest > largest / 2


def shares(gateway: Gateway) -> list[int]:
    """Lines taken from each client, fewest first."""
    return sorted(client.connection.settlement.received for client in gateway.clients if client.connection)


def test_a_client_that_never_reads_its_answers_costs_no_memory(broker: TestBroker) -> None:
    limits = Limits(errors_per_second=10**9)
    with running_gateway(connection_with_topics(broker, "deaf."), limits=limits) as running, running.sock() as client:
        client.send(HELLO)
        for _ in range(50):
            client.send(*([b"bad"] * 1_000))
        wait_until(lambda: running.ask(lambda gateway: gateway.publisher.records == 0 and gateway.metrics.lines == 50_000))
        assert running.ask(lambda gateway: [one.connection.answers.muted for one in gateway.clients if one.connection]) == [True]
        assert client.hear_ack(50_000)["bad"] == 50_000, "once it reads, it hears"


def test_the_admin_port_says_how_it_is_and_has_metrics(broker: TestBroker) -> None:
    with running_gateway(connection_with_topics(broker, "metrics.")) as running:
        answers = [_get(running.admin, path) for path in ("healthz", "readyz")]
        assert [(status, json.loads(body)) for status, body in answers] == [(200, {"status": "ok"}), (200, {"ready": True, "why": []})]
        with running.sock() as client:
            client.send(HELLO, tick(), b"bad", tick())
            client.hear_ack(3)
            status, body = _get(running.admin, "metrics")
        lines = body.decode().splitlines()
        assert status == 200
        for line in ("tickloom_gateway_lines_total 3", "tickloom_gateway_ticks_total 2", "tickloom_gateway_open_connections 1"):
            assert line in lines
        assert 'tickloom_dead_letters_total{stage="gateway",reason="bad_json"} 1' in lines
        assert "tickloom_gateway_ack_latency_seconds_count 3" in lines


def _get(address: tuple[str, int], path: str) -> tuple[int, bytes]:
    http = HTTPConnection(*address, timeout=10)
    http.request("GET", f"/{path}")
    answer = http.getresponse()
    body = answer.read()
    http.close()
    return answer.status, body
