"""The topics as the configuration wants them: making the missing ones, and what is wrong with existing ones."""

from collections.abc import Callable

from connectors.errors import TopicMismatch
from connectors.topics import Difference, Topics, TopicSpec, TopicsReport, alter_topics, create_topics, topic_differences, topic_specs
from jobs.config import Config

TIMEOUT_MS = 10_000
"""How long Kafka may take to answer."""
_TUNING = ("partitions", "retention.bytes", "segment.bytes", "segment.ms", "max.message.bytes", "message.timestamp.after.max.ms")
"""Settings of a topic that cost something, but make no number wrong. Those that follow from the configuration are among them."""


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


def ready_topics(config: Config, say: Callable[[str], None]) -> None:
    """Make the topics that are missing, for a part that is to work with them.

    `say` gets how existing ones differ in what only costs. Raises TopicMismatch when they differ in more, and KafkaUnreachable.
    """
    report = create_topics(config.kafka_connection(), wanted_topics(config), timeout_ms=TIMEOUT_MS)
    if wrong := [difference for difference in report.differences if not is_tuning(difference)]:
        raise TopicMismatch(wrong)
    for difference in report.differences:
        say(f"{difference}; try: tickloom topics alter" if is_alterable(difference) else str(difference))


def align_topics(config: Config) -> tuple[Difference, ...]:
    """Give existing topics the settings that are wanted; says which those were. Partitions stay as they are: keys would change theirs.

    Raises KafkaUnreachable, ConnectorError.
    """
    wanted = tuple(filter(is_alterable, wrong_topics(config)))
    alter_topics(config.kafka_connection(), wanted, timeout_ms=TIMEOUT_MS)
    return wanted


def is_tuning(difference: Difference) -> bool:
    """Whether a topic that differs so costs something, but makes no number wrong."""
    return difference.setting in _TUNING and not is_missing(difference)


def is_missing(difference: Difference) -> bool:
    """Whether the topic is not there at all."""
    return (difference.setting, difference.found) == ("partitions", "0")


def is_alterable(difference: Difference) -> bool:
    """Whether `tickloom topics alter` mends it."""
    return difference.setting != "partitions"


def wrong_topics(config: Config) -> tuple[Difference, ...]:
    """How existing topics differ from what is wanted; a missing one differs in `partitions`, found 0. Raises KafkaUnreachable."""
    return topic_differences(config.kafka_connection(), wanted_topics(config), timeout_ms=TIMEOUT_MS)
