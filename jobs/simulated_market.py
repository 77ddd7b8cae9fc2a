"""The numbers of a simulated exchange: symbols, prices that walk, sizes that follow the day. Drawn from one seed."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.frames import DAY_MS

BLOCK = 2048
"""Trades drawn at once by `Market.trades`; the same for every rate, so that a seed always gives the same numbers."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_KNOWN_NAMES = (
    "AAPL MSFT NVDA AMZN GOOGL META TSLA AVGO JPM LLY V XOM UNH MA COST HD PG WMT NFLX JNJ ABBV BAC CRM ORCL CVX KO AMD PEP TMO ADBE "
    "MRK CSCO ACN LIN MCD ABT WFC IBM GE DIS QCOM TXN INTU VZ CAT AMGN NOW PFE GS SPY QQQ IWM GLD BRK.B"
)
_KNOWN = tuple(_KNOWN_NAMES.split())
_CONSONANTS = "BCDFGHJKLMNPRSTVWZ"
_VOWELS = "AEIOU"


class Trades(NamedTuple):
    """Trades as columns of equal shape. Which symbol a trade is of depends on the shape: see the method that made it."""

    symbols: Ints
    """Index into `Market.symbols`."""
    prices: Floats
    """Whole cents."""
    sizes: Ints
    """Round lots of 100."""
    event_times_ms: Ints
    seqs: Ints


def symbol_names(count: int) -> tuple[str, ...]:
    """`count` distinct tickers, always the same: well-known ones and made-up ones in turn, 50 of the former at most."""
    known, made_up = iter(_KNOWN), _made_up_names()
    names: list[str] = []
    while len(names) < count:
        name = next(known, None) if len(names) % 2 == 0 else None
        names.append(name or next(name for name in made_up if name not in _KNOWN))
    return tuple(names)


def _made_up_names() -> Iterator[str]:
    syllables = [consonant + vowel for consonant in _CONSONANTS for vowel in _VOWELS]
    pairs = len(syllables) ** 2
    number = 1
    while True:
        # A step coprime to 8100 visits every pair of syllables once, far from alphabetical order.
        first, second = divmod(number * 2_659 % pairs, len(syllables))
        lap = number // pairs
        yield syllables[first] + syllables[second] + (f".{lap}" if lap else "")
        number += 1


class Market:
    """Symbols whose log prices are random walks, each with its own level and volatility. One seed, one history.

    `skew` is how many times as often the first symbol trades as the last (geometric in between). Prices have a tick
    size of a cent and bounce by one around the walk; sizes are larger at both ends of the UTC day.
    """

    def __init__(self, symbols: int = 200, seed: int = 1, skew: float = 1.0) -> None:
        self.symbols = symbol_names(symbols)
        self._rng = np.random.default_rng(seed)
        self._log_prices: Floats = np.log(np.clip(self._rng.lognormal(4.2, 0.9, symbols), 3.0, 3_000.0))
        self._daily_volatility: Floats = self._rng.uniform(0.008, 0.035, symbols)
        self._seqs: Ints = np.zeros(symbols, dtype=np.int64)
        weights = skew ** -np.linspace(0.0, 1.0, symbols) if symbols > 1 else np.ones(1)
        self._weights: Floats = weights / weights.sum()

    def settle(self, prices: Mapping[str, float]) -> None:
        """Let the walks of the symbols in `prices` go on from there."""
        for index, symbol in enumerate(self.symbols):
            if symbol in prices:
                self._log_prices[index] = np.log(prices[symbol])

    def grid(self, start_ms: int, until_ms: int, cell_ms: int) -> Trades:
        """One trade of every symbol in each cell of [start, until), at any moment of it. A row is a symbol, oldest first."""
        starts = np.arange(start_ms, until_ms, cell_ms, dtype=np.int64)
        shape = (len(self.symbols), len(starts))
        times = starts + self._rng.integers(0, np.minimum(cell_ms, until_ms - starts), shape)
        steps = self._rng.standard_normal(shape) * (self._daily_volatility * np.sqrt(cell_ms / DAY_MS))[:, None]
        walks = self._log_prices[:, None] + np.cumsum(steps, axis=1)
        seqs = self._seqs[:, None] + np.arange(len(starts), dtype=np.int64)
        self._log_prices = walks[:, -1].copy()
        self._seqs += len(starts)
        rows = np.broadcast_to(np.arange(shape[0], dtype=np.int64)[:, None], shape)
        return Trades(rows, self._cents(walks), self._lots(times), times, seqs)

    def trades(self, start_ms: int, rate: float) -> Iterator[Trades]:
        """Trades from `start_ms` on, `rate` a second on average (a Poisson process), without end, a block at a time."""
        clock = float(start_ms)
        steps = self._daily_volatility * np.sqrt(1_000 / (rate * self._weights * DAY_MS))
        shares = np.cumsum(self._weights)
        while True:
            times = clock + np.cumsum(self._rng.exponential(1_000 / rate, BLOCK))
            clock = float(times[-1])
            symbols = np.minimum(np.searchsorted(shares, self._rng.random(BLOCK), side="right"), len(shares) - 1).astype(np.int64)
            yield self._walk(symbols, times.astype(np.int64), steps)

    def _walk(self, symbols: Ints, times: Ints, steps: Floats) -> Trades:
        """Move each symbol's price once a trade. Computed in the order (symbol, time), given in the order of time."""
        order = np.argsort(symbols, kind="stable")
        grouped = symbols[order]
        moves = np.cumsum(self._rng.standard_normal(BLOCK) * steps[grouped])
        names, firsts, counts = np.unique(grouped, return_index=True, return_counts=True)
        before = np.where(firsts > 0, moves[firsts - 1], 0.0)
        walks, seqs = np.empty(BLOCK), np.empty(BLOCK, dtype=np.int64)
        walks[order] = self._log_prices[grouped] + moves - np.repeat(before, counts)
        seqs[order] = self._seqs[grouped] + np.arange(BLOCK) - np.repeat(firsts, counts)
        self._log_prices[names] += moves[firsts + counts - 1] - before
        self._seqs[names] += counts
        return Trades(symbols, self._cents(walks), self._lots(times), times, seqs)

    def _cents(self, walks: Floats) -> Floats:
        bounce = self._rng.integers(-1, 2, walks.shape)
        cents: Floats = np.maximum(np.rint(np.exp(walks) * 100) + bounce, 1.0)
        return cents

    def _lots(self, times: Ints) -> Ints:
        of_day = (times % DAY_MS) / DAY_MS
        day_shape = 0.4 + 2.4 * (2 * of_day - 1) ** 2
        lots = np.rint(self._rng.lognormal(0.5, 0.8, times.shape) * day_shape)
        sizes: Ints = 100 * np.maximum(lots, 1).astype(np.int64)
        return sizes
