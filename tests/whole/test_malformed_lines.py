"""Malformed lines and good ones, one to one, from the socket to the results: each is accounted for, and good ticks are unharmed."""

import json
import random
from base64 import b64decode
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import Figures
from tests.connectors.gateway.malformed import malformed_lines
from tests.connectors.gateway.running import Socket
from tests.whole.conftest import MakeStack
from tests.whole.gateway import GatewayProcess
from tests.whole.stack import Stack

FEEDS = 4
LINES = {False: 20_000, True: 2_000_000}
"""Half of them malformed; the longer run has the million."""
WARM_UP = 0.2
"""Of the lines: what the gateway's memory is compared with."""
GROWTH = {False: 1.25, True: 1.05}
MAX_LINE = 16_384
START_MS = 1_793_629_800_000
"""2026-11-02T14:30Z."""
STEP_MS = 20
MINUTE_MS = 60_000
GOOD = b'{"stock_id": "G'
"""How good lines begin, and no malformed one does."""


class Feed:
    """One connection, its lines, and what the good ones among them add up to."""

    def __init__(self, number: int, count: int) -> None:
        self.name = f"feed-{number}"
        self.lines: list[bytes] = []
        self.good: dict[str, list[int]] = defaultdict(list)
        """Symbol -> numbers of its good ticks, in order."""
        self.volumes: Counter[tuple[str, str, int]] = Counter()
        """(symbol, frame, start) -> the volume of its minute."""
        self._sent = 0
        draw, bad = random.Random(number), malformed_lines(number, START_MS)
        for seq in range(count):
            self.lines.append(self._good(f"G{number}-{seq % 5}", seq) if draw.random() < 0.5 else next(bad))

    def _good(self, symbol: str, seq: int) -> bytes:
        time_ms = START_MS + seq * STEP_MS
        self.good[symbol].append(seq)
        self.volumes[symbol, "1min", time_ms - time_ms % MINUTE_MS] += 1 + seq % 7
        return json.dumps({"stock_id": symbol, "price": 100, "size": 1 + seq % 7, "event_time_ms": time_ms, "seq": seq}).encode()

    def connect(self, address: tuple[str, int]) -> None:
        self._socket = Socket(address, b'{"op":"hello","client":"%s","replay":true}' % self.name.encode())

    def push(self, share: float) -> dict[str, Any]:
        """Send until such a share of the lines is sent; the ack of them all."""
        until = int(len(self.lines) * share)
        for at in range(self._sent, until, 1_000):
            self._socket.send(*self.lines[at : min(at + 1_000, until)])
        self._sent = until
        return self._socket.hear_ack(until)


@pytest.mark.timeout(1_800)
def test_each_line_is_accounted_for_from_the_socket_to_the_results(make_stack: MakeStack, long_run: bool, figures: Figures) -> None:
    stack = make_stack("ledger", kafka__partitions=3, bars__time_frames="1min")
    feeds = [Feed(number, LINES[long_run] // FEEDS) for number in range(FEEDS)]
    acks, memory = pushed(stack, feeds)
    figures(f"gateway: {LINES[long_run]:,} lines, half of them malformed; the gateway's memory after a fifth and after all: {memory} MiB")
    assert memory[1] <= memory[0] * GROWTH[long_run]
    letters = [letter for record in stack.records("dead_letters") if "client" in (letter := json.loads(record.value))]
    assert {feed.name: ack["bad"] for feed, ack in zip(feeds, acks, strict=True)} == Counter(letter["client"] for letter in letters)
    assert_letters_are_of_bad_lines(feeds, letters)

    published = [json.loads(line) for record in stack.records("stock_data") for line in record.value.split(b"\n")]
    assert len(published) + len(letters) == LINES[long_run]
    assert_good_ticks_are_there_once_and_in_order(feeds, published)

    stack.compute()
    code, report = stack.verify()
    assert (code, report["differences"]) == (0, [])
    counts, refused = Counter(report["counts"]), sum(report["dead_letters"].values())
    assert counts["lines"] == len(published) == counts["counted"] + counts["duplicates"] + counts["frame_copies"] + refused
    assert len(stack.records("dead_letters")) == len(letters) + refused
    expected = {bar: volume for feed in feeds for bar, volume in feed.volumes.items()}
    symbols = {symbol for symbol, _, _ in expected}
    assert {bar: each["volume"] for bar, each in stack.newest().items() if bar[0] in symbols} == expected


def pushed(stack: Stack, feeds: list[Feed]) -> tuple[list[dict[str, Any]], list[int]]:
    """Every line through a gateway: the last ack of each feed; the gateway's memory after the warm-up and at the end, in MiB."""
    gateway = GatewayProcess(stack.options, stack.folder / "gateway.log")
    try:
        gateway.wait_until_it_listens()
        for feed in feeds:
            feed.connect(gateway.address)
        memory = []
        with ThreadPoolExecutor(FEEDS) as pool:
            for share in (WARM_UP, 1.0):
                acks = list(pool.map(Feed.push, feeds, [share] * FEEDS))
                memory.append(round(gateway.memory / 2**20))
        assert gateway.terminate()[0] == 0
    finally:
        gateway.kill()
    return acks, memory


def assert_letters_are_of_bad_lines(feeds: list[Feed], letters: list[dict[str, Any]]) -> None:
    """Each is about one line, has its bytes, and no line has two; no good line has any."""
    lines = {feed.name: feed.lines for feed in feeds}
    places = Counter((letter["client"], letter["line"]) for letter in letters)
    assert [place for place, times in places.items() if times > 1] == []
    wrong = [letter for letter in letters if b64decode(letter["original"]) != lines[letter["client"]][letter["line"]][:MAX_LINE]]
    assert wrong == []
    assert [letter for letter in letters if lines[letter["client"]][letter["line"]].startswith(GOOD)] == []


def assert_good_ticks_are_there_once_and_in_order(feeds: list[Feed], published: list[dict[str, Any]]) -> None:
    seqs = defaultdict(list)
    for line in published:
        seqs[line.get("source"), line.get("stock_id")].append(line.get("seq"))
    for feed in feeds:
        for symbol, expected in feed.good.items():
            assert seqs[feed.name, symbol] == expected
