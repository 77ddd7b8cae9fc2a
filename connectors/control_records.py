"""Writing control records into the ticks topic."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from confluent_kafka import KafkaError, Message, Producer

from connectors.clients import KafkaConnection, librdkafka_options
from connectors.control_lines import encode_drop
from connectors.errors import PublishError
from connectors.topic_metadata import QUIET, partitions_of
from connectors.topics import Topics

BY_KEY = -1
"""The partition that the symbol's hash chooses."""
_TIMEOUT_S = 30.0


class Drop(NamedTuple):
    """A symbol to be forgotten, and where and when to say so."""

    stock_id: str
    partition: int
    """Where its ticks are; `BY_KEY` when that is not known."""
    timestamp_ms: int
    """The record's timestamp: no newer than the symbol's last tick, so that it does not move the watermark."""


class Written(NamedTuple):
    """Where a control record lies."""

    partition: int
    offset: int


def publish_drops(connection: KafkaConnection, drops: Sequence[Drop]) -> list[Written]:
    """Write the control records and wait until they are durable. Raises KafkaUnreachable, TopicMissing, PublishError."""
    topic = Topics.of(connection).stock_data
    settings = {"acks": "all", "enable.idempotence": True, "partitioner": "murmur2_random", "message.timeout.ms": int(_TIMEOUT_S * 1000)}
    producer = Producer({**librdkafka_options(connection), **QUIET, **settings})
    partitions_of(producer, connection, topic)
    written: dict[int, Written] = {}
    refused: list[KafkaError] = []
    for number, drop in enumerate(drops):
        noted = partial(_note, written, refused, number)
        value, key = encode_drop(drop.stock_id), drop.stock_id.encode()
        producer.produce(topic, value, key, drop.partition, noted, timestamp=max(drop.timestamp_ms, 1))
    producer.flush(_TIMEOUT_S + 5)
    if len(written) < len(drops):
        why = refused[0].str() if refused else "no answer in time"
        raise PublishError(topic, why, len(drops) - len(written), retriable=not refused)
    return [written[number] for number in range(len(drops))]


def _note(written: dict[int, Written], refused: list[KafkaError], number: int, error: KafkaError | None, message: Message) -> None:
    if error is not None:
        refused.append(error)
    else:
        written[number] = Written(message.partition() or 0, message.offset() or 0)
