"""One run of the benchmark: its stack, its counts, the topics fed so far and the contenders measured on them."""

import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple

from benchmarks.bars_check import expected, verdict, written
from benchmarks.contenders import Contender, run
from benchmarks.market import Market
from benchmarks.peers.environments import NoEnvironment
from benchmarks.processes import ContenderFailed, TooQuick
from benchmarks.stack import Stack, read_config
from connectors.clients import KafkaConnection
from connectors.topics import Topics, TopicSpec, create_topics
from jobs.simulated_market import symbol_names

PARTITIONS = 8
"""Of the topics that peers write to; those they read have as many by default."""
Make = Callable[[Stack, Mapping[str, object]], Contender]


class Fed(NamedTuple):
    """A topic of ticks."""

    settings: Mapping[str, object]
    """What leads to it."""
    records: int


class Measured(NamedTuple):
    """How one contender did; without figures, why."""

    name: str
    computes: str
    ticks_s: float | None
    cpu_us: float | None
    """CPU time a tick in microseconds: as many seconds a million ticks."""
    note: str = ""


class Bench:
    """Feeds each topic once and measures each contender once on it, whatever parts ask. `scale` multiplies the counts."""

    def __init__(self, stack: Stack, symbols: tuple[int, ...], scale: float) -> None:
        self.stack, self.symbols, self.scale = stack, symbols, scale
        self._fed: dict[Market, Fed] = {}
        self._measured: dict[tuple[Make, Market, tuple[tuple[str, object], ...]], Measured] = {}

    def say(self, what: str) -> None:
        """What is being done, for those who wait."""
        sys.stderr.write(f"{what}\n")

    def market(self, symbols: int, minutes: float, ticks_per_record: int = 1) -> Market:
        """A market of so many minutes between four and nine tenths of the way, at scale 1."""
        return Market(symbols, minutes / 0.5 * self.scale, ticks_per_record)

    def feed(self, market: Market) -> Fed:
        """The topic of `market`, written now if it is not there yet."""
        if market not in self._fed:
            self.say(f"feed {market.ticks:,} ticks of {market.symbols:,} symbols, {market.ticks_per_record} a record")
            settings = self.stack.named(f"m{len(self._fed)}")
            self._fed[market] = Fed(settings, market.feed(read_config(settings)))
        return self._fed[market]

    def measure(self, make: Make, market: Market, **more: object) -> Measured:
        """How the contender does on the topic of `market`; `more` are settings of ours, with `__` for the dot."""
        key = (make, market, tuple(sorted(more.items())))
        if key not in self._measured:
            fed = self.feed(market)
            settings = {**fed.settings, **{name.replace("__", "."): value for name, value in more.items()}}
            self._measured[key] = self._run(make, settings, fed, market)
        return self._measured[key]

    def _run(self, make: Make, settings: Mapping[str, object], fed: Fed, market: Market) -> Measured:
        try:
            contender = make(self.stack, settings)
        except NoEnvironment as error:
            return Measured(make.__name__, "", None, None, str(error))
        self.say(f"run {contender.name}")
        connection = read_config(settings).kafka_connection()
        if contender.bars is not None:
            create_topics(connection, [TopicSpec(contender.bars, PARTITIONS, {"message.timestamp.type": "LogAppendTime"})])
        try:
            seen = run(contender, self.stack, fed.records)
        except TooQuick as error:
            return Measured(contender.name, contender.computes, None, None, f"{error}; {_check(connection, contender)}")
        except ContenderFailed as error:
            self.say(f"{contender.name}: {error}")
            return Measured(contender.name, contender.computes, None, None, str(error))
        ticks = market.ticks / fed.records
        figures = seen.records_s * ticks, seen.cpu_s_per_record / ticks * 1e6
        return Measured(contender.name, contender.computes, *figures, _check(connection, contender))


def _check(connection: KafkaConnection, contender: Contender) -> str:
    """Whether the minutes it wrote of the symbol that trades first are right; empty when it writes none."""
    if contender.bars is None:
        return ""
    symbol = symbol_names(1)[0]
    right = expected(connection, Topics(connection.topic_prefix).stock_data, symbol)
    return verdict(right, written(connection, contender.bars, symbol))
