from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from jobs.errors import PortInUse
from jobs.local.broker import Broker, answers, new_cluster_id
from tests.conftest import TestBroker


def test_the_embedded_broker_keeps_what_it_is_given(broker: TestBroker) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.create_topics([NewTopic("kept", 2, 1)])
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    producer.send("kept", b"one", partition=1).get(timeout=10)
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, consumer_timeout_ms=10_000)
    consumer.assign([TopicPartition("kept", 1)])
    consumer.seek_to_beginning()
    assert next(consumer).value == b"one"
    for client in (admin, producer, consumer):
        client.close()


def test_a_port_where_nobody_listens_does_not_answer() -> None:
    assert not answers("127.0.0.1:1", timeout_s=0.2)


def test_a_broker_is_not_started_on_a_port_in_use(broker: TestBroker, jars: Path, tmp_path: Path) -> None:
    with pytest.raises(PortInUse, match=f"{broker.bootstrap} is in use .*kafka.listen, default"):
        Broker(broker.bootstrap, tmp_path, jars, Path("java")).prepare()


def test_a_cluster_id_never_looks_like_an_option_to_kafkas_tools() -> None:
    ids = {new_cluster_id() for _ in range(5_000)}
    assert len(ids) == 5_000
    assert not [each for each in ids if each.startswith("-") or len(each) != 22]
