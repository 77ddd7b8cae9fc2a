"""Clients that are not ours: websockets by hand, curl on events and on tables, and some that stop reading."""

import csv
import io
import json
import shlex
import shutil
import socket
import subprocess
import threading
from collections import Counter
from contextlib import ExitStack
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.conftest import Figures
from tests.connectors.client.results.records import MINUTE_MS, T0_MS
from tests.connectors.gateway.running import wait_until
from tests.docs.markdown import ROOT, shell_lines
from tests.whole.page.delivery import DeliveryProcess
from tests.whole.results.conftest import SLOW_AFTER_S
from tests.whole.results.feed import Feed, Told

PAGE = ROOT / "docs" / "how-to" / "read-results-from-python.md"
CSV, EVENTS = shell_lines(PAGE)
TIMEOUT_S = 60.0


def open_socket(delivery: DeliveryProcess, **more: Any) -> ClientConnection:
    return ExitStack().enter_context(connect(f"ws://{delivery.config.delivery.listen}/v1/ws", compression=None, **more))


def told(message: dict[str, Any]) -> Told:
    return (message["start_ms"] - T0_MS) // MINUTE_MS, message["revision"]


class Chain:
    """One client by the protocol's page: what it was told over all connections that go on from one another."""

    def __init__(self, delivery: DeliveryProcess, symbols: list[str]) -> None:
        self._delivery = delivery
        self.finals: list[tuple[str, Told]] = []
        self.numbers: list[int] = []
        self.socket = open_socket(delivery)
        self.conn = self.until("welcome")["conn"]
        channel = {"channel": "bars", "symbols": symbols, "time_frames": ["1min"], "snapshot": 0}
        self.say(op="subscribe", id=1, channels=[channel])
        self.until("ack")

    def say(self, **message: object) -> None:
        self.socket.send(json.dumps(message))

    def until(self, wanted: str) -> dict[str, Any]:
        """Listen until a message of this kind has come; it."""
        found: dict[str, Any] | None = None
        while found is None:
            for message in json.loads(self.socket.recv(TIMEOUT_S)):
                assert message["T"] != "error", message
                if message["T"] == "bar":
                    self.numbers.append(message["msg_seq"])
                    if message["status"] != "forming":
                        self.finals.append((message["stock_id"], told(message)))
                found = message if message["T"] == wanted else found
        return found

    def cut(self) -> None:
        """Break the connection and go on; frames that had come and were not read are lost."""
        self.socket.socket.shutdown(socket.SHUT_RDWR)
        self.socket = open_socket(self._delivery)
        self.until("welcome")
        self.say(op="resume", id=2, conn=self.conn, msg_seq=self.numbers[-1] if self.numbers else 0)
        assert self.until("ack")["conn"] == self.conn


@pytest.mark.timeout(600)
def test_a_client_by_hand_is_numbered_without_a_hole_over_all_its_connections(
    delivery: DeliveryProcess, feed: Feed, long_run: bool, figures: Figures
) -> None:
    cuts = 100 if long_run else 10
    symbols = ["H1", "H2"]
    chain = Chain(delivery, symbols)
    with feed.running(symbols):
        for _ in range(cuts):
            enough = len(chain.finals) + 10
            while len(chain.finals) < enough:
                chain.until("bar")
            chain.cut()
    while len(chain.finals) < sum(len(feed.written[symbol]) for symbol in symbols):
        chain.until("bar")
    chain.socket.close()
    assert chain.numbers == list(range(1, len(chain.numbers) + 1))
    for symbol in symbols:
        assert [final for stock_id, final in chain.finals if stock_id == symbol] == feed.written[symbol]
    figures(f"a client by hand: {cuts} cuts, {len(chain.numbers):,} numbered messages, {len(chain.finals):,} finals, each once")


class Reader(threading.Thread):
    """A client that reads all it is sent; a stalled one begins to when it is told to go on."""

    def __init__(self, delivery: DeliveryProcess, *, stalls: bool) -> None:
        super().__init__(daemon=True)
        self.finals: Counter[tuple[str, Told]] = Counter()
        self.errors: list[tuple[str, int]] = []
        self.closed_with: int | None = None
        self.goes_on = threading.Event()
        raw = socket.socket()
        if stalls:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        else:
            self.goes_on.set()
        host, _, port = delivery.config.delivery.listen.partition(":")
        raw.connect((host, int(port)))
        self._socket = open_socket(delivery, sock=raw, max_size=None, max_queue=1, ping_interval=None)
        channel = {"channel": "bars", "symbols": ["*"], "time_frames": ["1min"]}
        self._socket.send(json.dumps({"op": "subscribe", "id": 1, "channels": [channel]}))
        self.start()

    def run(self) -> None:
        self.goes_on.wait()
        try:
            while True:
                for message in json.loads(self._socket.recv()):
                    if message["T"] == "bar" and message["status"] != "forming":
                        self.finals[message["stock_id"], told(message)] += 1
                    elif message["T"] == "error":
                        self.errors.append((message["code"], message["status"]))
        except ConnectionClosed as closed:
            self.closed_with = closed.rcvd.code if closed.rcvd else None

    def leave(self) -> None:
        self._socket.close()
        self.join()


def test_clients_that_stop_reading_are_cut_and_cost_the_others_nothing(
    delivery: DeliveryProcess, feed: Feed, long_run: bool, figures: Figures
) -> None:
    healthy = [Reader(delivery, stalls=False) for _ in range(32 if long_run else 8)]
    stalled = [Reader(delivery, stalls=True) for _ in range(8 if long_run else 2)]
    padding = {f"Padding{number}": number / 7 for number in range(100)}
    symbols = [f"W{number}" for number in range(40)]
    feed.bars(symbols, 10, results=padding)
    ended = metric(delivery, 'tickloom_delivery_cuts_total{code="slow_client"}')
    wait_until(lambda: metric(delivery, 'tickloom_delivery_cuts_total{code="slow_client"}') == len(stalled), TIMEOUT_S + SLOW_AFTER_S)
    assert ended < len(stalled)
    feed.bars(symbols, 1)
    expected = Counter({(symbol, final): 1 for symbol in symbols for final in feed.written[symbol]})
    for reader in healthy:
        wait_until(lambda reader=reader: reader.finals.total() >= expected.total(), TIMEOUT_S)
        reader.leave()
        assert reader.finals == expected
        assert reader.errors == []
    for reader in stalled:
        reader.goes_on.set()
        reader.join(TIMEOUT_S)
        assert (reader.errors, reader.closed_with) == ([("slow_client", 407)], 1013)
    figures(f"{len(stalled)} clients that stopped reading cut with 407; {len(healthy)} others had {expected.total():,} finals each")


def metric(delivery: DeliveryProcess, name: str) -> float:
    """A counter of the delivery; 0 while it is not there."""
    text = subprocess.run(["curl", "-s", f"{delivery.url}/metrics"], capture_output=True, text=True, check=True).stdout
    return next((float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name)), 0.0)


@pytest.fixture(scope="module")
def curl() -> str:
    return shutil.which("curl") or pytest.skip("curl is not installed; try: apt-get install curl")


def typed_in(delivery: DeliveryProcess, line: str, symbol: str) -> list[str]:
    """A command of the page, for this delivery and a symbol of the test's."""
    return shlex.split(line.replace("127.0.0.1:8080", delivery.config.delivery.listen).replace("AAPL", symbol))


def test_curl_reads_a_table(delivery: DeliveryProcess, feed: Feed, curl: str) -> None:
    feed.bars(["T1"], 8, results={"RSI": None})
    command = typed_in(delivery, CSV, "T1")
    rows: list[dict[str, str]] = []

    def read() -> bool:
        text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=TIMEOUT_S).stdout
        rows[:] = csv.DictReader(io.StringIO(text))
        return [int(row["start_ms"]) for row in rows] == [T0_MS + number * MINUTE_MS for number in range(3, 8)]

    wait_until(read, TIMEOUT_S)
    assert [(row["stock_id"], float(row["close"])) for row in rows] == [("T1", 100.0 + number) for number in range(3, 8)]


def test_curl_takes_events_and_goes_on_behind_the_last_one_it_has_seen(delivery: DeliveryProcess, feed: Feed, curl: str) -> None:
    command = typed_in(delivery, EVENTS, "E1")
    finals: list[Told] = []
    last_id = ""
    for turn in range(3):
        resume = ["-H", f"Last-Event-ID: {last_id}"] if last_id else []
        events = subprocess.Popen([*command, *resume], stdout=subprocess.PIPE, text=True)
        assert events.stdout is not None
        seen = threading.Event()
        for line in events.stdout:
            if not seen.is_set():  # it is there: what comes now is for it
                seen.set()
                feed.bars(["E1"], 3)
            field, _, value = line.rstrip("\n").partition(": ")
            if field == "id":
                last_id = value
            if field == "data":
                finals += [told(message) for message in json.loads(value) if message["T"] == "bar"]
            if not line.strip() and len(finals) == (turn + 1) * 3 + turn * 2:
                break
        events.kill()
        events.wait()
        events.stdout.close()
        if turn < 2:
            feed.bars(["E1"], 2)  # while nobody listens
    assert finals == feed.written["E1"][: len(finals)]
    assert len(finals) == 13
