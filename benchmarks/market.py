"""Topics of simulated ticks, each as a measurement needs it."""

from dataclasses import dataclass

from benchmarks.stack import make_topics
from connectors.kafka_publisher import KafkaPublisher
from jobs.config import Config
from jobs.feed import Sent, WallClock, send
from jobs.feed_records import Coalescing, Record
from jobs.simulate import Exchange, Simulation


@dataclass(frozen=True, slots=True)
class Market:
    """Ticks of `symbols` that trade equally often, over `minutes` of event time that end about now."""

    symbols: int
    minutes: float
    ticks_per_record: int = 1
    ticks_per_bar: int = 240
    """Ticks of a symbol in a minute: what a minute's close is shared among."""

    @property
    def ticks(self) -> int:
        """How many there are."""
        return round(self.symbols * self.minutes * self.ticks_per_bar)

    def feed(self, config: Config) -> int:
        """Write the ticks at full speed; returns the number of records.

        There are no heartbeats: not every contender takes a record without a value, and with an end in sight none is needed.
        """
        make_topics(config)
        coalescing = Coalescing.full_speed(self.ticks_per_record)
        rate = self.symbols * self.ticks_per_bar / 60
        exchange = Exchange(Simulation(symbols=self.symbols, seed=1, rate=rate, ticks=self.ticks, coalescing=coalescing))
        publisher, clock, sent = KafkaPublisher(config.kafka_connection()), WallClock(), Sent()
        start_ms = clock.now_ms() - int(self.minutes * 66_000) - 60_000
        send((item for item in exchange.trades(start_ms) if isinstance(item, Record)), publisher, clock, sent)
        publisher.close()
        return sent.records
