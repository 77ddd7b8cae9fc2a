"""Symbols found in topics, and the record that drops one."""

from pathlib import Path

import orjson
import pytest
from confluent_kafka import Producer
from kafka import KafkaConsumer, TopicPartition

from connectors.clients import KafkaConnection
from jobs.config_load import load_config
from jobs.symbols import UnknownSymbols, drop_symbols, scan_symbols
from jobs.topics import make_topics
from tests.conftest import TestBroker

T0 = 1_793_600_000_000


@pytest.fixture
def connection(broker: TestBroker, tmp_path: Path, request: pytest.FixtureRequest) -> KafkaConnection:
    """Topics of a test's own, of three partitions."""
    settings = {"kafka.bootstrap": broker.bootstrap, "kafka.topic_prefix": f"{request.node.name}.", "kafka.partitions": "3"}
    config = load_config(None, {}, tmp_path, settings)
    make_topics(config)
    return config.kafka_connection()


def send(connection: KafkaConnection, *records: tuple[int, bytes | None, bytes | None, int], topic: str = "stock_data") -> None:
    """Each record is (partition, key, value, seconds after T0)."""
    producer = Producer({"bootstrap.servers": connection.bootstrap, "enable.idempotence": True})
    for partition, key, value, second in records:
        producer.produce(connection.topic_prefix + topic, value, key, partition, timestamp=T0 + second * 1_000)
    assert producer.flush(30) == 0


def tick(symbol: str, name: str = "stock_id") -> bytes:
    return orjson.dumps({name: symbol, "price": 1})


def result(symbol: str, second: int) -> bytes:
    return orjson.dumps({"stock_id": symbol, "last_ms": T0 + second * 1_000})


def test_symbols_are_found_in_ticks_and_results_with_and_without_keys(connection: KafkaConnection) -> None:
    send(connection, (0, b"A", tick("A"), 1), (0, b"A", tick("A"), 3), (1, None, tick("B", "symbol"), 2), (2, b"", None, 99))
    send(connection, (1, b"no name", b"{", 1), (1, None, b"{", 1), (1, None, b"null", 1))
    send(connection, (0, b"C", result("C", 7), 0), (0, b"x", b"no result", 0), topic="indicator_results")
    seen = scan_symbols(connection)
    assert list(seen) == ["A", "B", "C"]
    assert [(each.last_tick_ms - T0, each.partitions, each.is_split) for each in seen.values()] == [
        (3_000, {0}, False),
        (2_000, {1}, False),
        (7_000, set(), False),
    ]


def test_only_the_newest_records_are_looked_at_unless_all_are_wanted(connection: KafkaConnection) -> None:
    send(connection, (0, b"OLD", tick("OLD"), 1), (0, b"NEW", tick("NEW"), 2), (0, b"NEW", tick("NEW"), 3))
    assert list(scan_symbols(connection, 2)) == ["NEW"]
    assert list(scan_symbols(connection, None)) == ["NEW", "OLD"]


def test_a_symbol_in_two_partitions_is_split_until_it_is_dropped(connection: KafkaConnection) -> None:
    send(connection, (0, b"A", tick("A"), 1), (2, b"A", tick("A"), 2))
    assert scan_symbols(connection)["A"].is_split
    (written,) = drop_symbols(connection, ["A"])
    assert written.partition == 0


def test_the_drop_lies_behind_the_symbols_ticks_and_moves_no_watermark(connection: KafkaConnection) -> None:
    send(connection, (2, b"A", tick("A"), 1), (2, b"B", tick("B"), 50))
    (written,) = drop_symbols(connection, ["A"])
    consumer = KafkaConsumer(bootstrap_servers=connection.bootstrap)
    place = TopicPartition(f"{connection.topic_prefix}stock_data", written.partition)
    consumer.assign([place])
    consumer.seek(place, written.offset)
    (record,) = next(iter(consumer.poll(timeout_ms=20_000).values()))
    consumer.close()
    assert (record.partition, record.offset, record.key) == (2, 2, b"A")
    assert record.value == b'{"stock_id":"A","op":"drop"}'
    assert record.timestamp == T0 + 1_000
    dropped = scan_symbols(connection)["A"]
    assert (dropped.dropped, dropped.partitions, dropped.last_tick_ms) == (True, {2}, T0 + 1_000)
    send(connection, (2, b"A", tick("A"), 60))
    assert not scan_symbols(connection)["A"].dropped


def test_a_symbol_known_by_its_results_alone_is_dropped_where_its_key_belongs(connection: KafkaConnection) -> None:
    send(connection, (0, b"C", result("C", 7), 0), topic="indicator_results")
    (written,) = drop_symbols(connection, ["C"])
    assert scan_symbols(connection)["C"].partitions == {written.partition}


def test_an_unknown_symbol_is_refused_and_nothing_is_written(connection: KafkaConnection) -> None:
    send(connection, (0, b"A", tick("A"), 1))
    with pytest.raises(UnknownSymbols, match="no tick and no result of NOPE"):
        drop_symbols(connection, ["A", "NOPE"])
    assert not scan_symbols(connection)["A"].dropped
