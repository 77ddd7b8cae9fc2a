"""Numbered bars of some symbols, written into the topics as a job would; what was written is what clients must be told."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from benchmarks.results_feed import ResultsFeed
from connectors.clients import KafkaConnection
from tests.connectors.client.results.records import record
from udfs.model import Result

EVERY_S = 0.01
Told = tuple[int, int]
"""(number of the bar, revision)."""


class Feed:
    """Symbols of a test's own; each has bars from 0 on."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._feed = ResultsFeed(connection, "results-feed")
        self.written: defaultdict[str, list[Told]] = defaultdict(list)
        """By symbol, in order."""
        self._bars: defaultdict[str, int] = defaultdict(int)

    def bars(self, symbols: Sequence[str], count: int = 1, **more: object) -> None:
        """The next `count` bars of each symbol, final; and the forming one after them."""
        for _ in range(count):
            self._finals([record(self._bars[symbol], stock_id=symbol, **more) for symbol in symbols])
            for symbol in symbols:
                self.written[symbol].append((self._bars[symbol], 0))
                self._bars[symbol] += 1
        self.forming(symbols, **more)

    def forming(self, symbols: Sequence[str], **more: object) -> None:
        """The bar that is open of each symbol."""
        records = [record(self._bars[symbol], stock_id=symbol, status="forming", as_of_ms=self._bars[symbol], **more) for symbol in symbols]
        self._feed.forming(msgspec.convert(records, list[Result]))

    def revise(self, symbol: str, back: int, revision: int, **more: object) -> None:
        """A bar again, `back` bars ago."""
        number = self._bars[symbol] - 1 - back
        self._finals([record(number, revision, symbol, **more)])
        self.written[symbol].append((number, revision))

    @contextmanager
    def running(self, symbols: Sequence[str], **more: object) -> Iterator[None]:
        """Bars and revisions one after the other until the block ends."""
        stopped = threading.Event()

        def run() -> None:
            while not stopped.wait(EVERY_S):
                self.bars(symbols, **more)
                self.revise(symbols[0], back=0, revision=1, **more)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def close(self) -> None:
        self._feed.close()

    def _finals(self, records: list[dict[str, object]]) -> None:
        self._feed.finals(msgspec.convert(records, list[Result]))
