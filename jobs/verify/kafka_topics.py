"""Topics read for a verification: every committed record once, a stretch at a time, and how far the job has come."""

import time
from collections.abc import Iterator, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from connectors.clients import KafkaConnection, librdkafka_options
from connectors.consumer import Record, begin_offsets, end_offsets, read_topic
from connectors.topic_metadata import QUIET, TIMEOUT_S, connector_error, partitions_of

_COORDINATOR_MOVES = (KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS)
"""Answers of a broker that is about to take the group over, as one does that has just started."""
_RETRY_S = 0.2


class KafkaTopic:
    """One topic, read with `read_committed` from its beginning on. Raises KafkaUnreachable, TopicMissing, ConsumeError."""

    def __init__(self, connection: KafkaConnection, topic: str) -> None:
        self._connection, self._topic = connection, topic
        self._next: dict[int, int] = {}
        self._log_starts: dict[int, int] = {}

    def log_starts(self) -> Mapping[int, int]:
        """Partition -> its first offset, where that was above 0 when it was first asked for or read."""
        self._begin()
        return self._log_starts

    def read_on(self) -> Iterator[Record]:
        """The records from where the last call ended to the end found now, at least; each partition in offset order."""
        self._begin()
        ends = end_offsets(self._connection, self._topic)
        behind = [partition for partition, end in ends.items() if self._next.get(partition, 0) < end]
        if not behind:
            return
        for record in read_topic(self._connection, self._topic, partitions=behind, from_offsets=dict(self._next)):
            self._next[record.partition] = record.offset + 1
            yield record

    def _begin(self) -> None:
        if not self._next:
            self._next = begin_offsets(self._connection, self._topic)
            self._log_starts = {partition: offset for partition, offset in self._next.items() if offset > 0}


class CommittedOffsets:
    """How far a consumer group has committed in a topic."""

    def __init__(self, connection: KafkaConnection, topic: str, group: str) -> None:
        self._connection, self._topic = connection, topic
        self._consumer = Consumer({**librdkafka_options(connection), **QUIET, "group.id": group, "enable.auto.commit": False})

    def __call__(self) -> dict[int, int]:
        """Partition -> committed offset, for those that have one. Raises KafkaUnreachable, TopicMissing, ConsumeError."""
        asked = [TopicPartition(self._topic, partition) for partition in partitions_of(self._consumer, self._connection, self._topic)]
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            try:
                found = self._consumer.committed(asked, timeout=TIMEOUT_S)
                return {each.partition: each.offset for each in found if each.offset >= 0}
            except KafkaException as error:
                if error.args[0].code() not in _COORDINATOR_MOVES or time.monotonic() > deadline:
                    raise connector_error(error, self._connection, self._topic) from error
                time.sleep(_RETRY_S)

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()
