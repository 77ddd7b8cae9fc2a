"""Where an earlier feed left the ticks: so that a simulation started again goes on from there."""

from dataclasses import dataclass, field

from connectors.clients import KafkaConnection
from connectors.consumer import begin_offsets, end_offsets, read_topic
from connectors.tick_lines import parse_tick_line
from connectors.topics import Topics

LOOK_BACK = 2_000
"""Records of each partition that are looked at for last prices."""


@dataclass(slots=True)
class Past:
    """What the end of a ticks topic says."""

    newest_ms: int = 0
    """The newest record timestamp; 0 when there is no record."""
    prices: dict[str, float] = field(default_factory=dict)
    """Symbol -> its last price, for symbols that traded lately."""

    def add(self, timestamp_ms: int, value: bytes | None) -> None:
        """Take in one record, older ones first."""
        self.newest_ms = max(self.newest_ms, timestamp_ms)
        if not value:
            return
        try:
            tick = parse_tick_line(value.rpartition(b"\n")[2])
        except ValueError:  # a bad line says nothing of prices
            return
        if tick.stock_id is not None and tick.price is not None and tick.price > 0:
            self.prices[tick.stock_id] = tick.price


def read_past(connection: KafkaConnection) -> Past:
    """Read the end of `stock_data`. Raises KafkaUnreachable, TopicMissing, ConsumeError."""
    topic = Topics.of(connection).stock_data
    begins = begin_offsets(connection, topic)
    starts = {partition: max(begins[partition], end - LOOK_BACK) for partition, end in end_offsets(connection, topic).items()}
    past = Past()
    for record in read_topic(connection, topic, from_offsets=starts):
        past.add(record.timestamp_ms, record.value)
    return past
