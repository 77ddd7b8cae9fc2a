"""A simulated exchange, deterministic from a seed: history at full speed, then trades as they happen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice, takewhile
from typing import NamedTuple

from connectors.tick_codec import encode_tick
from jobs.feed_records import Arrival, Coalescing, Heartbeat, Item, Record, to_records
from jobs.simulated_faults import Disturbance, FaultCounts, Faults
from jobs.simulated_market import Market, Trades
from udfs.frames import DAY_MS, HOUR_MS, MINUTE_MS

SOURCE = "simulate"
"""What the ticks name as their source."""


class Stretch(NamedTuple):
    """A part of the history: so long, with a tick of every symbol each so many ms."""

    lasts_ms: int
    every_ms: int


HISTORY = (
    Stretch(40 * DAY_MS, 4 * HOUR_MS),
    Stretch(30 * HOUR_MS, 5 * MINUTE_MS),
    Stretch(4 * HOUR_MS, MINUTE_MS),
    Stretch(2 * HOUR_MS, 10_000),
)
"""Oldest first, denser towards the start: days enough for each daily indicator, candles worth looking at in the frames one looks at."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """What is asked of the exchange. The same simulation from the same moment gives the same bytes."""

    symbols: int = 200
    seed: int = 1
    rate: float = 2_000.0
    """Ticks a second of event time, all symbols together."""
    skew: float = 1.0
    """How many times as often the first symbol trades as the last."""
    ticks: int | None = None
    """Trades after the history; without it and without `duration_ms` there is no end."""
    duration_ms: int | None = None
    """Event time after the history."""
    stretches: tuple[Stretch, ...] = HISTORY
    """The history. Its last stretch goes on through the hour that has begun, up to the start."""
    coalescing: Coalescing = field(default_factory=Coalescing.live)
    """Of the trades; a record of history holds a symbol's ticks of one day or one hour."""
    faults: Faults = field(default_factory=Faults)


class Exchange:
    """The simulated exchange: call `history` first (or not at all), then `trades`, each once."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._market = Market(simulation.symbols, simulation.seed, simulation.skew)
        self._disturbance = Disturbance(simulation.faults, simulation.seed)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols traded; the first trades most."""
        return self._market.symbols

    @property
    def counts(self) -> FaultCounts:
        """What `trades` has sent so far (history is not counted)."""
        return self._disturbance.counts

    def go_on_from(self, prices: Mapping[str, float]) -> None:
        """Let symbols trade on from the prices they had; those not named begin at their own."""
        self._market.settle(prices)

    def history(self, now_ms: int, after_ms: int = 0) -> Iterator[Item]:
        """Ticks of every symbol after `after_ms` and up to `now_ms`, event time of all symbols moving forward together.

        A round is a UTC day, later an hour; in it each symbol gives one record, and a heartbeat ends it. So no symbol
        is ever ahead of another by a bar's end, and a job that reads it closes each bar once.
        """
        hour_ms = _floor(now_ms, HOUR_MS)
        from_ms = hour_ms - sum(stretch.lasts_ms for stretch in self._simulation.stretches)
        for lasts_ms, every_ms in self._simulation.stretches:
            stretch_until_ms = from_ms + lasts_ms
            end_ms = now_ms if stretch_until_ms == hour_ms else stretch_until_ms
            for round_ms, until_ms in _rounds(max(from_ms, after_ms + 1), end_ms, DAY_MS if every_ms >= HOUR_MS else HOUR_MS):
                yield from self._round(round_ms, until_ms, every_ms)
            from_ms = stretch_until_ms

    def trades(self, start_ms: int) -> Iterator[Item]:
        """The trades from `start_ms` on with the faults asked for, as records and heartbeats."""
        ticks = islice(self._ticks(start_ms), self._simulation.ticks)
        if self._simulation.duration_ms is not None:
            end_ms = start_ms + self._simulation.duration_ms
            ticks = takewhile(lambda tick: tick.arrival_ms < end_ms, ticks)  # type: ignore[assignment]
        return to_records(self._disturbance.disturb(ticks), self._simulation.coalescing)

    def _round(self, start_ms: int, until_ms: int, cell_ms: int) -> Iterator[Item]:
        """One record a symbol, with a tick in each cell of [start_ms, until_ms) that is as large as the trades it stands for."""
        trades, newest_ms = self._market.grid(start_ms, until_ms, cell_ms), start_ms
        trades_a_cell = max(1, round(self._simulation.rate / len(self.symbols) * cell_ms / 1_000))
        for symbol, row in zip(self.symbols, self._rows(trades._replace(sizes=trades.sizes * trades_a_cell)), strict=True):
            symbol_ms = row[-1][0]
            newest_ms = max(newest_ms, symbol_ms)
            yield Record(symbol_ms, symbol, [line for _, line in row], symbol_ms)
        yield Heartbeat(newest_ms, newest_ms)

    def _rows(self, trades: Trades) -> Iterator[list[tuple[int, bytes]]]:
        columns = zip(*(column.tolist() for column in (trades.prices / 100, trades.sizes, trades.event_times_ms, trades.seqs)), strict=True)
        for symbol, (prices, sizes, times, seqs) in zip(self.symbols, columns, strict=True):
            row = zip(prices, sizes, times, seqs, strict=True)
            yield [(time, encode_tick(symbol, price, size, time, seq=seq, source=SOURCE)) for price, size, time, seq in row]

    def _ticks(self, start_ms: int) -> Iterator[Arrival]:
        blocks = self._market.trades(start_ms, self._simulation.rate)
        return chain.from_iterable(map(self._arrivals, blocks))

    def _arrivals(self, trades: Trades) -> Iterator[Arrival]:
        columns = (trades.symbols, trades.prices / 100, trades.sizes, trades.event_times_ms, trades.seqs)
        for index, price, size, time, seq in zip(*(column.tolist() for column in columns), strict=True):
            symbol = self.symbols[index]
            yield Arrival(time, symbol, encode_tick(symbol, price, size, time, seq=seq, source=SOURCE), time)


def _rounds(start_ms: int, end_ms: int, length_ms: int) -> Iterator[tuple[int, int]]:
    """[start, end) cut at multiples of `length_ms`."""
    while start_ms < end_ms:
        until_ms = min(_floor(start_ms, length_ms) + length_ms, end_ms)
        yield start_ms, until_ms
        start_ms = until_ms


def _floor(time_ms: int, length_ms: int) -> int:
    return time_ms - time_ms % length_ms
