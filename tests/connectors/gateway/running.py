"""A gateway on a real socket and a real broker, in a thread; clients that use nothing but sockets."""

import asyncio
import json
import socket
import ssl
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog
import uvloop
from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from connectors.clients import KafkaConnection
from connectors.gateway.admin import serve_admin
from connectors.gateway.admission import admission_by
from connectors.gateway.client import Client
from connectors.gateway.judge import TimeGuard
from connectors.gateway.limits import GatewaySettings, Limits
from connectors.gateway.service import Gateway
from connectors.keys import KeyRing

T = TypeVar("T")
TIMEOUT_S = 20.0
GUARD = TimeGuard(max_future_ms=5_000, max_age_ms=24 * 3_600_000)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def wait_until(condition: Callable[[], T], timeout_s: float = TIMEOUT_S) -> T:
    """What `condition` says once it is true."""
    deadline_s = time.monotonic() + timeout_s
    while not (said := condition()):
        assert time.monotonic() < deadline_s, "waited too long"
        time.sleep(0.01)
    return said


class RunningGateway:
    """The gateway, and where it listens."""

    def __init__(self, gateway: Gateway, loop: asyncio.AbstractEventLoop, address: tuple[str, int], admin: tuple[str, int]) -> None:
        self.gateway, self.address, self.admin = gateway, address, admin
        self._loop = loop
        self.given_up: int | None = None

    def ask(self, question: Callable[[Gateway], T]) -> T:
        """What `question` says in the gateway's own thread."""
        answer: list[T] = []
        done = threading.Event()

        def put() -> None:
            answer.append(question(self.gateway))
            done.set()

        self._loop.call_soon_threadsafe(put)
        assert done.wait(TIMEOUT_S)
        return answer[0]

    def stop(self) -> int:
        """Drain and end; how many records were given up."""
        if self.given_up is None:
            self.given_up = asyncio.run_coroutine_threadsafe(self.gateway.stop(), self._loop).result(TIMEOUT_S)
        return self.given_up

    def sock(self, hello: bytes = b"") -> "Socket":
        """A client's connection."""
        return Socket(self.address, hello)


@contextmanager
def running_gateway(
    kafka: KafkaConnection,
    *,
    limits: Limits | None = None,
    guard: TimeGuard = GUARD,
    clock: Callable[[], int] = now_ms,
    ring: KeyRing | None = None,
    tls: ssl.SSLContext | None = None,
    log: Any = None,
    **settings: Any,
) -> Iterator[RunningGateway]:
    """A gateway until the block ends; it must not have failed, nor anything in its loop. `ring` and `tls` are its admin port's, too."""
    any_port = ("127.0.0.1", 0)
    made = GatewaySettings("g1", any_port, any_port, guard, limits=limits or Limits(), drain_timeout_s=5.0, **settings)
    loop = uvloop.new_event_loop()
    problems: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, problem: problems.append(problem))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> tuple[Gateway, Any, Any]:
        gateway = Gateway(made, kafka, loop, clock, log or structlog.get_logger(), admission_by(ring) if ring else None)
        server = await loop.create_server(lambda: Client(gateway), *made.listen, backlog=4_096, ssl=tls)
        return gateway, server, await serve_admin(gateway, *made.admin, tls=tls, ring=ring)

    try:
        gateway, server, admin = asyncio.run_coroutine_threadsafe(start(), loop).result(TIMEOUT_S)
        running = RunningGateway(gateway, loop, server.sockets[0].getsockname(), admin.addresses[0])
        try:
            yield running
        finally:
            loop.call_soon_threadsafe(server.close)
            running.stop()
            asyncio.run_coroutine_threadsafe(admin.cleanup(), loop).result(TIMEOUT_S)
        assert gateway.failed.done() is False or gateway.failed.exception() is None
        assert problems == []
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Socket:
    """A client: sends bytes, hears answers."""

    def __init__(self, address: tuple[str, int], hello: bytes = b"", timeout_s: float = TIMEOUT_S) -> None:
        self._socket = socket.create_connection(address, timeout_s)
        self._rest = b""
        if hello:
            self.send(hello)

    def send(self, *lines: bytes) -> None:
        """Send whole lines."""
        self._socket.sendall(b"".join(line + b"\n" for line in lines))

    def send_raw(self, data: bytes) -> None:
        self._socket.sendall(data)

    def no_more(self) -> None:
        """End the stream to the gateway; answers can still be heard."""
        self._socket.shutdown(socket.SHUT_WR)

    def hear(self) -> dict[str, Any] | None:
        """The next answer; None when the gateway has closed."""
        while b"\n" not in self._rest:
            data = self._socket.recv(65_536)
            if not data:
                return None
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        said: dict[str, Any] = json.loads(line)
        return said

    def hear_all(self) -> list[dict[str, Any]]:
        """Every answer until the gateway closes."""
        return list(iter(self.hear, None))

    def hear_ack(self, lines: int) -> dict[str, Any]:
        """The ack of so many lines."""
        while True:
            said = self.hear()
            assert said is not None, "closed before the ack"
            if said["op"] == "ack" and said["n"] >= lines:
                return said

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class TlsSocket(Socket):
    """A client that speaks TLS."""

    def __init__(self, address: tuple[str, int], ca: Path) -> None:
        super().__init__(address)
        self._socket = ssl.create_default_context(cafile=str(ca)).wrap_socket(self._socket, server_hostname="localhost")

    def say_goodbye(self) -> None:
        """End the TLS connection as it should be; what the gateway still says (a hint) may come after that."""
        assert isinstance(self._socket, ssl.SSLSocket)
        with suppress(ssl.SSLError):
            self._socket.unwrap()


def records_of(bootstrap: str, topic: str, isolation: str = "read_uncommitted") -> list[ConsumerRecord]:
    """All records of a topic, each partition's in order, read by a client that the product does not use."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False, isolation_level=isolation)
    partitions = [TopicPartition(topic, each) for each in sorted(consumer.partitions_for_topic(topic))]
    consumer.assign(partitions)
    ends, found = consumer.end_offsets(partitions), defaultdict(list)
    while any(consumer.position(each) < ends[each] for each in partitions):
        for partition, batch in consumer.poll(timeout_ms=500).items():
            found[partition] += batch
    consumer.close()
    return [record for partition in partitions for record in found[partition]]


def lines_of(records: Sequence[ConsumerRecord]) -> list[dict[str, Any]]:
    """The lines of tick records in order; heartbeats have none."""
    return [json.loads(line) for record in records if record.value is not None for line in record.value.split(b"\n")]


def letters_of(bootstrap: str, topic: str) -> list[dict[str, Any]]:
    """The dead letters of a topic."""
    return [json.loads(record.value) for record in records_of(bootstrap, topic)]


def count_reasons(letters: Sequence[dict[str, Any]]) -> Counter[str]:
    return Counter(letter["reason"] for letter in letters)
