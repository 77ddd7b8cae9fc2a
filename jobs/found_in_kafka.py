"""What a job that is to be started finds in Kafka."""

from typing import NamedTuple

from connectors.topic_metadata import end_offsets
from connectors.topics import Topics
from jobs.config import Config


class Found(NamedTuple):
    """The topic of results, and whether it holds any."""

    topic: str
    has_results: bool


def found_in_results(config: Config) -> Found:
    """Whether there are results. Raises KafkaUnreachable, TopicMissing."""
    connection = config.kafka_connection()
    topic = Topics.of(connection).indicator_results
    return Found(topic, any(end_offsets(connection, topic).values()))


def partitions_of_ticks(config: Config) -> int:
    """Partitions of the topic of ticks. Raises KafkaUnreachable, TopicMissing."""
    connection = config.kafka_connection()
    return len(end_offsets(connection, Topics.of(connection).stock_data))
