import time
from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Producer

from connectors.broker_facts import BrokerFacts
from connectors.topics import Difference
from jobs.config import Config
from jobs.config_load import load_config
from jobs.doctor.findings import Finding, Verdict
from jobs.doctor.kafka import kafka, topics, transactions
from jobs.topics import make_topics
from tests.conftest import TestBroker

NOW_MS = 1_793_600_000_000


def config_of(folder: Path, bootstrap: str, prefix: str, **settings: object) -> Config:
    given = {"kafka.bootstrap": bootstrap, "kafka.topic_prefix": prefix, "kafka.partitions": "2"}
    return load_config(None, {}, folder, given | {key.replace("__", "."): str(value) for key, value in settings.items()})


def found(config: Config) -> Mapping[str, Finding]:
    return {finding.check: finding for finding in kafka(config, time.time_ns() // 1_000_000)}


def verdicts(config: Config) -> dict[str, Verdict]:
    return {check: finding.verdict for check, finding in found(config).items()}


def send(broker: TestBroker, topic: str, key: str, value: object, partition: int = -1) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    producer.produce(topic, orjson.dumps(value), key.encode(), partition, timestamp=NOW_MS)
    assert producer.flush(30) == 0


def test_without_a_broker_that_alone_is_said(tmp_path: Path) -> None:
    foreign = found(config_of(tmp_path, "127.0.0.1:1", ""))
    assert {check: finding.verdict for check, finding in foreign.items()} == {"Kafka": Verdict.WRONG}
    assert foreign["Kafka"].said.startswith("cannot reach Kafka at 127.0.0.1:1: Connection refused (kafka.bootstrap, ")
    embedded = found(load_config(None, {}, tmp_path, {"kafka.listen": "127.0.0.1:1"}))
    assert (embedded["Kafka"].verdict, embedded["Kafka"].hint) == (Verdict.NOT_CHECKED, "tickloom up")


def test_missing_topics_are_named_at_once_and_nothing_more_is_asked(broker: TestBroker, tmp_path: Path) -> None:
    found_here = found(config_of(tmp_path, broker.bootstrap, "doctor-none."))
    assert found_here["topics"].said.startswith("there is no doctor-none.stock_data, doctor-none.indicator_results")
    assert list(found_here) == ["Kafka", "transactions", "topics"]


def test_a_stack_without_records_is_well(broker: TestBroker, tmp_path: Path) -> None:
    config = config_of(tmp_path, broker.bootstrap, "doctor-well.")
    make_topics(config)
    expected = dict.fromkeys(("Kafka", "transactions", "topics", "dead letters", "split symbols"), Verdict.OK)
    assert verdicts(config) == expected | {"clock": Verdict.NOT_CHECKED}


def test_refused_lines_split_symbols_and_a_clock_that_is_wrong_are_seen(broker: TestBroker, tmp_path: Path) -> None:
    config = config_of(tmp_path, broker.bootstrap, "doctor-ill.")
    make_topics(config)
    for partition in (0, 1):
        send(broker, "doctor-ill.stock_data", "SPLIT", {"stock_id": "SPLIT", "price": 1, "event_time_ms": NOW_MS}, partition)
    letter = {"v": 1, "reason": "bad_price", "detail": "", "stage": "job", "topic": "t", "partition": 0, "offset": 0, "line": 0}
    send(broker, "doctor-ill.dead_letters", "", letter | {"received_ms": NOW_MS, "original": "", "original_size": 0})
    result = {
        "v": 1, "stock_id": "SPLIT", "time_frame": "1min", "start_ms": 0, "end_ms": 60_000, "status": "forming", "run": 1, "revision": 0,
        "open": 1, "high": 1, "low": 1, "close": 1, "volume": 1, "turnover": 1, "vwap": 1, "trades": 1, "first_ms": 0, "last_ms": 0,
        "complete": True, "results": {}, "emitted_ms": time.time_ns() // 1_000_000 + 60_000,
    }  # fmt: skip
    send(broker, "doctor-ill.indicator_live", "SPLIT", result)
    ill = found(config)
    assert "in the last hour: 1 bad_price" in ill["dead letters"].said
    assert ill["split symbols"].said.startswith("SPLIT: ticks in several partitions")
    assert "s ahead of the broker's" in ill["clock"].said
    assert {ill[check].verdict for check in ("dead letters", "split symbols", "clock")} == {Verdict.WARNING}


def test_a_setting_that_makes_numbers_wrong_is_worse_than_one_that_costs() -> None:
    costs = Difference("stock_data", "partitions", "8", "4")
    wrongs = Difference("stock_data", "message.timestamp.type", "CreateTime", "LogAppendTime")
    assert [finding.verdict for finding in topics((costs, wrongs))] == [Verdict.WARNING, Verdict.WRONG]


@pytest.mark.parametrize(("allowed_ms", "verdict"), [(900_000, Verdict.OK), (899_999, Verdict.WRONG)])
def test_transactions_longer_than_the_broker_allows_are_wrong(tmp_path: Path, allowed_ms: int, verdict: Verdict) -> None:
    config = config_of(tmp_path, "elsewhere:9092", "")
    assert transactions(config, BrokerFacts(1, (4, 3), allowed_ms)).verdict is verdict
