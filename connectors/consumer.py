"""Reading a topic without a group: from given offsets, partition by partition in order, to its end or for ever."""

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.clients import KafkaConnection, librdkafka_options
from connectors.errors import ConnectorError
from connectors.topic_metadata import QUIET, Isolation, begin_offsets, connector_error, end_offsets

__all__ = ["Isolation", "Record", "TopicReader", "begin_offsets", "end_offsets", "read_topic"]
AT_ONCE = 10_000
"""Records taken from the client in one call."""
WAIT_S = 0.5
FETCH_WAIT_MS = 50
"""How long the broker may hold back an answer without records: by such a one an end is told. A reader that is in no hurry waits longer."""


class Record(NamedTuple):
    """One record as the broker has it."""

    partition: int
    offset: int
    timestamp_ms: int
    """-1 when the record has none."""
    key: bytes | None
    value: bytes | None


_new_record = tuple.__new__


def read_topic(
    connection: KafkaConnection,
    topic: str,
    *,
    isolation: Isolation = "read_committed",
    partitions: Sequence[int] | None = None,
    from_offsets: Mapping[int, int] | None = None,
    until_end: bool = True,
) -> Iterator[Record]:
    """Yield the records of `topic`, of each partition in offset order, partitions interleaved as they come.

    Starts at `from_offsets` (a partition without one: at its beginning) and goes on until every partition has been
    read to the end it had at the start, or for ever. Raises KafkaUnreachable, TopicMissing, ConsumeError.
    """
    with TopicReader(connection, topic, isolation=isolation, partitions=partitions, from_offsets=from_offsets) as reader:
        while not (until_end and reader.at_end):
            yield from reader.read(WAIT_S)


class TopicReader:
    """A reader that can be asked for what has come in, for those who do something else in between."""

    def __init__(
        self,
        connection: KafkaConnection,
        topic: str,
        *,
        isolation: Isolation = "read_committed",
        partitions: Sequence[int] | None = None,
        from_offsets: Mapping[int, int] | None = None,
        fetch_wait_ms: int = FETCH_WAIT_MS,
    ) -> None:
        self._connection = connection
        self._topic = topic
        self._consumer = Consumer(
            {
                **librdkafka_options(connection),
                **QUIET,
                "group.id": "tickloom-reader",  # asked for by the client; nothing is ever committed
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "isolation.level": isolation,
                "auto.offset.reset": "earliest",
                "check.crcs": True,
                "fetch.wait.max.ms": fetch_wait_ms,
            }
        )
        try:
            ends = end_offsets(connection, topic, isolation=isolation)
            chosen = list(ends) if partitions is None else partitions
            starts = from_offsets or {}
            self.ended_at: dict[int, int] = {}
            """Partition -> where it was last seen to end: the next offset, behind markers and what was aborted."""
            self._unread = {each: ends[each] for each in chosen if starts.get(each, 0) < ends[each]}
            self._consumer.assign([TopicPartition(topic, each, starts.get(each, OFFSET_BEGINNING)) for each in chosen])
        except (ConnectorError, KafkaException):
            self._consumer.close()
            raise

    @property
    def at_end(self) -> bool:
        """Whether every partition has been read to the end it had when the reader was made."""
        return not self._unread

    def read(self, timeout_s: float, fill_s: float = 0.0) -> list[Record]:
        """What has come in, waiting up to `timeout_s` for the first and up to `fill_s` for `AT_ONCE` of them.

        Raises KafkaUnreachable, TopicMissing, ConsumeError.
        """
        try:
            messages = self._consumer.consume(1, timeout_s)
            if messages:
                messages += self._consumer.consume(AT_ONCE, fill_s)
        except KafkaException as error:
            raise connector_error(error, self._connection, self._topic) from error
        records = [_record(message) for message in messages if not self._is_notice(message)]
        self._strike_off_what_is_read()
        return records

    def _strike_off_what_is_read(self) -> None:
        if not self._unread:
            return
        asked = [TopicPartition(self._topic, each) for each in self._unread]
        for reached in self._consumer.position(asked):
            if reached.offset >= self._unread[reached.partition]:
                del self._unread[reached.partition]

    def _is_notice(self, message: Message) -> bool:
        """Whether `message` is no record; a partition's end may lie behind markers that are never handed out."""
        error, partition = message.error(), message.partition()
        if error is None or partition is None:
            return False
        if error.code() != KafkaError._PARTITION_EOF:
            raise connector_error(KafkaException(error), self._connection, self._topic)
        self._unread.pop(partition, None)
        self.ended_at[partition] = message.offset() or 0
        return True

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _record(message: Message) -> Record:
    return _new_record(Record, (message.partition(), message.offset(), message.timestamp()[1], message.key(), message.value()))
