"""Dead letters sent again: ticks and the note that they were, in one Kafka transaction, so that none is sent twice."""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Producer

from connectors.clients import KafkaConnection, librdkafka_options
from connectors.errors import ConsumeError, PublishError
from connectors.kafka_publisher import BEGIN_MS
from connectors.replay_notes import encode_replay_note
from connectors.topic_metadata import QUIET, connector_error, partitions_of
from connectors.topics import Topics

TIMEOUT_S = 30.0
_FENCED = {KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED}


class ReplayedLine(NamedTuple):
    """A line to be sent again, and the dead letter (`partition:offset`) that it was."""

    letter_id: str
    symbol: str
    value: bytes
    event_time_ms: int


class ReplayPublisher:
    """Sends lines to `stock_data`, keyed by symbol as every other producer does; whoever reads committed records sees all or none.

    Of several with the same `transactional_id` only the newest may write: an older one gets a PublishError.
    Raises KafkaUnreachable, TopicMissing, PublishError when made.
    """

    def __init__(self, connection: KafkaConnection, transactional_id: str) -> None:
        topics = Topics.of(connection)
        self._ticks, self._letters = topics.stock_data, topics.dead_letters
        self._lost = False
        self._producer = Producer(
            {
                **librdkafka_options(connection),
                **QUIET,
                "transactional.id": transactional_id,
                "partitioner": "murmur2_random",
                "compression.type": "lz4",
            }
        )
        for topic in (self._ticks, self._letters):
            partitions_of(self._producer, connection, topic)
        try:
            self._producer.init_transactions(TIMEOUT_S)
        except KafkaException as error:
            found = connector_error(error, connection, self._ticks)
            raise found if not isinstance(found, ConsumeError) else PublishError(self._ticks, found.why) from error

    def send(self, lines: Sequence[ReplayedLine], now_ms: int) -> None:
        """Send `lines` in their order, and note their letters as replayed. Raises PublishError.

        None of them was sent then; only where the answer to the commit did not come may all be there, and their note.
        """
        try:
            self._producer.begin_transaction()
            for line in lines:
                timestamp_ms = max(line.event_time_ms, BEGIN_MS)
                self._producer.produce(self._ticks, line.value, line.symbol.encode(), timestamp=timestamp_ms)
                self._producer.poll(0)
            self._producer.produce(self._letters, encode_replay_note((line.letter_id for line in lines), now_ms))
            self._producer.commit_transaction(TIMEOUT_S)
        except (KafkaException, BufferError) as error:
            raise self._undone(error, len(lines)) from error

    def close(self) -> None:
        """Let go of the connection."""
        if not self._lost:  # then there is no transaction that it could end
            self._producer.close()

    def _undone(self, error: KafkaException | BufferError, count: int) -> PublishError:
        fact = error.args[0] if isinstance(error, KafkaException) else None
        if fact is not None and (fact.code() in _FENCED or fact.fatal()):
            self._lost = True
            return PublishError(self._ticks, "another replay has begun meanwhile" if fact.code() in _FENCED else fact.str(), count)
        with suppress(KafkaException):  # what is not aborted now is when its time is over, or when the next replay begins
            self._producer.abort_transaction(TIMEOUT_S)
        return PublishError(self._ticks, fact.str() if fact is not None else str(error), count)
