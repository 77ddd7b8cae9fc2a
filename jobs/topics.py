"""The topics as the configuration wants them: making the missing ones, and what is wrong with existing ones."""

from connectors.errors import TopicMismatch
from connectors.topics import Difference, Topics, TopicSpec, TopicsReport, create_topics, topic_differences, topic_specs
from jobs.config import Config

TIMEOUT_MS = 10_000
"""How long Kafka may take to answer."""


def wanted_topics(config: Config, prefix: str | None = None) -> tuple[TopicSpec, ...]:
    """What every topic of `config` should be; under another prefix than its own where one is given."""
    return topic_specs(
        Topics(config.kafka.topic_prefix if prefix is None else prefix),
        partitions=config.kafka.partitions,
        stock_data_bytes=config.retention.stock_data,
        indicator_results_bytes=config.retention.indicator_results,
        max_future_ms=config.ticks.max_future,
    )


def make_topics(config: Config) -> TopicsReport:
    """Make the topics that are missing. Raises TopicMismatch when existing ones differ, and KafkaUnreachable."""
    report = create_topics(config.kafka_connection(), wanted_topics(config), timeout_ms=TIMEOUT_MS)
    if report.differences:
        raise TopicMismatch(report.differences)
    return report


def wrong_topics(config: Config) -> tuple[Difference, ...]:
    """How existing topics differ from what is wanted; a missing one differs in `partitions`, found 0. Raises KafkaUnreachable."""
    return topic_differences(config.kafka_connection(), wanted_topics(config), timeout_ms=TIMEOUT_MS)
