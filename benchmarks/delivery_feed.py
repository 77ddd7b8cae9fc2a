"""A market that is not computed, in a process of its own: forming bars at a steady rate and finals now and then, into the topics.

`python -m benchmarks.delivery_feed SETTINGS SYMBOLS HZ SECONDS` writes a JSON object at its end: finals written, records, and how far
it fell behind. `emitted_ms` of each record is the wall clock at the moment it is handed to the Kafka client.
"""

import sys
import time
from collections.abc import Iterable

import msgspec
import orjson

from benchmarks.results_feed import ResultsFeed
from benchmarks.stack import read_config
from jobs.simulated_market import symbol_names
from udfs.frames import MINUTE_MS
from udfs.indicators.descriptions import describe
from udfs.model import Outputs, Result, Status

FINALS_EVERY_S = 5.0
"""A bar of every symbol closes at once, as minutes do."""
HISTORY_BARS = 300
HISTORY_SYMBOLS_AT_ONCE = 20
_SLOT_S = 0.005


class Bars:
    """Records of every symbol, all indicators in them; bar 0 starts at a whole minute."""

    def __init__(self, settings: dict[str, object], symbols: Iterable[str], begin_ms: int) -> None:
        descriptions = describe(read_config(settings).indicators)
        results: dict[str, Outputs] = {}
        for number, each in enumerate(descriptions):
            values = [101.25 + number / 8 + at / 64 for at in range(max(1, len(each.outputs)))]
            results[each.label] = dict(zip(each.outputs, values, strict=True)) if each.outputs else values[0]
        self._begin_ms = begin_ms
        self._templates = {symbol: _template(symbol, results) for symbol in symbols}

    def of(self, symbol: str, number: int, status: Status) -> Result:
        """The record of bar `number` as it is now."""
        start_ms, now_ms = self._begin_ms + number * MINUTE_MS, time.time_ns() // 1_000_000
        return msgspec.structs.replace(
            self._templates[symbol], start_ms=start_ms, end_ms=start_ms + MINUTE_MS, status=status,
            emitted_ms=now_ms,
            as_of_ms=now_ms if status is Status.FORMING else None, close=100 + now_ms % 1_000 / 100,
            first_ms=start_ms, last_ms=start_ms + 1,
        )  # fmt: skip


def _template(symbol: str, results: dict[str, Outputs]) -> Result:
    return Result(
        v=1, stock_id=symbol, time_frame="1min", start_ms=0, end_ms=0, status=Status.FINAL, run=1, revision=0, emitted_ms=0,
        open=101.25, high=110.5, low=99.75, close=0, volume=12_345, turnover=1_234_567.5, vwap=100.25, trades=321,
        first_ms=0, last_ms=0, complete=True, results=results,
    )  # fmt: skip


def write_history(settings: dict[str, object], symbols: int, begin_ms: int) -> None:
    """`HISTORY_BARS` finals of each symbol, the last one ending at `begin_ms`."""
    names = symbol_names(symbols)
    bars, feed = (
        Bars(settings, names, begin_ms - HISTORY_BARS * MINUTE_MS),
        ResultsFeed(read_config(settings).kafka_connection(), "history"),
    )
    for at in range(0, symbols, HISTORY_SYMBOLS_AT_ONCE):
        some = names[at : at + HISTORY_SYMBOLS_AT_ONCE]
        feed.finals(bars.of(symbol, number, Status.FINAL) for number in range(HISTORY_BARS) for symbol in some)
    feed.close()


class Market:
    """Symbols take turns; each shows its forming bar `hz` times a second."""

    def __init__(self, settings: dict[str, object], symbols: int, hz: float, begin_ms: int) -> None:
        self._names, self._rate = symbol_names(symbols), symbols * hz
        self._bars = Bars(settings, self._names, begin_ms)
        self._feed = ResultsFeed(read_config(settings).kafka_connection(), "market")
        self.shown = self.closed = 0

    def run(self, seconds: float) -> float:
        """Go on for so long; by how many seconds it was behind at worst."""
        begin_s = time.monotonic()
        close_s, worst_s = begin_s + FINALS_EVERY_S, 0.0
        while (now_s := time.monotonic()) < begin_s + seconds:
            due = int((now_s - begin_s) * self._rate)
            worst_s = max(worst_s, (due - self.shown) / self._rate)
            self._feed.forming(self._forming(number) for number in range(self.shown, due))
            self.shown = due
            if now_s >= close_s:
                self._feed.finals(self._bars.of(symbol, self.closed, Status.FINAL) for symbol in self._names)
                self.closed += 1
                close_s += FINALS_EVERY_S
            time.sleep(_SLOT_S)
        self._feed.close()
        return worst_s

    def _forming(self, number: int) -> Result:
        return self._bars.of(self._names[number % len(self._names)], self.closed, Status.FORMING)


def main(settings: str, symbols: str, hz: str, seconds: str, begin_ms: str) -> None:
    market = Market(orjson.loads(settings), int(symbols), float(hz), int(begin_ms))
    behind_s = market.run(float(seconds))
    sys.stdout.buffer.write(orjson.dumps({"shown": market.shown, "closed": market.closed, "behind_ms": behind_s * 1_000}))


if __name__ == "__main__":
    main(*sys.argv[1:])
