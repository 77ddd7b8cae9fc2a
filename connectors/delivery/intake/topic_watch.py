"""What the broker says of topics now and then: which topic it is that bears the name, and where its partitions end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined] # exported, but not in __all__

from connectors.clients import KafkaConnection, librdkafka_options
from connectors.topic_metadata import QUIET, connector_error

TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """One look at a topic."""

    topic_id: str
    """Another one when a topic was deleted and made anew under the same name; brokers before Kafka 2.8 cannot tell."""
    ends: Mapping[int, int]
    """Partition -> its next offset, or the first one of a transaction still open."""

    def is_same_topic(self, other: "TopicFacts") -> bool:
        """Whether a reader of `other` reads all of this one."""
        return self.topic_id == other.topic_id and self.ends.keys() == other.ends.keys()


class TopicWatch:
    """Looks at topics over one lasting connection."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection
        self._admin = AdminClient({**librdkafka_options(connection), **QUIET})

    def look(self, topics: Sequence[str], timeout_s: float = TIMEOUT_S) -> dict[str, TopicFacts]:
        """The facts of each topic that exists. Raises KafkaUnreachable, ConsumeError."""
        described = self._admin.describe_topics(TopicCollection(list(topics)), request_timeout=timeout_s)
        facts = {}
        for name, answer in described.items():
            try:
                topic = answer.result()
                facts[name] = TopicFacts(f"{name}/{topic.topic_id}", self._ends(name, [each.id for each in topic.partitions], timeout_s))
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise connector_error(error, self._connection, name) from error
        return facts

    def _ends(self, topic: str, partitions: Sequence[int], timeout_s: float) -> dict[int, int]:
        asked = {TopicPartition(topic, each): OffsetSpec.latest() for each in partitions}  # type: ignore[no-untyped-call]
        answers = self._admin.list_offsets(asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=timeout_s)
        return {each.partition: answer.result().offset for each, answer in answers.items()}
