"""The gateway killed again and again under load: what a client had acknowledged is there, and counts once."""

import threading
import time
from collections import Counter

import pytest

from connectors.client.plain import TickClient
from tests.conftest import Figures
from tests.connectors.gateway.running import lines_of, wait_until
from tests.whole.conftest import MakeStack
from tests.whole.gateway import GatewayProcess
from tests.whole.stack import Record

START_MS = 1_793_629_800_000
"""2026-11-02T14:30Z."""
MINUTE_MS = 60_000
STEP_MS = 2
"""Event time from one tick to the next."""
SYMBOLS = 20
BUFFER_BYTES = 1024 * 1024
"""Of the client: some 10,000 ticks, 20 s of event time, far less than `ticks.deduplicate_window`."""
MORE = 3_000
"""Ticks that are acknowledged between two kills, at least."""


class Feed(threading.Thread):
    """Numbered ticks of some symbols in turn, some 20,000 a second, until it is told to stop."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.client = TickClient(address, client="feed", replay=True, buffer_bytes=BUFFER_BYTES)
        self.client.connect(60)
        self.sent = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.is_set():
            for number in range(self.sent, self.sent + 200):
                self.client.send(f"S{number % SYMBOLS}", 100 + number % 97 / 10, 1 + number % 5, START_MS + number * STEP_MS)
            self.sent += 200
            time.sleep(0.01)

    def go_on(self) -> None:
        """Wait until some more are acknowledged."""
        enough = self.client.acked + MORE
        wait_until(lambda: self.client.acked > enough, 60)


@pytest.mark.timeout(1_200)
def test_killed_under_load_it_loses_nothing_that_was_acknowledged_and_nothing_counts_twice(
    make_stack: MakeStack, long_run: bool, figures: Figures
) -> None:
    kills = 20 if long_run else 3
    stack = make_stack("kills", kafka__partitions=3, bars__time_frames="1min")
    job = stack.start()
    gateway = GatewayProcess(stack.options, stack.folder / "gateway.log")
    try:
        gateway.wait_until_it_listens()
        feed = Feed("{}:{}".format(*gateway.address))
        feed.start()
        for _ in range(kills):
            feed.go_on()
            gateway.kill()
            gateway.launch()
            gateway.wait_until_it_listens()
        feed.go_on()
        feed.stopped.set()
        feed.join(60)
        feed.client.close(60)
    finally:
        gateway.kill()
    assert (feed.client.acked, feed.client.connects) == (feed.sent, kills + 1)

    there = [(line["stock_id"], line["seq"]) for line in lines_of(stack.records("stock_data"))]
    assert set(there) == {(f"S{number % SYMBOLS}", number // SYMBOLS) for number in range(feed.sent)}
    figures(f"gateway: {kills} kills, {feed.sent:,} ticks, none missing, {len(there) - feed.sent:,} of them twice in the topic")

    last_ms = START_MS + feed.sent * STEP_MS
    stack.publish([Record(b"", None, last_ms + 2 * MINUTE_MS, partition) for partition in range(3)])
    code, report = stack.verify("--wait", "120")
    assert (code, report["differences"], report["behind"]) == (0, [], 0)
    assert report["counts"].get("duplicates", 0) == len(there) - feed.sent
    results = stack.results()
    said = Counter((each["stock_id"], each["start_ms"], each["run"], each["revision"]) for each in results)
    assert [each for each, times in said.items() if times > 1] == []
    assert {bar: each["volume"] for bar, each in stack.newest().items()} == volumes(feed.sent)
    stack.must_not_have_failed(str(job.get_job_id()))
    job.cancel().result()


def volumes(sent: int) -> dict[tuple[str, str, int], int]:
    """(symbol, frame, start) -> the volume of its minute, by what was sent."""
    counted: Counter[tuple[str, str, int]] = Counter()
    for number in range(sent):
        time_ms = START_MS + number * STEP_MS
        counted[f"S{number % SYMBOLS}", "1min", time_ms - time_ms % MINUTE_MS] += 1 + number % 5
    return dict(counted)
