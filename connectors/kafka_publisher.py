"""Ticks straight into Kafka: the publisher of feeds that run without a gateway."""

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connectors.clients import KafkaConnection, librdkafka_options
from connectors.errors import PublishError
from connectors.topic_metadata import QUIET, TIMEOUT_S, partitions_of
from connectors.topics import Topics

POLL_EVERY = 1_000
"""Records between two looks at what the broker has refused."""
WAIT_S = 0.05
BEGIN_MS = 1
"""The oldest timestamp a record can be given: to the client, 0 means now."""


class KafkaPublisher:
    """Publishes to `stock_data` of a connection: durable on every replica in sync, once, in order within a symbol.

    Implements `connectors.publisher.Publisher`. Not to be shared by threads. Memory is bounded by `buffer_bytes`: while
    it is full, `publish` waits. A record that is not durable within `delivery_timeout_s` counts as refused, and after a
    refusal nothing more is taken. Raises KafkaUnreachable when no broker answers within `reach_timeout_s`, TopicMissing.
    """

    def __init__(
        self,
        connection: KafkaConnection,
        *,
        linger_ms: float = 5.0,
        buffer_bytes: int = 64 * 1024 * 1024,
        delivery_timeout_s: float = 120.0,
        reach_timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._topic = Topics.of(connection).stock_data
        self._first_refusal: KafkaError | None = None
        self._refused = 0
        self._since_poll = 0
        self._producer = Producer(
            {
                **librdkafka_options(connection),
                **QUIET,
                "acks": "all",
                "enable.idempotence": True,
                # One request at a time: when a fresh leader refuses the first batch of a producer and takes a later one
                # that was under way, the first, sent again, passes for a repeat and is lost without an error.
                "max.in.flight.requests.per.connection": 1,
                "partitioner": "murmur2_random",  # as Java and kafka-python: a symbol has one partition whoever writes it
                "compression.type": "lz4",
                "linger.ms": linger_ms,
                "batch.num.messages": 100_000,
                "batch.size": 128 * 1024,  # a consumer takes whole batches: small ones let it read partitions in turn
                "queue.buffering.max.messages": 1_000_000,
                "queue.buffering.max.kbytes": buffer_bytes // 1024,
                "message.timeout.ms": int(delivery_timeout_s * 1000),
                "delivery.report.only.error": True,
                "on_delivery": self._on_refused,
            }
        )
        self._partitions = partitions_of(self._producer, connection, self._topic, reach_timeout_s)

    def publish(self, symbol: str, value: bytes, event_time_ms: int) -> None:
        """Hand over one record; it is sent within `linger_ms`. Waits while the buffer is full. Raises PublishError."""
        self._produce(symbol.encode(), value, event_time_ms)
        self._since_poll += 1
        if self._since_poll >= POLL_EVERY:
            self._since_poll = 0
            self._producer.poll(0)
            self._raise_if_refused()

    def heartbeat(self, event_time_ms: int) -> None:
        """Put a record of nothing but `event_time_ms` into every partition, behind all that was published before."""
        for partition in self._partitions:
            self._produce(b"", None, event_time_ms, partition)
        self._producer.poll(0)
        self._raise_if_refused()

    def flush(self) -> None:
        """Wait until everything handed over is durable. Raises PublishError when something is not."""
        while self._producer.flush(WAIT_S):
            self._raise_if_refused()
        self._raise_if_refused()

    def close(self) -> None:
        """Flush and let go of the connection. Raises PublishError as `flush` does; the connection is gone even then."""
        try:
            self.flush()
        finally:
            self._producer.purge()
            self._producer.close()

    def _produce(self, key: bytes, value: bytes | None, event_time_ms: int, partition: int = -1) -> None:
        while True:
            try:
                self._producer.produce(self._topic, value, key, partition, timestamp=max(event_time_ms, BEGIN_MS))
            except BufferError:
                self._producer.poll(WAIT_S)
                self._raise_if_refused()
            except KafkaException as error:
                raise PublishError(self._topic, error.args[0].str()) from error
            else:
                return

    def _on_refused(self, error: KafkaError, _message: Message) -> None:
        self._first_refusal = self._first_refusal or error
        self._refused += 1

    def _raise_if_refused(self) -> None:
        if self._first_refusal is not None:
            first = self._first_refusal
            raise PublishError(self._topic, first.str(), self._refused, retriable=first.code() == KafkaError._MSG_TIMED_OUT)
