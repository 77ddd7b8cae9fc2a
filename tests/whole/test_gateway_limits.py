"""What many connections, hasty ones and a line without end cost a gateway: memory that is bounded, and given back."""

import json
import re
import resource
import socket
import struct
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import Figures, TestBroker
from tests.connectors.gateway.running import Socket, now_ms, wait_until
from tests.whole.gateway import GatewayProcess, gateway_process

MIB = 2**20
HELLO = b'{"op":"hello","client":"feed-%d"}'
IDLE, SENDING, TICKS = {False: 500, True: 5_000}, {False: 50, True: 500}, 20
"""Connections, and ticks that each of those that send does send."""
MOST_MIB, OF_CONNECTIONS = 64, 5_500
"""What so many connections may cost."""
ENDLESS_MIB = {False: 20, True: 100}
HASTY = {False: 1_000, True: 10_000}
RESET = struct.pack("ii", 1, 0)
"""A socket closed with this cuts its connection instead of ending it."""


def tick(seq: int) -> bytes:
    return json.dumps({"stock_id": "IBM", "price": 10.5, "size": 100, "event_time_ms": now_ms(), "seq": seq}).encode()


@pytest.fixture(scope="module")
def gateway(broker: TestBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway that has been used already."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    folder: Path = tmp_path_factory.mktemp("limits")
    with gateway_process(broker.bootstrap, "limits-whole.", folder, **{"gateway.max_connections_per_address": "10000"}) as process:
        with Socket(process.address, HELLO % 0) as client:
            client.send(*(tick(seq) for seq in range(20_000)))
            client.hear_ack(20_000)
        wait_for_connections(process, 0)
        yield process


def wait_for_connections(process: GatewayProcess, count: int) -> None:
    """Until so many are open."""
    host, port = process.admin

    def are_open() -> bool:
        text = urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=20).read().decode()
        return re.search(rf"^tickloom_gateway_open_connections {count}$", text, re.MULTILINE) is not None

    wait_until(are_open, 60)


def test_idle_connections_beside_those_that_send_cost_little_memory(gateway: GatewayProcess, long_run: bool, figures: Figures) -> None:
    idle, sending = IDLE[long_run], SENDING[long_run]
    memory, descriptors = gateway.memory, gateway.descriptors
    with ExitStack() as sockets:
        clients = [sockets.enter_context(Socket(gateway.address, HELLO % number)) for number in range(idle + sending)]
        for seq in range(TICKS):
            for client in clients[:sending]:
                client.send(tick(seq))
        assert [client.hear_ack(TICKS)["bad"] for client in clients[:sending]] == [0] * sending
        assert [(client.hear() or {})["op"] for client in clients[sending:]] == ["welcome"] * idle
        grown = gateway.memory - memory
    figures(f"gateway: {idle:,} idle and {sending:,} sending connections: {grown / MIB:+.1f} MiB")
    assert grown <= MOST_MIB * MIB * (idle + sending) / OF_CONNECTIONS
    give_back(gateway, descriptors)


def give_back(gateway: GatewayProcess, descriptors: int) -> None:
    """Wait until no more than so many are open, and no connection."""
    wait_for_connections(gateway, 0)
    wait_until(lambda: gateway.descriptors <= descriptors)


def test_a_line_without_end_costs_no_memory_and_the_next_one_counts(gateway: GatewayProcess, long_run: bool, figures: Figures) -> None:
    with Socket(gateway.address, HELLO % 0) as client:
        assert (client.hear() or {})["op"] == "welcome"
        for size in (2 * MIB, ENDLESS_MIB[long_run] * MIB):
            memory = gateway.memory
            gateway.forget_most_memory()
            for _ in range(size // MIB):
                client.send_raw(b"x" * MIB)
            client.send(b"")
            assert next(said["code"] for said in iter(client.hear, None) if said["op"] == "err") == "too_long"
        grown = gateway.most_memory - memory
        figures(f"gateway: a line of {size // MIB} MiB: {grown / MIB:+.2f} MiB at most")
        assert grown <= MIB
        client.send(tick(1))
        assert client.hear_ack(3)["bad"] == 2


def test_connections_that_come_and_go_leave_nothing_behind(gateway: GatewayProcess, long_run: bool, figures: Figures) -> None:
    for count in (HASTY[long_run] // 5, HASTY[long_run]):
        memory, descriptors = gateway.memory, gateway.descriptors
        begun_s = time.monotonic()
        for number in range(count):
            come_and_go(gateway.address, number)
        took_s = time.monotonic() - begun_s
        give_back(gateway, descriptors)
    grown = gateway.memory - memory
    figures(f"gateway: {count:,} connections that came and went in {took_s:.1f} s: {grown / MIB:+.2f} MiB")
    assert grown <= MIB
    with Socket(gateway.address, HELLO % 0) as client:
        client.send(tick(2))
        assert client.hear_ack(1)["bad"] == 0


def come_and_go(address: tuple[str, int], number: int) -> None:
    """Connect and close at once: in order or by a cut, with nothing said, a hello, or a part of a line."""
    with socket.create_connection(address, 20) as client:
        if said := (b"", HELLO % number + b"\n", b'{"stock_id')[number % 3]:
            client.sendall(said)
        if number % 2:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
