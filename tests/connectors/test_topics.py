import pytest
from kafka import KafkaConsumer
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from connectors.clients import KafkaConnection
from connectors.errors import KafkaUnreachable
from connectors.topics import Topics, create_topics, topic_differences
from tests.connectors.kafka_fixtures import Broker, connection_with_topics, specs_of

GIB = 1 << 30


def test_a_prefix_is_put_before_every_name() -> None:
    names = [spec.name for spec in specs_of("a.")]
    assert names == ["a.stock_data", "a.indicator_results", "a.indicator_live", "a.dead_letters", "a.service_registry"]
    topics = Topics("a.")
    assert names == [topics.stock_data, topics.indicator_results, topics.indicator_live, topics.dead_letters, topics.service_registry]


def test_another_stacks_ticks_are_read_by_their_full_name() -> None:
    topics = Topics.of(KafkaConnection("h:1", {}, "b.", "a.stock_data"))
    assert (topics.stock_data, topics.indicator_results) == ("a.stock_data", "b.indicator_results")
    assert Topics.of(KafkaConnection("h:1", {}, "b.", "b.stock_data")) == Topics.of(KafkaConnection("h:1", {}, "b.")) == Topics("b.")


def test_the_cap_of_a_topic_is_shared_by_its_partitions() -> None:
    ticks, results, *_ = specs_of("", partitions=3, indicator_results_bytes=96 << 20)
    assert (ticks.settings["retention.bytes"], ticks.settings["retention.ms"]) == (str(GIB), "-1")
    assert (results.settings["retention.bytes"], results.settings["segment.bytes"]) == (str(32 << 20), str(8 << 20))


def test_missing_topics_are_made_with_the_settings_that_matter(broker: Broker) -> None:
    connection = connection_with_topics(broker, "made.")
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    asked = [ConfigResource(ConfigResourceType.TOPIC, f"made.{name}", None) for name in ("stock_data", "indicator_live", "dead_letters")]
    found = {
        topic: {name: setting["value"] for name, setting in settings.items()}
        for topic, settings in admin.describe_configs(asked, config_filter="all")["topic"].items()
    }
    admin.close()
    ticks, live, letters = (found[f"made.{name}"] for name in ("stock_data", "indicator_live", "dead_letters"))
    assert (ticks["message.timestamp.type"], ticks["retention.ms"], ticks["message.timestamp.after.max.ms"]) == (
        "CreateTime",
        "-1",
        "65000",
    )
    assert (live["message.timestamp.type"], live["retention.ms"]) == ("LogAppendTime", "3600000")
    assert (letters["retention.ms"], letters["max.message.bytes"]) == (str(30 * 86_400_000), str(4 << 20))
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap)
    assert consumer.partitions_for_topic("made.stock_data") == {0, 1, 2}
    consumer.close()
    assert connection.topic_prefix == "made."


def test_doing_it_again_makes_nothing(broker: Broker) -> None:
    connection = KafkaConnection(broker.bootstrap, topic_prefix="again.")
    assert create_topics(connection, specs_of("again.")[:2]).created == ("again.stock_data", "again.indicator_results")
    assert create_topics(connection, specs_of("again.")).created == ("again.indicator_live", "again.dead_letters", "again.service_registry")
    assert create_topics(connection, specs_of("again.")) == create_topics(connection, specs_of("again."))
    assert create_topics(connection, specs_of("again.")).created == ()


def test_existing_topics_that_differ_are_named_and_not_changed(broker: Broker) -> None:
    connection = connection_with_topics(broker, "differ.")
    for _ in range(2):
        differences = create_topics(connection, specs_of("differ.", max_future_ms=1, partitions=4)[:1]).differences
        assert [(each.setting, each.wanted, each.found) for each in differences] == [
            ("partitions", "4", "3"),
            ("message.timestamp.after.max.ms", "60001", "65000"),
            ("retention.bytes", str(3 * GIB // 4), str(GIB)),
            ("segment.bytes", str(3 * GIB // 16), str(GIB // 4)),
        ]
    assert str(differences[0]) == "topic 'differ.stock_data': partitions is 3, wanted 4"


def test_a_missing_topic_is_a_difference_until_it_is_made(broker: Broker) -> None:
    connection = KafkaConnection(broker.bootstrap)
    (difference,) = topic_differences(connection, specs_of("missing.")[:1])
    assert str(difference) == "topic 'missing.stock_data' does not exist"


def test_no_broker_is_said_to_be_unreachable() -> None:
    with pytest.raises(KafkaUnreachable, match=r"cannot reach Kafka at 127\.0\.0\.1:1") as unreachable:
        create_topics(KafkaConnection("127.0.0.1:1"), specs_of(""), timeout_ms=500)
    assert unreachable.value.retriable
