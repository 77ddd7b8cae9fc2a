"""What the tests of this folder need of the session's broker."""

from typing import Protocol

from connectors.clients import KafkaConnection
from connectors.topics import Topics, TopicSpec, create_topics, topic_specs


class Broker(Protocol):
    """The part of the `broker` fixture that is used here."""

    @property
    def bootstrap(self) -> str: ...


def specs_of(prefix: str, partitions: int = 3, max_future_ms: int = 5_000, indicator_results_bytes: int = 1 << 30) -> tuple[TopicSpec, ...]:
    return topic_specs(
        Topics(prefix),
        partitions=partitions,
        stock_data_bytes=3 << 30,
        indicator_results_bytes=indicator_results_bytes,
        max_future_ms=max_future_ms,
    )


def connection_with_topics(broker: Broker, prefix: str) -> KafkaConnection:
    """A connection to topics of their own: three partitions of ticks."""
    connection = KafkaConnection(broker.bootstrap, topic_prefix=prefix)
    assert not create_topics(connection, specs_of(prefix)).differences
    return connection
