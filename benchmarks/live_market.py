"""Results of a market that trades, in a process of its own: `python -m benchmarks.live_market SETTINGS SYMBOLS HZ HISTORY_MINUTES`.

What the job would write, computed by the core: the past first, then `ready` on stdout, then, until it is ended, a forming record
of each symbol and time frame HZ times a second, finals as minutes end, and a late trade every few seconds.
"""

import sys
import time

import orjson

from benchmarks.computed_market import ComputedMarket, Trade, past_of
from benchmarks.results_feed import ResultsFeed
from benchmarks.stack import read_config
from jobs.simulated_market import Market
from udfs.frames import MINUTE_MS
from udfs.model import Result

LATE_EVERY = 200
"""Trades from one that is late to the next."""
LATE_MS = 3 * MINUTE_MS


class LiveMarket:
    """Trades of `symbols`, each `hz` times a second, event time by the clock."""

    def __init__(self, computed: ComputedMarket, feed: ResultsFeed, symbols: int) -> None:
        self._market = Market(symbols, seed=2)
        self._computed, self._feed = computed, feed
        self._traded = 0

    def write_past(self, minutes: int) -> None:
        """A trade each ten seconds and symbol, up to now."""
        now_ms = _now_ms()
        for symbol, trades in past_of(self._market, [(now_ms - minutes * MINUTE_MS, now_ms, 10_000)]):
            self._feed.finals(self._computed.trade(symbol, trades, now_ms))
            self._feed.forming(self._computed.forming(symbol, now_ms))

    def run(self, hz: float) -> None:
        """Without end."""
        begun_s, due = time.monotonic(), 0
        for trades in self._market.trades(_now_ms(), hz * len(self._market.symbols)):
            for index, price, size in zip(trades.symbols.tolist(), (trades.prices / 100).tolist(), trades.sizes.tolist(), strict=True):
                due += 1
                if (ahead_s := begun_s + due / (hz * len(self._market.symbols)) - time.monotonic()) > 0:
                    time.sleep(ahead_s)
                self._trade(self._market.symbols[index], price, size)

    def _trade(self, symbol: str, price: float, size: float) -> None:
        now_ms = _now_ms()
        self._traded += 1
        late = self._traded % LATE_EVERY == 0
        said: list[Result] = self._computed.trade(symbol, [Trade(now_ms - LATE_MS if late else now_ms, price, size)], now_ms)
        if late:
            said += self._computed.revise(symbol, now_ms)
        if said:
            self._feed.finals(said)
        self._feed.forming(self._computed.forming(symbol, now_ms))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def main(settings: str, symbols: str, hz: str, minutes: str) -> None:
    config = read_config(orjson.loads(settings))
    market = LiveMarket(ComputedMarket(config), ResultsFeed(config.kafka_connection(), "live-market"), int(symbols))
    market.write_past(int(minutes))
    print("ready", flush=True)
    market.run(float(hz))


if __name__ == "__main__":
    main(*sys.argv[1:])
