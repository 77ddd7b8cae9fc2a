import time

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.partitioner.default import murmur2

from connectors.clients import KafkaConnection
from connectors.errors import KafkaUnreachable, PublishError, TopicMissing
from connectors.kafka_publisher import KafkaPublisher
from connectors.publisher import Publisher
from tests.connectors.kafka_fixtures import Broker, connection_with_topics

OCT_2013_MS = 1_381_152_600_000


def records_of(broker: Broker, topic: str) -> list[ConsumerRecord]:
    """All records of a topic, read by the other client."""
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    partitions = [TopicPartition(topic, each) for each in sorted(consumer.partitions_for_topic(topic))]
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    records: list[ConsumerRecord] = []
    while any(consumer.position(each) < ends[each] for each in partitions):
        for batch in consumer.poll(timeout_ms=500).values():
            records += batch
    consumer.close()
    return records


def partition_by_kafka_python(key: bytes) -> int:
    return (int(murmur2(key)) & 0x7FFFFFFF) % 3


def test_records_arrive_in_order_with_event_time_as_timestamp(broker: Broker) -> None:
    connection = connection_with_topics(broker, "order.")
    publisher: Publisher = KafkaPublisher(connection)
    for number in range(3_000):
        publisher.publish(f"S{number % 7}", b"%d" % number, OCT_2013_MS + number)
    publisher.close()
    records = records_of(broker, "order.stock_data")
    assert sorted(int(record.value) for record in records) == list(range(3_000))
    for symbol in range(7):
        mine = [record for record in records if record.key == b"S%d" % symbol]
        assert [int(record.value) for record in mine] == list(range(symbol, 3_000, 7))
        assert [record.timestamp - OCT_2013_MS for record in mine] == list(range(symbol, 3_000, 7))
        assert {record.partition for record in mine} == {partition_by_kafka_python(b"S%d" % symbol)}


def test_a_heartbeat_is_an_empty_key_and_no_value_in_every_partition(broker: Broker) -> None:
    publisher = KafkaPublisher(connection_with_topics(broker, "beat."))
    publisher.publish("IBM", b"{}", OCT_2013_MS)
    publisher.heartbeat(OCT_2013_MS + 5)
    publisher.close()
    beats = [record for record in records_of(broker, "beat.stock_data") if record.value is None]
    assert sorted((record.partition, record.key, record.timestamp) for record in beats) == [
        (each, b"", OCT_2013_MS + 5) for each in range(3)
    ]
    (tick,) = (record for record in records_of(broker, "beat.stock_data") if record.value is not None)
    assert [beat.offset for beat in beats if beat.partition == tick.partition] == [tick.offset + 1]


def test_ticks_of_any_age_are_taken_and_only_ones_of_the_future_refused(broker: Broker) -> None:
    connection = connection_with_topics(broker, "age.")
    publisher = KafkaPublisher(connection)
    publisher.publish("OLD", b"1970", 0)
    publisher.publish("OLD", b"1971", 31_536_000_000)
    publisher.flush()
    assert [(record.value, record.timestamp) for record in records_of(broker, "age.stock_data")] == [
        (b"1970", 1),
        (b"1971", 31_536_000_000),
    ]
    publisher.publish("NEW", b"2099", int(time.time() * 1000) + 3_600_000)
    with pytest.raises(PublishError) as refused:
        publisher.flush()
    assert (refused.value.topic, refused.value.count, refused.value.retriable) == ("age.stock_data", 1, False)
    with pytest.raises(PublishError):
        publisher.close()


def test_more_than_the_buffer_holds_waits_and_arrives(broker: Broker) -> None:
    publisher = KafkaPublisher(connection_with_topics(broker, "full."), buffer_bytes=1 << 20)
    for number in range(100):
        publisher.publish("IBM", b"%d" % number + b"x" * 100_000, OCT_2013_MS)
    publisher.close()
    assert len(records_of(broker, "full.stock_data")) == 100


def test_a_record_too_large_is_a_publish_error(broker: Broker) -> None:
    publisher = KafkaPublisher(connection_with_topics(broker, "large."))
    with pytest.raises(PublishError):
        publisher.publish("IBM", b"x" * (2 << 20), OCT_2013_MS)
    publisher.close()


def test_nothing_can_be_published_without_topic_or_broker(broker: Broker) -> None:
    with pytest.raises(TopicMissing, match=r"nowhere\.stock_data"):
        KafkaPublisher(KafkaConnection(broker.bootstrap, topic_prefix="nowhere."))
    with pytest.raises(KafkaUnreachable):
        KafkaPublisher(KafkaConnection("127.0.0.1:1"), reach_timeout_s=0.5)
