import json

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from connectors.errors import PublishError, TopicMissing
from connectors.kafka_publisher import KafkaPublisher
from connectors.replay_publisher import ReplayedLine, ReplayPublisher
from tests.conftest import TestBroker
from tests.connectors.kafka_fixtures import connection_with_topics

NOW_MS = 1_795_348_669_460


def committed(broker: TestBroker, topic: str, partitions: int) -> list[ConsumerRecord]:
    """What readers of committed records see, read by a client that the product does not use."""
    consumer = KafkaConsumer(
        bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False, isolation_level="read_committed"
    )
    places = [TopicPartition(topic, each) for each in range(partitions)]
    consumer.assign(places)
    ends, found = consumer.end_offsets(places), []
    while any(consumer.position(each) < ends[each] for each in places):
        for batch in consumer.poll(timeout_ms=500).values():
            found += batch
    consumer.close()
    return found


def lines(*symbols: str) -> list[ReplayedLine]:
    return [ReplayedLine(f"0:{number}", symbol, b'{"n":%d}' % number, NOW_MS - number) for number, symbol in enumerate(symbols)]


def test_lines_and_their_note_are_committed_together_and_lie_where_other_producers_put_them(broker: TestBroker) -> None:
    kafka = connection_with_topics(broker, "replayed.")
    symbols = [f"S{number}" for number in range(20)]
    publisher = ReplayPublisher(kafka, "replayed-together")
    publisher.send(lines(*symbols), NOW_MS)
    publisher.close()
    (note,) = committed(broker, "replayed.dead_letters", 1)
    assert (note.key, json.loads(note.value)) == (None, {"replayed": [f"0:{n}" for n in range(20)], "replayed_ms": NOW_MS})
    others = KafkaPublisher(kafka)
    for symbol in symbols:
        others.publish(symbol, b"{}", NOW_MS)
    others.close()
    records = committed(broker, "replayed.stock_data", 3)
    places = {(record.key.decode(), record.partition) for record in records}
    assert {symbol for symbol, _ in places} == set(symbols)
    assert len(places) == len(symbols), "each symbol in one partition, whoever wrote it"
    sent = {json.loads(record.value)["n"]: record.timestamp for record in records if record.value != b"{}"}
    assert sent == {number: NOW_MS - number for number in range(20)}


def test_of_two_replays_the_older_one_is_refused_and_nothing_of_it_is_seen(broker: TestBroker) -> None:
    kafka = connection_with_topics(broker, "fenced.")
    older = ReplayPublisher(kafka, "replayed-fenced")
    newer = ReplayPublisher(kafka, "replayed-fenced")
    with pytest.raises(PublishError, match="another replay has begun"):
        older.send(lines("A", "B"), NOW_MS)
    newer.send(lines("C"), NOW_MS)
    for each in (older, newer):
        each.close()
    assert [record.key for record in committed(broker, "fenced.stock_data", 3)] == [b"C"]
    assert len(committed(broker, "fenced.dead_letters", 1)) == 1


def test_lines_that_cannot_be_sent_leave_nothing_behind_and_the_next_ones_go(broker: TestBroker) -> None:
    publisher = ReplayPublisher(connection_with_topics(broker, "too-large."), "replayed-too-large")
    with pytest.raises(PublishError, match="too large"):
        publisher.send([*lines("A"), ReplayedLine("0:9", "B", b"x" * 2_000_000, NOW_MS)], NOW_MS)
    publisher.send(lines("C"), NOW_MS)
    publisher.close()
    assert [record.key for record in committed(broker, "too-large.stock_data", 3)] == [b"C"]


def test_without_topics_nothing_begins(broker: TestBroker) -> None:
    with pytest.raises(TopicMissing):
        ReplayPublisher(broker.connection("nowhere."), "replayed-nowhere")
