"""What a broker says of a topic: its partitions, and where they begin and end."""

import time
from typing import Literal, TypeAlias

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined] # exported, but not in __all__

from connectors.clients import KafkaConnection, librdkafka_options
from connectors.errors import ConnectorError, ConsumeError, KafkaUnreachable, TopicMissing

Isolation: TypeAlias = Literal["read_committed", "read_uncommitted"]
QUIET = {"log_level": 0}
"""librdkafka writes to stderr what we raise as errors."""
TIMEOUT_S = 10.0
_RETRY_S = 0.1
_NO_LEADER_YET = {
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.FENCED_LEADER_EPOCH,
}
_UNREACHABLE = {KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE, KafkaError._AUTHENTICATION}


def partitions_of(
    client: Producer | Consumer | AdminClient, connection: KafkaConnection, topic: str, timeout_s: float = TIMEOUT_S
) -> list[int]:
    """The partitions of `topic`, in order. Raises KafkaUnreachable, TopicMissing."""
    try:
        found = client.list_topics(timeout=timeout_s).topics.get(topic)
    except KafkaException as error:
        raise connector_error(error, connection, topic) from error
    if found is None:
        raise TopicMissing(topic)
    return sorted(found.partitions)


def cluster_id(connection: KafkaConnection, *, timeout_s: float = TIMEOUT_S) -> str:
    """The id that the Kafka at `connection` gave itself when it was made, the same at each of its addresses. Raises KafkaUnreachable."""
    try:
        return str(AdminClient({**librdkafka_options(connection), **QUIET}).list_topics(timeout=timeout_s).cluster_id)
    except KafkaException as error:
        raise connector_error(error, connection, "") from error


def begin_offsets(connection: KafkaConnection, topic: str, *, timeout_s: float = TIMEOUT_S) -> dict[int, int]:
    """The offset of the oldest record still there, of each partition."""
    return _offsets(connection, topic, OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED, timeout_s)  # type: ignore[no-untyped-call]


def end_offsets(
    connection: KafkaConnection, topic: str, *, isolation: Isolation = "read_committed", timeout_s: float = TIMEOUT_S
) -> dict[int, int]:
    """Where reading ends now, of each partition: the next offset, or the first one of a transaction still open.

    The last records may lie well before it: transaction markers and what was aborted have offsets too.
    """
    level = IsolationLevel.READ_COMMITTED if isolation == "read_committed" else IsolationLevel.READ_UNCOMMITTED
    return _offsets(connection, topic, OffsetSpec.latest(), level, timeout_s)  # type: ignore[no-untyped-call]


def offsets_at(connection: KafkaConnection, topic: str, timestamp_ms: int, *, timeout_s: float = TIMEOUT_S) -> dict[int, int]:
    """The offset of the first record at or after `timestamp_ms`, of each partition; where there is none, its end."""
    found = _offsets(connection, topic, OffsetSpec.for_timestamp(timestamp_ms), IsolationLevel.READ_UNCOMMITTED, timeout_s)
    ends = end_offsets(connection, topic, isolation="read_uncommitted", timeout_s=timeout_s)
    return {partition: ends[partition] if offset < 0 else offset for partition, offset in found.items()}


def _offsets(connection: KafkaConnection, topic: str, where: OffsetSpec, level: IsolationLevel, timeout_s: float) -> dict[int, int]:
    admin = AdminClient({**librdkafka_options(connection), **QUIET})
    asked = {TopicPartition(topic, partition): where for partition in partitions_of(admin, connection, topic, timeout_s)}
    give_up_s = time.monotonic() + timeout_s
    while True:
        try:
            answers = admin.list_offsets(asked, isolation_level=level, request_timeout=timeout_s)
            return {each.partition: answer.result().offset for each, answer in answers.items()}
        except KafkaException as error:
            # The partitions of a topic just made have no leader for a moment.
            if error.args[0].code() not in _NO_LEADER_YET or time.monotonic() > give_up_s:
                raise connector_error(error, connection, topic) from error
            time.sleep(_RETRY_S)


def connector_error(error: KafkaException, connection: KafkaConnection, topic: str) -> ConnectorError:
    """The error of ours that says what `error` of the client means."""
    fact: KafkaError = error.args[0]
    if fact.code() in _UNREACHABLE:
        return KafkaUnreachable(connection.bootstrap, fact.str())
    if fact.code() in {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC}:
        return TopicMissing(topic)
    return ConsumeError(topic, fact.str(), retriable=fact.retriable())
