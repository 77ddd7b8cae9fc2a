"""Both clients against a gateway on a real broker: what is acknowledged is there, whatever was cut."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.client.asynchronous import AsyncTickClient
from connectors.client.conversation import Refused
from connectors.client.plain import TickClient
from connectors.errors import GatewayRefused, GatewayUnreachable, LinesUnacknowledged
from connectors.keys import KeyRing, Scope, add_key
from connectors.registry import Registration, discover
from connectors.tcp_publisher import TcpPublisher
from connectors.tls import ServerTls, TlsFiles
from jobs.local.ports import free_ports
from tests.conftest import TestBroker
from tests.connectors.certificates import make_authority, make_certificate
from tests.connectors.gateway.running import RunningGateway, letters_of, lines_of, now_ms, records_of, running_gateway, wait_until
from tests.connectors.kafka_fixtures import connection_with_topics

WELCOME = b'{"op":"welcome","v":1,"conn":"stuck-1","max_line":16384,"heartbeat_ms":15000}\n'
BYE = b'{"op":"bye","code":"%s","retry_ms":10}\n'


def at(running: RunningGateway) -> str:
    return "{}:{}".format(*running.address)


class Scripted:
    """A peer on a socket that says what the test wants of a gateway, and counts what it hears."""

    def __init__(self, *says: bytes) -> None:
        self.heard = 0
        self._says = says
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self._server.getsockname())
        self._taken: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                one, _ = self._server.accept()
            except OSError:
                return
            self._taken.append(one)
            for said in self._says:
                one.sendall(said)
            threading.Thread(target=self._hear, args=(one,), daemon=True).start()

    def _hear(self, one: socket.socket) -> None:
        try:
            while data := one.recv(65_536):
                self.heard += data.count(b"\n")
        except OSError:
            pass

    def die(self) -> None:
        self._server.close()
        for one in self._taken:
            one.shutdown(socket.SHUT_RDWR)


def seqs(broker: TestBroker, prefix: str) -> dict[tuple[str, str], list[int]]:
    """(source, symbol) -> the numbers of its ticks, in the topic's order."""
    found: dict[tuple[str, str], list[int]] = {}
    for line in lines_of(records_of(broker.bootstrap, f"{prefix}stock_data")):
        found.setdefault((line["source"], line["stock_id"]), []).append(line["seq"])
    return found


def test_what_the_plain_client_sends_is_there_when_flush_returns_and_bad_lines_are_told(broker: TestBroker) -> None:
    told: list[Refused] = []
    with running_gateway(connection_with_topics(broker, "plain.")) as running, TickClient(at(running), client="feed-a") as client:
        begun_ms = now_ms()
        for number in range(300):
            client.send(f"S{number % 3}", 10.0 + number, 5)
        client.send("S0", -1.0)
        client.send_line(b'{"stock_id":"OWN","price":2,"seq":7,"source":"mine"}')
        client.send_line(b"no json")
        with pytest.raises(ValueError, match="control line"):
            client.send_line(b'{"op":"hb"}')
        client.flush(20)
        assert (client.acked, client.bad) == (303, 2)
        assert [(each.code, each.line) for each in client.refused][1] == ("bad_json", b"no json")
        assert [each.code for each in client.refused] == ["bad_price", "bad_json"]
        assert told == []
    assert seqs(broker, "plain.") == {**{("feed-a", f"S{each}"): list(range(100)) for each in range(3)}, ("mine", "OWN"): [7]}
    times = [line["event_time_ms"] for line in lines_of(records_of(broker.bootstrap, "plain.stock_data"))]
    assert begun_ms <= min(times) <= max(times) <= now_ms()
    assert {letter["client"] for letter in letters_of(broker.bootstrap, "plain.dead_letters")} == {"feed-a"}


def test_the_async_client_does_the_same(broker: TestBroker) -> None:
    told: list[Refused] = []

    async def feed(address: str) -> None:
        async with AsyncTickClient(address, client="feed-b", replay=True, on_refused=told.append) as client:
            for number in range(200):
                await client.send("A", 1.0, 1, 1_381_152_600_000 + number)
            await client.send_line(b'{"stock_id":"A","price":"1"}')
            await client.flush(20)
            assert (client.acked, client.bad, client.unacknowledged) == (201, 1, 0)

    with running_gateway(connection_with_topics(broker, "async.")) as running:
        asyncio.run(feed(at(running)))
    assert seqs(broker, "async.") == {("feed-b", "A"): list(range(200))}
    assert [each.code for each in told] == ["bad_type"]


def test_a_client_waits_while_too_much_is_unacknowledged_and_goes_on_at_another_gateway(broker: TestBroker) -> None:
    stuck = Scripted(WELCOME)
    known = [stuck.address]
    sent: list[int] = []

    def send(client: TickClient) -> None:
        for number in range(30_000):
            client.send("A", 1.0, 1)
            sent.append(number)

    client = TickClient(lambda: known, client="feed-c", buffer_bytes=100_000)
    client.connect()
    sender = threading.Thread(target=send, args=(client,), daemon=True)
    sender.start()
    wait_until(lambda: stuck.heard > 1_000)
    with pytest.raises(LinesUnacknowledged):
        client.flush(0.5)
    waits_at = wait_until(stands_still(sent))
    assert waits_at < 20_000, "about 100 bytes a line: its buffer, and what is on its way there"
    with running_gateway(connection_with_topics(broker, "other.")) as running:
        known[:] = [at(running)]
        stuck.die()
        sender.join(30)
        client.close()
        assert (client.acked, client.connects) == (30_000, 2)
    assert seqs(broker, "other.") == {("feed-c", "A"): list(range(30_000))}


def stands_still(sent: list[int]) -> Callable[[], int]:
    """Asks how many there are, once that is twice the same."""
    seen: list[int] = []

    def ask() -> int:
        seen.append(len(sent))
        threading.Event().wait(0.3)
        return seen[-1] if seen[-1] == len(sent) else 0

    return ask


def test_when_the_gateway_stops_its_clients_come_back_to_the_next_one(broker: TestBroker) -> None:
    kafka = connection_with_topics(broker, "next.")
    with running_gateway(kafka) as first, running_gateway(kafka) as second:
        client = TickClient([at(first), at(second)], client="feed-d")
        client.connect()
        for number in range(20_000):
            client.send(f"S{number % 5}", 1.0, 1)
            if number == 10_000:
                first.stop()
        client.close()
        assert (client.acked, client.connects) == (20_000, 2)
    counted = {key: sorted(set(each)) for key, each in seqs(broker, "next.").items()}
    assert counted == {("feed-d", f"S{each}"): list(range(4_000)) for each in range(5)}


def test_a_client_finds_its_gateway_in_the_registry(broker: TestBroker) -> None:
    kafka = connection_with_topics(broker, "found.")
    with running_gateway(kafka) as running:
        entry = Registration(kafka, "gateway", "g1", at(running), "0", now_ms())
        entry.say(now_ms(), {})
        with TickClient(lambda: discover(kafka, "gateway", now_ms()), client="feed-f") as client:
            client.send("A", 1.0, 1)
            client.flush(20)
            assert (client.acked, client.bad) == (1, 0)
        entry.leave()
    assert seqs(broker, "found.") == {("feed-f", "A"): [0]}


def test_nobody_there_is_said_with_the_reason() -> None:
    address = f"127.0.0.1:{free_ports(1)}"
    with pytest.raises(GatewayUnreachable, match=f"{address}.*refused"):
        TickClient(address, client="x").connect(0.5)


def test_a_gateway_that_does_not_want_us_is_not_asked_again() -> None:
    stern = Scripted(BYE % b"unauthorized")
    with pytest.raises(GatewayRefused, match="unauthorized"):
        TickClient(stern.address, client="x").connect(20)


def test_over_tls_a_client_with_a_key_is_taken_and_one_without_is_told(broker: TestBroker, tmp_path: Path) -> None:
    authority = make_authority(tmp_path, "authority")
    server = ServerTls(TlsFiles(*make_certificate(tmp_path, "server", authority)))
    key = add_key(tmp_path / "keys.json", "feed", [Scope.INGEST], now_ms()).text
    trusting = ssl.create_default_context(cafile=authority.cert)
    ring = KeyRing(tmp_path / "keys.json")
    with running_gateway(connection_with_topics(broker, "tls-client."), ring=ring, tls=server.context) as running:
        with TickClient(at(running), client="feed-e", key=key, tls=trusting) as client:
            client.send("A", 1.0, 1)
            client.flush(20)
            assert (client.acked, client.bad) == (1, 0)
        with pytest.raises(GatewayRefused, match="unauthorized"):
            TickClient(at(running), client="feed-e", key="wrong", tls=trusting).connect(20)
        with pytest.raises(GatewayUnreachable, match="certificate verify failed"):
            TickClient(at(running), client="feed-e", key=key, tls=ssl.create_default_context()).connect(1)
    assert seqs(broker, "tls-client.") == {("feed-e", "A"): [0]}


def test_a_feed_through_a_gateway_loses_no_line_of_its_records(broker: TestBroker) -> None:
    good = [b'{"stock_id":"A","price":%d}' % number for number in range(1, 4)]
    with running_gateway(connection_with_topics(broker, "feed.")) as running:
        publisher = TcpPublisher(at(running), client="replay", replay=True)
        publisher.publish("A", b"\n".join([*good, b"", b'{"op":"hb"}', b"bad"]), 1_381_152_600_000)
        publisher.heartbeat(1_381_152_600_000)
        publisher.flush()
        publisher.close()
    lines = lines_of(records_of(broker.bootstrap, "feed.stock_data"))
    assert [(line["price"], line["event_time_ms"], line["seq"]) for line in lines] == [
        (number, 1_381_152_600_000, number - 1) for number in range(1, 4)
    ]
    assert sorted(letter["reason"] for letter in letters_of(broker.bootstrap, "feed.dead_letters")) == ["bad_json", "bad_symbol"]
