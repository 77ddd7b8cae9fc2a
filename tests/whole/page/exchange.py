"""The market that the page is looked at with: records of every kind, computed by the core and written as the job does."""

import time
from collections.abc import Sequence
from typing import Any

from confluent_kafka import Producer

from benchmarks.computed_market import ComputedMarket, Trade, past_of
from benchmarks.results_feed import ResultsFeed
from connectors.topics import Topics
from jobs.config import Config
from jobs.simulated_market import Market
from udfs.frames import DAY_MS, HOUR_MS, MINUTE_MS
from udfs.model import Flags, Result

BEHIND_MS = 15 * MINUTE_MS
"""How far the trades are behind the clock, so that a test can let minutes pass."""
SYMBOLS = 20
"""Of a simulated market; those below come on top."""
PAIR, YOUNG, QUIET = "EUR/USD", "NEWCO", "BRK.B"
"""A pair in ten-thousandths; a symbol of a few bars; one with a bar of volume alone. All have something a page may stumble over."""
YOUNG_BARS = 6
REVISED_AGO = 7
"""How many bars ago the symbols of the simulated market have one that was revised."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class TestExchange:
    """Nothing has been traded yet; a test lets happen what it needs."""

    __test__ = False

    def __init__(self, config: Config) -> None:
        self._market = ComputedMarket(config)
        self._feed = ResultsFeed(config.kafka_connection(), "exchange")
        self._clock_ms: dict[str, int] = {}
        self._prices: dict[str, float] = {}
        self._begin_ms = (now_ms() - BEHIND_MS) // MINUTE_MS * MINUTE_MS + 20_000

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self._prices)

    def trade(self, symbol: str, price: float) -> Result:
        """A trade a moment later, its forming bars written; the minute's."""
        self._count(symbol, Trade(self._clock_ms[symbol] + 500, price, 100))
        return self.show(symbol)

    def show(self, symbol: str) -> Result:
        """The forming bars as they stand, written; the minute's."""
        forming = self._market.forming(symbol, now_ms())
        self._feed.forming(forming)
        return _minute(forming)

    def show_all(self) -> None:
        """The forming bars of every symbol: a delivery that has just started knows of none."""
        for symbol in self._prices:
            self.show(symbol)

    def close_minute(self, symbol: str) -> Result:
        """The newest minute ends by a trade in the next one, of which no forming bar is written yet; the minute's final."""
        next_ms = self._clock_ms[symbol] // MINUTE_MS * MINUTE_MS + MINUTE_MS
        return _minute(self._count(symbol, Trade(next_ms + 2_000, self._prices[symbol], 100)))

    def revise(self, symbol: str, price: float, *, minutes_ago: int = 3) -> Result:
        """A late trade becomes the last of a closed minute, and the revisions it leads to are written; that minute's."""
        minute_ms = self._clock_ms[symbol] // MINUTE_MS * MINUTE_MS - minutes_ago * MINUTE_MS
        now = now_ms()
        late = Trade(minute_ms + MINUTE_MS - 1, price, 300)
        said = [*self._market.trade(symbol, [late], now), *self._market.revise(symbol, now)]
        self._feed.finals(said)
        return _minute(said)

    def price(self, symbol: str) -> float:
        """The newest one."""
        return self._prices[symbol]

    def list_symbol(self, symbol: str, bars: int) -> None:
        """A symbol nobody has heard of, with so many minutes closed and one open."""
        begin_ms = self._begin_ms // MINUTE_MS * MINUTE_MS - bars * MINUTE_MS
        self._write(symbol, [Trade(begin_ms + 2_000 + number * 20_000, 50 + number % 4 / 4, 100) for number in range(bars * 3 + 1)])

    def write_past(self) -> None:
        """Days of a trade an hour, then six hours of one each ten seconds; a revision; and the symbols of this module."""
        market = Market(SYMBOLS, seed=4)
        minutes_ms = self._begin_ms // HOUR_MS * HOUR_MS - 6 * HOUR_MS
        spans = [(minutes_ms - 12 * DAY_MS, minutes_ms, HOUR_MS), (minutes_ms, self._begin_ms, 10_000)]
        for number, (symbol, trades) in enumerate(past_of(market, spans)):
            if number == 0:
                self._write(PAIR, [trade._replace(price=round(1.08 * trade.price / trades[0].price, 4)) for trade in trades])
            self._write(symbol, trades if number < 6 else trades[-400:])
            self.revise(symbol, round(self._prices[symbol] * 1.002, 2), minutes_ago=REVISED_AGO)
        self.list_symbol(YOUNG, YOUNG_BARS)
        self._volume_alone()

    def close(self) -> None:
        self._feed.close()

    def _count(self, symbol: str, trade: Trade) -> list[Result]:
        self._clock_ms[symbol], self._prices[symbol] = trade.event_time_ms, trade.price
        said = self._market.trade(symbol, [trade], now_ms())
        self._feed.finals(said)
        return said

    def _volume_alone(self) -> None:
        """Closed minutes of which one has no price."""
        minute_ms = self._begin_ms // MINUTE_MS * MINUTE_MS
        trades = [Trade(minute_ms - number * MINUTE_MS, 412.5 + number / 4, 100) for number in range(40, 0, -1)]
        trades[-5] = trades[-5]._replace(flags=Flags.NO_PRICE)
        self._write(QUIET, [*trades, Trade(self._begin_ms, 411.0, 100)])

    def _write(self, symbol: str, trades: list[Trade]) -> None:
        now = now_ms()
        self._feed.finals(self._market.trade(symbol, trades, now))
        self._clock_ms[symbol], self._prices[symbol] = trades[-1].event_time_ms, trades[-1].price
        self._feed.forming(self._market.forming(symbol, now))


def _minute(results: Sequence[Result]) -> Result:
    """The oldest of a minute among them: of revisions, the bar that the late trade fell into."""
    return next(result for result in results if result.time_frame == "1min")


def write_letters(config: Config, letters: list[bytes]) -> None:
    """Dead letters as another stage wrote them."""
    connection: Any = config.kafka_connection()
    producer = Producer({"bootstrap.servers": connection.bootstrap})
    for letter in letters:
        producer.produce(Topics.of(connection).dead_letters, letter)
    assert producer.flush(30) == 0
