from collections.abc import Sequence

import pytest
from confluent_kafka import Producer

from connectors.clients import KafkaConnection
from connectors.consumer import Record, TopicReader, begin_offsets, end_offsets, read_topic
from connectors.errors import KafkaUnreachable, TopicMissing
from tests.connectors.kafka_fixtures import Broker, connection_with_topics


def transaction(broker: Broker, topic: str, values: Sequence[str], partition: int = 0, *, abort: bool = False) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": "test-consumer", "log_level": 0})
    producer.init_transactions()
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, value, "k", partition)
    producer.flush()
    if abort:
        producer.abort_transaction()
    else:
        producer.commit_transaction()


def values_of(records: Sequence[Record]) -> list[bytes | None]:
    return [record.value for record in sorted(records)]


def test_only_what_was_committed_is_read_and_markers_do_not_hide_the_end(broker: Broker) -> None:
    connection, topic = connection_with_topics(broker, "txn."), "txn.indicator_results"
    transaction(broker, topic, ["1", "2"])
    transaction(broker, topic, ["lost"], abort=True)
    transaction(broker, topic, ["3"], partition=1)
    transaction(broker, topic, ["lost", "lost"], partition=1, abort=True)
    assert values_of(list(read_topic(connection, topic))) == [b"1", b"2", b"3"]
    assert len(list(read_topic(connection, topic, isolation="read_uncommitted"))) == 6
    assert end_offsets(connection, topic) == {0: 5, 1: 5, 2: 0}
    assert begin_offsets(connection, topic) == {0: 0, 1: 0, 2: 0}


def test_a_transaction_still_open_hides_what_comes_behind_it(broker: Broker) -> None:
    connection, topic = connection_with_topics(broker, "open."), "open.indicator_results"
    transaction(broker, topic, ["1"])
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": "test-open", "log_level": 0})
    producer.init_transactions()
    producer.begin_transaction()
    producer.produce(topic, "2", "k", 0)
    producer.flush()
    assert values_of(list(read_topic(connection, topic))) == [b"1"]
    assert (end_offsets(connection, topic)[0], end_offsets(connection, topic, isolation="read_uncommitted")[0]) == (2, 3)
    producer.commit_transaction()
    assert values_of(list(read_topic(connection, topic))) == [b"1", b"2"]


def test_reading_goes_on_from_offsets_and_keeps_to_partitions(broker: Broker) -> None:
    connection, topic = connection_with_topics(broker, "from."), "from.stock_data"
    producer = Producer({"bootstrap.servers": broker.bootstrap, "log_level": 0})
    for number in range(30):
        producer.produce(topic, str(number), None, number % 3, timestamp=1_000 + number)
    producer.flush()
    rest = list(read_topic(connection, topic, from_offsets={0: 8, 2: 10}))
    assert [record.offset for record in rest if record.partition == 1] == list(range(10))
    assert [record for record in rest if record.partition != 1] == [Record(0, 8, 1_024, None, b"24"), Record(0, 9, 1_027, None, b"27")]
    assert {record.partition for record in read_topic(connection, topic, partitions=[2])} == {2}
    assert list(read_topic(connection, topic, from_offsets=end_offsets(connection, topic))) == []


def test_a_reader_that_follows_sees_what_comes_later(broker: Broker) -> None:
    connection, topic = connection_with_topics(broker, "follow."), "follow.indicator_live"
    producer = Producer({"bootstrap.servers": broker.bootstrap, "log_level": 0})
    with TopicReader(connection, topic) as reader:
        while not reader.at_end:
            assert reader.read(0.2) == []
        producer.produce(topic, "later", "IBM", 1)
        producer.flush()
        records: list[Record] = []
        for _ in range(50):
            records += reader.read(0.2)
            if records:
                break
    assert [(record.partition, record.offset, record.key, record.value) for record in records] == [(1, 0, b"IBM", b"later")]
    assert records[0].timestamp_ms > 0


def test_a_topic_or_broker_that_is_not_there_is_named(broker: Broker) -> None:
    with pytest.raises(TopicMissing, match="no_such"):
        list(read_topic(KafkaConnection(broker.bootstrap), "no_such"))
    with pytest.raises(KafkaUnreachable):
        end_offsets(KafkaConnection("127.0.0.1:1"), "stock_data", timeout_s=0.5)
