"""What a job would say of a market, computed by the core in this process: for what reads results and needs no Flink."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from benchmarks.peers.plain_loop import PickledStore
from connectors.numbers import to_units
from jobs.config import Config
from jobs.dataflow import rules
from jobs.simulated_market import Market
from udfs.frames import NS_PER_MS
from udfs.model import Flags, Result, Tick
from udfs.outcome import Outcome
from udfs.state_layout import Hot
from udfs.symbol_state import SymbolState


class Trade(NamedTuple):
    """A trade as a tape has it."""

    event_time_ms: int
    price: float
    size: float
    flags: Flags = Flags.NONE


class _Symbol:
    """What is kept of one symbol between two calls."""

    def __init__(self) -> None:
        self.store = PickledStore()
        self.hot: Hot | None = None
        self.offset = 0


class ComputedMarket:
    """Trades in, results out. Bars close by their own symbol's trades: there is no watermark here."""

    def __init__(self, config: Config, run: int = 1) -> None:
        made = rules(config)
        self._core, self._scales = SymbolState(made, run), made.scales
        self._symbols: dict[str, _Symbol] = {}

    def trade(self, symbol: str, trades: Iterable[Trade], now_ms: int) -> list[Result]:
        """Count trades in the order given; the finals, and the revisions that had to come before them."""
        kept, outcome = self._symbols.setdefault(symbol, _Symbol()), Outcome()
        for trade in trades:
            tick = self._tick(trade, kept.offset)
            kept.offset += 1
            kept.hot = self._core.on_ticks(kept.store, symbol, [tick], trade.event_time_ms, 0, now_ms, outcome, kept.hot)
        return outcome.results

    def revise(self, symbol: str, now_ms: int) -> list[Result]:
        """What late trades changed, said without waiting for the revision interval."""
        kept, outcome = self._symbols[symbol], Outcome()
        if kept.hot is not None:
            self._core.on_processing_timer(kept.store, symbol, max(now_ms, kept.hot.revise_at_ms), outcome, kept.hot)
        return outcome.results

    def forming(self, symbol: str, now_ms: int) -> list[Result]:
        """The open bar of each time frame as it stands."""
        kept = self._symbols[symbol]
        return self._core.forming(kept.store, symbol, kept.hot, now_ms)

    def _tick(self, trade: Trade, offset: int) -> Tick:
        price, _ = to_units(trade.price, self._scales.price_decimals)
        size, _ = to_units(trade.size, self._scales.size_decimals)
        return Tick(trade.event_time_ms * NS_PER_MS, price, size, int(trade.flags), offset=offset)


def past_of(market: Market, spans: Sequence[tuple[int, int, int]]) -> Iterator[tuple[str, list[Trade]]]:
    """(symbol, its trades, oldest first) of each symbol over `spans` of (start, until, one trade each so many ms)."""
    grids = [market.grid(*span) for span in spans]
    for row, symbol in enumerate(market.symbols):
        columns = [(grid.event_times_ms[row].tolist(), (grid.prices[row] / 100).tolist(), grid.sizes[row].tolist()) for grid in grids]
        yield symbol, [Trade(*values) for column in columns for values in zip(*column, strict=True)]
