"""`tickloom gateway` as a process: it drains, it waits for a broker that is away; and what its heartbeats do to bars."""

import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from connectors.clients import KafkaConnection
from jobs.local.broker import Broker, running
from jobs.local.java import find_java
from jobs.local.ports import free_ports
from tests.conftest import Figures, TestBroker
from tests.connectors.gateway.running import RunningGateway, Socket, lines_of, now_ms, records_of, running_gateway, wait_until
from tests.whole.conftest import MakeStack, Start
from tests.whole.gateway import GatewayProcess, gateway_process, options_of
from tests.whole.stack import Stack

HELLO = b'{"op":"hello","client":"feed"}'
MINUTE_MS = 60_000
MIB = 1024 * 1024
PATIENCE_S = 180
"""How long a feed waits for a gateway that does not read."""
JOB_PATIENCE_S = 60
"""How long a job on a busy machine may take to close a bar."""


def tick(symbol: str = "IBM", **fields: Any) -> bytes:
    return json.dumps({"stock_id": symbol, "price": 10.5, "size": 100, "event_time_ms": now_ms(), **fields}).encode()


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
        code, took_s = process.terminate()
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
    jars: Path, tmp_path: Path, long_run: bool, figures: Figures
) -> None:
    away_s = 60 if long_run else 8
    java = find_java(os.environ).executable
    own = Broker(f"127.0.0.1:{free_ports(2)}", tmp_path / "broker", jars, java)
    log = tmp_path / "broker.log"
    with running(own, log, os.environ):
        began = gateway_process(own.address, "away.", tmp_path, **({} if long_run else {"gateway.buffer": "4MiB"}))
        process = began.__enter__()
        feeds = [Feed(process.address, size=3_000) for _ in range(4)]
        for feed in feeds:
            feed.start()
        wait_until(lambda: min(feed.acked for feed in feeds) > 1_000)
        before = process.memory
    try:
        wait_until(lambda: stands_still(feeds), 60)
        feeds.append(Feed(process.address, size=3_000))  # one that comes when nobody is read
        feeds[-1].start()
        wait_until(lambda: feeds[-1].sent and stands_still(feeds), 60)
        acked = [feed.acked for feed in feeds]
        time.sleep(away_s)
        grown = process.memory - before
        assert stands_still(feeds), "sockets are not read"
        assert [feed.acked for feed in feeds] == acked
        assert why_not_ready(process) == ["kafka does not keep up"]
        figures(f"gateway: memory while the broker was away for {away_s} s: {grown / MIB:+.0f} MiB")
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


def a_second_ctrl_c_ends_it_at_once(process: GatewayProcess) -> None:
    """The broker is away again, so that the first one is not enough."""
    assert "cannot reach Kafka" in why_not_ready(process)[0]
    with Socket(process.address, HELLO) as client:
        assert (client.hear() or {})["op"] == "welcome"
        client.send(tick())
        process.popen.send_signal(signal.SIGINT)
        process.wait_until_it_says("gateway_stopping")
        assert why_not_ready(process) == ["stopping"]
        process.popen.send_signal(signal.SIGINT)
        code, took_s = process.ends()
        assert (code, took_s < 3) == (130, True)
        assert not any(said["op"] == "ack" for said in client.hear_all())


def why_not_ready(process: GatewayProcess) -> list[str]:
    """What `/readyz` says, which must be that it is not."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen("http://{}:{}/readyz".format(*process.admin), timeout=20)
    assert refused.value.code == 503
    said: list[str] = json.loads(refused.value.read())["why"]
    return said


def stands_still(feeds: list[Feed]) -> bool:
    before = [feed.sent for feed in feeds]
    time.sleep(0.5)
    return [feed.sent for feed in feeds] == before


def test_without_topics_it_does_not_start_and_says_what_to_try(broker: TestBroker, tmp_path: Path) -> None:
    process = GatewayProcess(options_of({"kafka.bootstrap": broker.bootstrap, "kafka.topic_prefix": "nowhere."}), tmp_path / "gateway.log")
    assert process.ends()[0] == 4
    assert process.log.read_text().splitlines() == [
        "tickloom: topic 'nowhere.stock_data' does not exist (kafka.topic_prefix, --set kafka.topic_prefix)",
        "try: tickloom topics create",
    ]


# Event time --------------------------------------------------------------------------------------------------------


class Clock:
    """A gateway's clock, some minutes behind: as fast as every other, and a minute's end is a few seconds ahead."""

    def __init__(self, to_minute_end_ms: int, behind_minutes: int) -> None:
        now = now_ms()
        self._shift_ms = MINUTE_MS - now % MINUTE_MS - to_minute_end_ms - behind_minutes * MINUTE_MS
        self.minute_ms = (now + self._shift_ms) // MINUTE_MS * MINUTE_MS
        """The start of the minute that it is in."""

    def __call__(self) -> int:
        return now_ms() + self._shift_ms

    @property
    def last_ms(self) -> int:
        """An event time near that minute's end: the same however late a tick is sent."""
        return self.minute_ms + MINUTE_MS - 1_000

    def wait_for_end(self, more_ms: int) -> None:
        """Wait until the minute has been over for so long."""
        wait_until(lambda: self() > self.minute_ms + MINUTE_MS + more_ms)


def minutes_of(stack: Stack, *symbols: str) -> dict[tuple[str, int], tuple[str, int]]:
    """Symbol and start -> status and trades of the newest record of each of its minutes."""
    return {
        (symbol, start_ms): (bar["status"], bar["trades"])
        for (symbol, frame, start_ms), bar in stack.newest().items()
        if symbol in symbols and frame == "1min"
    }


def test_bars_of_quiet_symbols_close_when_every_live_feed_has_passed_their_end(make_stack: MakeStack, start: Start) -> None:
    """A live feed, a delayed and a mistaken one, one that replays the past, a second gateway, dead feeds, one after another."""
    stack = make_stack("feeds", kafka__partitions=3, bars__time_frames="1min")
    start(stack)
    stack.publish([])
    kafka: KafkaConnection = stack.config.kafka_connection()
    clock = Clock(to_minute_end_ms=2_000, behind_minutes=10)
    with running_gateway(kafka, clock=clock) as first, first.sock(HELLO) as live:
        live.send(tick("QUIET", event_time_ms=clock.last_ms))
        delayed_and_mistaken_feeds_close_nothing(stack, first, clock)
        on_time = {(symbol, clock.minute_ms): ("final", 1) for symbol in QUIET}
        wait_until(lambda: minutes_of(stack, *QUIET) == on_time, JOB_PATIENCE_S)
        a_replayed_past_closes_its_own_bars(stack, first)
        assert minutes_of(stack, *QUIET) == on_time
        what_comes_through_a_slower_gateway_is_revised(stack, kafka, clock)
    dead_feeds_close_nothing(stack, kafka)


QUIET = ("QUIET", "BEFORE", "AFTER")
"""Symbols with one tick, in the minute that ends soon: two of them in one batch with ticks of the wrong time."""


def delayed_and_mistaken_feeds_close_nothing(stack: Stack, gateway: RunningGateway, clock: Clock) -> None:
    now, hour = clock(), 60 * MINUTE_MS
    wrong = {"2099": 4_070_908_800_000, "1970": 0, "FAST": now + hour}
    with gateway.sock(HELLO) as delayed, gateway.sock(HELLO) as slow, gateway.sock(HELLO) as mistaken:
        delayed.send(tick("DELAYED", event_time_ms=now - 15 * MINUTE_MS))
        slow.send(tick("HOUR-SLOW", event_time_ms=now - hour))
        odd = [tick(symbol, event_time_ms=time_ms) for symbol, time_ms in wrong.items()]
        mistaken.send(tick("BEFORE", event_time_ms=clock.last_ms), *odd, tick("AFTER", event_time_ms=clock.last_ms))
        assert (mistaken.hear_ack(5)["bad"], slow.hear_ack(1)["bad"], delayed.hear_ack(1)["bad"]) == (3, 0, 0)
        clock.wait_for_end(more_ms=2_000)
        assert gateway.ask(lambda gateway: gateway.metrics.heartbeats) >= 2
        assert minutes_of(stack, *QUIET, *wrong) == {}, "the slowest feed holds event time back, those of the wrong time do not move it"


def a_replayed_past_closes_its_own_bars(stack: Stack, gateway: RunningGateway) -> None:
    past_ms = 1_381_152_600_000
    with gateway.sock(b'{"op":"hello","replay":true}') as past:
        past.send(*(tick("PAST", event_time_ms=past_ms + number * 30_000) for number in range(4)))
        wait_until(lambda: ("PAST", past_ms) in minutes_of(stack, "PAST"), JOB_PATIENCE_S)


def what_comes_through_a_slower_gateway_is_revised(stack: Stack, kafka: KafkaConnection, clock: Clock) -> None:
    """The fastest of two gateways decides: a bar of the other's feed closes at once."""
    late = ("LATE", clock.minute_ms - 300_000)
    with running_gateway(kafka, clock=clock) as second, second.sock(HELLO) as behind:
        for seq, said in enumerate([("final", 1), ("revised", 2)]):
            behind.send(tick("LATE", event_time_ms=clock.minute_ms - 300_000 + seq))
            wait_until(lambda said=said: minutes_of(stack, "LATE") == {late: said}, JOB_PATIENCE_S)


def dead_feeds_close_nothing(stack: Stack, kafka: KafkaConnection) -> None:
    """One is cut, one is silent for longer than `feed_timeout`; when that one shows that it lives, time goes on."""
    clock = Clock(to_minute_end_ms=1_500, behind_minutes=8)
    with running_gateway(kafka, clock=clock, feed_timeout_s=1.0) as gateway, gateway.sock(HELLO) as silent:
        with gateway.sock(HELLO) as dying:
            dying.send(tick("DEAD", event_time_ms=clock.last_ms))
            dying.hear_ack(1)
        silent.send(tick("SILENT", event_time_ms=clock.last_ms))
        clock.wait_for_end(more_ms=2_000)
        assert minutes_of(stack, "DEAD", "SILENT") == {}
        assert gateway.ask(lambda gateway: gateway.pulse.reached_ms) is None
        closed = {(symbol, clock.minute_ms): ("final", 1) for symbol in ("DEAD", "SILENT")}

        def lives() -> bool:
            silent.send(b'{"op":"hb"}')
            return minutes_of(stack, "DEAD", "SILENT") == closed

        wait_until(lives, JOB_PATIENCE_S)
