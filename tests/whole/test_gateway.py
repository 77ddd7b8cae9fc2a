"""`tickloom gateway` as a process: it drains, it waits for a broker that is away; and what its heartbeats do to bars."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from connectors.clients import KafkaConnection
from jobs.config_load import load_config
from jobs.local.broker import Broker, running
from jobs.local.java import find_java
from jobs.topics import make_topics
from tests.conftest import TestBroker
from tests.connectors.gateway.running import Socket, lines_of, now_ms, records_of, running_gateway, wait_until
from tests.whole.conftest import MakeStack, Start
from tests.whole.stack import Stack

ROOT = Path(__file__).parents[2]
HELLO = b'{"op":"hello","client":"feed"}'
MINUTE_MS = 60_000
MIB = 1024 * 1024
PATIENCE_S = 180
"""How long a feed waits for a gateway that does not read."""


def tick(symbol: str = "IBM", **fields: Any) -> bytes:
    return json.dumps({"stock_id": symbol, "price": 10.5, "size": 100, "event_time_ms": now_ms(), **fields}).encode()


def quiet_port() -> int:
    """A port that no connection is given by chance."""
    draw = random.Random(os.getpid())
    while True:
        port = draw.randrange(20_000, 30_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) and probe.connect_ex(("127.0.0.1", port + 1)):
                return port


class Process:
    """A gateway in a process of its own."""

    def __init__(self, settings: dict[str, str], log: Path) -> None:
        port = quiet_port()
        self.address = ("127.0.0.1", port)
        self.log = log
        own = {**settings, "gateway.listen": f"127.0.0.1:{port}", "gateway.admin": f"127.0.0.1:{port + 1}"}
        options = [option for key, value in own.items() for option in ("--set", f"{key}={value}")]
        with log.open("wb") as output:
            command = [sys.executable, "-m", "jobs.cli.main", *options, "gateway"]
            self.popen = subprocess.Popen(command, stderr=output, cwd=ROOT, start_new_session=True)

    def wait_until_it_says(self, event: str) -> None:
        wait_until(lambda: event in self.log.read_text() or self.popen.poll() is not None, 60)
        assert event in self.log.read_text(), self.log.read_text()

    def ends(self) -> tuple[int, float]:
        """Its exit code, and how long it took from now."""
        begun_s = time.monotonic()
        return self.popen.wait(30), time.monotonic() - begun_s


@contextmanager
def gateway_process(bootstrap: str, prefix: str, folder: Path, **settings: str) -> Iterator[Process]:
    """A gateway on topics of its own, until the block ends."""
    own = {"kafka.bootstrap": bootstrap, "kafka.topic_prefix": prefix, "kafka.partitions": "3", **settings}
    make_topics(load_config(None, {}, folder, own))
    process = Process(own, folder / "gateway.log")
    try:
        process.wait_until_it_says("gateway_started")
        yield process
    finally:
        process.popen.kill()
        process.popen.wait()


def seqs_in(bootstrap: str, prefix: str) -> list[int]:
    return sorted(line["seq"] for line in lines_of(records_of(bootstrap, f"{prefix}stock_data")))


class Feed(threading.Thread):
    """Sends numbered ticks until it is told to stop; hears acks."""

    def __init__(self, address: tuple[str, int], size: int = 1) -> None:
        super().__init__(daemon=True)
        self.socket = Socket(address, HELLO, PATIENCE_S)
        self.sent = self.acked = 0
        self.stopped = threading.Event()
        self._line = tick("S%d", seq=7, note="x" * size).replace(b'"seq": 7', b'"seq": %d')

    def run(self) -> None:
        ears = threading.Thread(target=self._hear, daemon=True)
        ears.start()
        try:
            while not self.stopped.is_set():
                self.socket.send(*(self._line % (seq % 50, seq) for seq in range(self.sent, self.sent + 100)))
                self.sent += 100
            self.socket.no_more()
        except OSError:
            pass
        ears.join()

    def _hear(self) -> None:
        for said in iter(self.socket.hear, None):
            self.acked = said["n"] if said["op"] == "ack" else self.acked


def test_sigterm_under_load_drains_and_what_was_acknowledged_is_there(broker: TestBroker, tmp_path: Path) -> None:
    with gateway_process(broker.bootstrap, "gateway-term.", tmp_path) as process:
        feed = Feed(process.address)
        feed.start()
        wait_until(lambda: feed.acked > 1_000)
        process.popen.send_signal(signal.SIGTERM)
        code, took_s = process.ends()
        feed.stopped.set()
        feed.join(20)
        assert (code, took_s < 10) == (0, True)
    seqs = seqs_in(broker.bootstrap, "gateway-term.")
    assert set(range(feed.acked)) <= set(seqs)
    assert len(seqs) == len(set(seqs))
    logged = [json.loads(line) for line in process.log.read_text().splitlines()]
    assert [line["event"] for line in logged if line["event"].startswith("gateway")] == [
        "gateway_started", "gateway_stopping", "gateway_stopped",
    ]  # fmt: skip
    assert len(logged) < 10, "never a line a tick"


def test_while_the_broker_is_away_sockets_wait_and_nothing_is_lost_and_only_a_second_ctrl_c_ends_it(
    jars: Path, tmp_path: Path, long_run: bool
) -> None:
    away_s = 60 if long_run else 5
    java = find_java(os.environ).executable
    own = Broker(f"127.0.0.1:{quiet_port() + 2}", tmp_path / "broker", jars, java)
    log = tmp_path / "broker.log"
    with running(own, log, os.environ):
        began = gateway_process(own.address, "away.", tmp_path, **({} if long_run else {"gateway.buffer": "4MiB"}))
        process = began.__enter__()
        feeds = [Feed(process.address, size=300) for _ in range(4)]
        for feed in feeds:
            feed.start()
        wait_until(lambda: min(feed.acked for feed in feeds) > 1_000)
        before = psutil.Process(process.popen.pid).memory_info().rss
    try:
        wait_until(lambda: stands_still(feeds), 60)
        feeds.append(Feed(process.address, size=300))  # one that comes when nobody is read
        feeds[-1].start()
        wait_until(lambda: feeds[-1].sent and stands_still(feeds), 60)
        acked = [feed.acked for feed in feeds]
        time.sleep(away_s)
        grown = psutil.Process(process.popen.pid).memory_info().rss - before
        assert stands_still(feeds), "sockets are not read"
        assert [feed.acked for feed in feeds] == acked
        print(f"memory while the broker was away for {away_s} s: {grown / MIB:+.0f} MiB")
        assert grown < 256 * MIB
        with running(own, log, os.environ):
            for feed in feeds:
                feed.stopped.set()
            for feed in feeds:
                feed.join(60)
            assert [feed.acked for feed in feeds] == [feed.sent for feed in feeds]
            expected = sorted(seq for feed in feeds for seq in range(feed.sent))
            assert seqs_in(own.address, "away.") == expected
        a_second_ctrl_c_ends_it_at_once(process)
    finally:
        began.__exit__(None, None, None)


def a_second_ctrl_c_ends_it_at_once(process: Process) -> None:
    """The broker is away again, so that the first one is not enough."""
    with Socket(process.address, HELLO) as client:
        assert (client.hear() or {})["op"] == "welcome"
        client.send(tick())
        process.popen.send_signal(signal.SIGINT)
        process.wait_until_it_says("gateway_stopping")
        process.popen.send_signal(signal.SIGINT)
        code, took_s = process.ends()
        assert (code, took_s < 3) == (130, True)
        assert not any(said["op"] == "ack" for said in client.hear_all())


def stands_still(feeds: list[Feed]) -> bool:
    before = [feed.sent for feed in feeds]
    time.sleep(0.5)
    return [feed.sent for feed in feeds] == before


def test_without_topics_it_does_not_start_and_says_what_to_try(broker: TestBroker, tmp_path: Path) -> None:
    process = Process({"kafka.bootstrap": broker.bootstrap, "kafka.topic_prefix": "nowhere."}, tmp_path / "gateway.log")
    assert process.ends()[0] == 4
    assert process.log.read_text().splitlines() == [
        "tickloom: topic 'nowhere.stock_data' does not exist (kafka.topic_prefix, --set kafka.topic_prefix)",
        "try: tickloom topics create",
    ]


# Event time --------------------------------------------------------------------------------------------------------


class Clock:
    """The gateway's clock: as fast as every other, and some minute's end is a few seconds ahead."""

    def __init__(self, to_minute_end_ms: int) -> None:
        now = now_ms()
        self._shift_ms = MINUTE_MS - now % MINUTE_MS - to_minute_end_ms - 10 * MINUTE_MS
        self.minute_ms = (now + self._shift_ms) // MINUTE_MS * MINUTE_MS

    def __call__(self) -> int:
        return now_ms() + self._shift_ms


def minutes_of(stack: Stack, symbol: str) -> dict[int, tuple[str, int]]:
    """Start -> status and trades of the newest record of each minute."""
    return {
        start_ms: (bar["status"], bar["trades"])
        for (stock_id, frame, start_ms), bar in stack.newest().items()
        if (stock_id, frame) == (symbol, "1min")
    }


def test_bars_of_quiet_symbols_close_when_every_live_feed_has_passed_their_end(make_stack: MakeStack, start: Start) -> None:
    """A live feed, one a quarter of an hour behind, one that replays the past, and a second gateway, one after another."""
    stack = make_stack("feeds", kafka__partitions=3)
    start(stack)
    stack.publish([])
    kafka: KafkaConnection = stack.config.kafka_connection()
    clock = Clock(to_minute_end_ms=2_500)
    minute_ms = clock.minute_ms
    with running_gateway(kafka, clock=clock) as first, first.sock(HELLO) as live:
        with first.sock(HELLO) as delayed:
            delayed.send(tick("SLOW", event_time_ms=clock() - 900_000))
            live.send(tick("QUIET", event_time_ms=clock()))
            wait_until(lambda: clock() > minute_ms + MINUTE_MS + 2_000)
            assert first.ask(lambda gateway: gateway.metrics.heartbeats) >= 2
            assert minutes_of(stack, "QUIET") == {}, "the delayed feed holds event time back"
        wait_until(lambda: minutes_of(stack, "QUIET"))
        assert minutes_of(stack, "QUIET") == {minute_ms: ("final", 1)}

        past_ms = 1_381_152_600_000
        with first.sock(b'{"op":"hello","replay":true}') as past:
            past.send(*(tick("PAST", event_time_ms=past_ms + number * 30_000) for number in range(4)))
            wait_until(lambda: past_ms in minutes_of(stack, "PAST"))
        assert minutes_of(stack, "QUIET") == {minute_ms: ("final", 1)}

        # The fastest of two gateways decides: what comes through the slower one closes at once and is revised.
        with running_gateway(kafka, clock=clock) as second, second.sock(HELLO) as late:
            late.send(tick("LATE", event_time_ms=minute_ms - 300_000))
            wait_until(lambda: minutes_of(stack, "LATE").get(minute_ms - 300_000) == ("final", 1))
            late.send(tick("LATE", event_time_ms=minute_ms - 290_000))
            wait_until(lambda: minutes_of(stack, "LATE").get(minute_ms - 300_000) == ("revised", 2))
