"""Records of the gateway into Kafka: each is durable, or its lines are dead letters, before its batches are settled."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connectors.clients import KafkaConnection, librdkafka_options
from connectors.dead_letters import encode_dead_letter
from connectors.errors import ConnectorError, PublishError
from connectors.gateway.batch import Batch, Refused
from connectors.gateway.coalesce import TickRecord
from connectors.gateway.doubtful import DoubtfulRecords
from connectors.gateway.metrics import Metrics
from connectors.kafka_publisher import BEGIN_MS
from connectors.topic_metadata import QUIET, TIMEOUT_S, partitions_of
from connectors.topics import Topics
from udfs.model import Reason, Refusal

MAX_RECORDS = 50_000
"""Records under way: the client needs some 500 bytes for each beside its own."""
RECORD_BYTES = 128 * 1024
"""A partition's batch, and so the most that lines of one symbol share."""
ONE_OF_A_BATCH = {KafkaError.INVALID_TIMESTAMP, KafkaError.INVALID_RECORD, KafkaError._INVALID_DIFFERENT_RECORD}
"""What every record of a batch is told when the broker does not take one of them."""
Delivered = Callable[[KafkaError | None, Message], None]


class _Waiting(NamedTuple):
    """A record that the client had no room for."""

    topic: str
    value: bytes | None
    key: bytes | None
    partition: int
    on_delivery: Delivered
    timestamp_ms: int
    size: int


class GatewayPublisher:
    """Publishes ticks, heartbeats and dead letters. Nothing here blocks; `poll` has to be called while `records` are under way.

    `on_settled` is told each batch of which nothing is under way any more, `on_refused` each line that was taken as a tick
    and is none for the broker; it becomes a dead letter. A refusal for good that no dead letter can
    answer (no such topic, no right to write) becomes `failure`, and the lines in question never become settled.
    Raises KafkaUnreachable when no broker answers within `reach_timeout_s`, TopicMissing.
    """

    def __init__(
        self,
        connection: KafkaConnection,
        metrics: Metrics,
        on_settled: Callable[[Batch], None],
        on_refused: Callable[[Batch, Refusal], None],
        *,
        buffer_bytes: int,
        now_ms: Callable[[], int],
        reach_timeout_s: float = TIMEOUT_S,
    ) -> None:
        topics = Topics.of(connection)
        self.failure: PublishError | None = None
        self.records = 0
        """Records under way, those without room included."""
        self.bytes = 0
        """Bytes of them."""
        self._ticks, self._dead_letters = topics.stock_data, topics.dead_letters
        self._kafka = connection
        self._metrics = metrics
        self._on_settled = on_settled
        self._on_refused = on_refused
        self._buffer_bytes = buffer_bytes
        self._now_ms = now_ms
        self._waiting: deque[_Waiting] = deque()
        self._beats = 0
        self._producer = Producer(self._options())
        self._doubtful = DoubtfulRecords(self._ticks, self._options(), self._on_doubtful)
        self._partitions = partitions_of(self._producer, connection, self._ticks, reach_timeout_s)
        partitions_of(self._producer, connection, self._dead_letters, reach_timeout_s)

    @property
    def full(self) -> bool:
        """Whether no more should be handed over for now."""
        return bool(self._waiting) or self.bytes > self._buffer_bytes or self.records > MAX_RECORDS

    @property
    def roomy(self) -> bool:
        """Whether more may be handed over after it was full."""
        return not self._waiting and self.bytes * 2 <= self._buffer_bytes and self.records * 2 <= MAX_RECORDS

    def publish(self, record: TickRecord) -> None:
        """Hand over ticks of one symbol."""
        self._metrics.records += 1
        self._produce(self._ticks, record.value, record.symbol.encode(), -1, partial(self._on_ticks, record), record.newest_ms, record.size)

    def publish_dead_letter(self, batch: Batch, refused: Refused) -> None:
        """Hand over a line that is refused; `batch` is unsettled until it is durable."""
        batch.unsettled += 1
        self._metrics.dead_letters[refused.refusal.reason] += 1
        value = encode_dead_letter(refused.letter(batch.origin, self._now_ms()))
        self._produce(self._dead_letters, value, None, -1, partial(self._on_letter, batch, len(value)), self._now_ms(), len(value))

    def heartbeat(self, event_time_ms: int) -> bool:
        """Say in every partition that event time has come to `event_time_ms`; not while the last one is still under way."""
        if self._beats or self.full:
            return False
        for partition in self._partitions:
            self._beats += 1
            self._produce(self._ticks, None, b"", partition, self._on_beat, event_time_ms, 0)
        return True

    def poll(self) -> None:
        """Hear what has become of records, and hand over those that had no room."""
        self._producer.poll(0)
        self._doubtful.poll()
        while self._waiting and self._try_to_produce(self._waiting[0]):
            self._waiting.popleft()

    def reach(self, timeout_s: float) -> None:
        """Blocks until a broker answers. Raises KafkaUnreachable, TopicMissing."""
        partitions_of(self._producer, self._kafka, self._ticks, timeout_s)

    def look_for_partitions(self, timeout_s: float) -> None:
        """Partitions that were added get heartbeats too from now on. Blocks until a broker answers; if none does, nothing changes."""
        with suppress(ConnectorError):
            self._partitions = partitions_of(self._producer, self._kafka, self._ticks, timeout_s)

    def close(self) -> None:
        """Let go of the connection; what is still under way is given up."""
        self._waiting.clear()
        self._doubtful.close()
        self._producer.purge()
        self._producer.close()

    # On the way -----------------------------------------------------------------------------------------------------

    def _produce(
        self, topic: str, value: bytes | None, key: bytes | None, partition: int, on_delivery: Delivered, timestamp_ms: int, size: int
    ) -> None:
        self.records += 1
        self.bytes += size
        record = _Waiting(topic, value, key, partition, on_delivery, timestamp_ms, size)
        if self._waiting or not self._try_to_produce(record):
            self._waiting.append(record)

    def _try_to_produce(self, record: _Waiting) -> bool:
        topic, value, key, partition, on_delivery, timestamp_ms, _ = record
        try:
            self._producer.produce(topic, value, key, partition, on_delivery, timestamp=max(timestamp_ms, BEGIN_MS))
        except BufferError:
            return False
        except KafkaException as error:
            self._fail(topic, error.args[0])
        return True

    def _on_ticks(self, record: TickRecord, error: KafkaError | None, _message: Message) -> None:
        self.records -= 1
        self.bytes -= record.size
        if error is None:
            self._settle(record)
        elif error.code() in ONE_OF_A_BATCH:
            self._send_alone(record)
        else:
            self._fail(self._ticks, error)

    def _on_letter(self, batch: Batch, size: int, error: KafkaError | None, _message: Message) -> None:
        self.records -= 1
        self.bytes -= size
        if error is not None:
            self._fail(self._dead_letters, error)
            return
        batch.unsettled -= 1
        if not batch.unsettled:
            self._on_settled(batch)

    def _on_beat(self, error: KafkaError | None, _message: Message) -> None:
        self.records -= 1
        self._beats -= 1
        if error is not None and error.code() not in ONE_OF_A_BATCH:  # then a tick beside it was, and the next one comes soon
            self._fail(self._ticks, error)

    def _settle(self, record: TickRecord) -> None:
        self._metrics.ticks += record.lines
        for batch, _ in record.parts:
            batch.unsettled -= 1
            if not batch.unsettled:
                self._on_settled(batch)

    def _fail(self, topic: str, error: KafkaError) -> None:
        if error.code() != KafkaError._PURGE_QUEUE and self.failure is None:
            self.failure = PublishError(topic, error.str(), retriable=error.retriable())

    # Refused for its time -------------------------------------------------------------------------------------------

    def _on_doubtful(self, record: TickRecord, error: KafkaError | None) -> None:
        """What became of a record that was sent alone, because the broker refuses a whole batch for one record's time."""
        self.records -= 1
        self.bytes -= record.size
        if error is None:
            self._settle(record)
        elif error.code() not in ONE_OF_A_BATCH:
            self._fail(self._ticks, error)
        elif record.lines > 1:
            for each in record.alone():
                self._send_alone(each)
        else:
            self._give_up(record, error)

    def _send_alone(self, record: TickRecord) -> None:
        self.records += 1
        self.bytes += record.size
        self._doubtful.send(record)

    def _give_up(self, record: TickRecord, error: KafkaError) -> None:
        """The one line of `record` becomes a dead letter."""
        ((batch, (index,)),) = record.parts
        text = batch.texts[index]
        reason = Reason.FUTURE_TIME if error.code() == KafkaError.INVALID_TIMESTAMP else Reason.POISON
        batch.bad += 1
        refusal = Refusal(reason, f"the broker refuses it: {error.str()}", batch.first + index)
        self.publish_dead_letter(batch, Refused(refusal, text, len(text)))
        batch.unsettled -= 1
        self._on_refused(batch, refusal)

    def _options(self) -> dict[str, object]:
        return {
            **librdkafka_options(self._kafka),
            **QUIET,
            "acks": "all",
            "enable.idempotence": True,
            # As every producer of ours: one request at a time, small batches, one partition a symbol (docs/decisions/0008).
            "max.in.flight.requests.per.connection": 1,
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "linger.ms": 0,  # lines have waited for company already
            "batch.num.messages": 100_000,
            "batch.size": RECORD_BYTES,
            "queue.buffering.max.messages": MAX_RECORDS * 2,
            "queue.buffering.max.kbytes": 2 * self._buffer_bytes // 1024,
            "message.timeout.ms": 0,  # for ever: sockets wait as long as the broker is away
            "error_cb": self._on_error,
        }

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self._fail(self._ticks, error)
