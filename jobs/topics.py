"""The topics as the configuration wants them: making the missing ones, and what is wrong with existing ones."""

from connectors.errors import TopicMismatch
from connectors.topics import Difference, Topics, TopicSpec, TopicsReport, create_topics, topic_differences, topic_specs
from jobs.config import Config

TIMEOUT_MS = 10_000
"""How long Kafka may take to answer."""


def wanted_topics(config: Config, topics: Topics | None = None) -> tuple[TopicSpec, ...]:
    """What every topic of `config`, or each of `topics`, should be. A topic of ticks that another stack keeps is left to it."""
    topics = topics or Topics.of(config.kafka_connection())
    specs = topic_specs(
        topics,
        partitions=config.kafka.partitions,
        stock_data_bytes=config.retention.stock_data,
        indicator_results_bytes=config.retention.indicator_results,
        max_future_ms=config.ticks.max_future,
    )
    return tuple(spec for spec in specs if spec.name != topics.ticks)


def make_topics(config: Config) -> TopicsReport:
    """Make the topics that are missing. Raises TopicMismatch when existing ones differ, and KafkaUnreachable."""
    report = create_topics(config.kafka_connection(), wanted_topics(config), timeout_ms=TIMEOUT_MS)
    if report.differences:
        raise TopicMismatch(report.differences)
    return report


def wrong_topics(config: Config) -> tuple[Difference, ...]:
    """How existing topics differ from what is wanted; a missing one differs in `partitions`, found 0. Raises KafkaUnreachable."""
    return topic_differences(config.kafka_connection(), wanted_topics(config), timeout_ms=TIMEOUT_MS)
