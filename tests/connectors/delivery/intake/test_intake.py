import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined] # exported, but not in __all__

from connectors.clients import KafkaConnection
from connectors.delivery.intake.intake import State, Trouble
from connectors.topics import create_topics
from jobs.local.broker import Broker, running
from jobs.local.java import find_java
from jobs.local.ports import free_ports
from tests.conftest import PROFILE, Figures, TestBroker
from tests.connectors.delivery.intake.reading_topics import Reading, Results, reading, said_by, send
from tests.connectors.delivery.store.records import value_of
from tests.connectors.gateway.running import wait_until
from tests.connectors.kafka_fixtures import connection_with_topics, specs_of


def admin_of(connection: KafkaConnection) -> AdminClient:
    return AdminClient({"bootstrap.servers": connection.bootstrap, "log_level": 0})


def some_bars(count: int, seed: int = 1) -> Iterator[bytes]:
    """Finals and revisions of a few series, often of the same bar."""
    chance = random.Random(seed)
    for _ in range(count):
        symbol, frame = chance.choice("ABCD"), chance.choice(("1min", "5min"))
        yield value_of(symbol, chance.randrange(30), time_frame=frame, revision=chance.randrange(3), close=chance.randrange(1_000))


def test_the_store_equals_the_topic_and_what_was_aborted_is_never_seen(broker: TestBroker, tmp_path: Path) -> None:
    connection = connection_with_topics(broker, "intake-committed.")
    results = Results(connection)
    with reading(connection, tmp_path / "store") as under_way:
        for number in range(5):
            results.begin(some_bars(40, number), number % 3).commit()
            results.begin([value_of("ABORTED", bar, run=9) for bar in range(5)], number % 3).abort()
        results.begin([value_of("OPEN")], 1)
        send(connection, "indicator_results", [value_of("BEHIND")], 1)
        under_way.catch_up()
        bars = under_way.bars()
        assert bars == said_by(connection)
        assert {symbol for symbol, _ in bars} == set("ABCD")
        assert {record.stock_id for record in under_way.results} == set("ABCD")
        results.commit()
        wait_until(lambda: {"BEHIND", "OPEN"} <= set(under_way.symbols))
        under_way.catch_up()
        assert under_way.bars() == said_by(connection)
        assert under_way.status.state is State.OK
        assert (under_way.status.results, under_way.status.unreadable, under_way.status.reason) == (202, 0, None)
        wait_until(lambda: under_way.status.behind == 0)


def test_a_store_is_rebuilt_when_it_is_deleted_and_goes_on_when_it_is_not(broker: TestBroker, tmp_path: Path, figures: Figures) -> None:
    count = 300_000 if PROFILE == "long" else 9_000
    connection, file = connection_with_topics(broker, "intake-rebuilt."), tmp_path / "store"
    results = Results(connection)
    for partition in range(3):
        symbols = [f"S{partition}-{number}" for number in range(10)]
        results.begin((value_of(symbols[number % 10], number // 10) for number in range(count // 3)), partition).commit()

    def read() -> Reading:
        begun_s = time.monotonic()
        with reading(connection, file) as under_way:
            under_way.catch_up()
            rate = len(under_way.results) / (time.monotonic() - begun_s)
            assert under_way.bars() == said_by(connection)
        if len(under_way.results) >= count:
            figures(f"delivery: {len(under_way.results):,} records read into an empty store: {rate:,.0f} records/s, the start included")
        return under_way

    assert len(read().results) == count
    later = [value_of("S2-1", 7, revision=1), value_of("B")]
    results.begin(later, 2).commit()
    assert [record.value for record in read().results] == later
    file.unlink()
    assert len(read().results) == count + 2


def test_only_the_newest_bars_are_kept_of_a_long_topic(broker: TestBroker, tmp_path: Path) -> None:
    connection = connection_with_topics(broker, "intake-kept.")
    Results(connection).begin(some_bars(600)).commit()
    with reading(connection, tmp_path / "store", bars_kept=7) as under_way:
        under_way.catch_up()
        assert under_way.bars() == said_by(connection, bars_kept=7)
        assert {len(bars) for bars in under_way.bars().values()} == {7}


def test_what_is_no_result_is_counted_and_passed_over(broker: TestBroker, tmp_path: Path) -> None:
    connection = connection_with_topics(broker, "intake-bad.")
    good, forming = value_of(), value_of("F", status="forming", as_of_ms=1)
    send(connection, "indicator_results", [b"nonsense", None, good, forming, b"\xff"])
    send(connection, "indicator_live", [good, forming, b"{}"])
    with reading(connection, tmp_path / "store") as under_way:
        wait_until(lambda: under_way.status.forming == 3)
        under_way.catch_up()
        assert [record.value for record in under_way.results] == [good]
        assert [record.value for record in under_way.forming] == [forming]
        assert (under_way.status.results, under_way.status.unreadable) == (5, 6)
        assert under_way.store.positions() == {0: 5}
        send(connection, "indicator_live", [forming], 2)
        wait_until(lambda: len(under_way.forming) == 2)


def test_a_topic_made_anew_empties_the_store_and_partitions_added_are_read(broker: TestBroker, tmp_path: Path) -> None:
    connection = connection_with_topics(broker, "intake-anew.")
    topic, admin = "intake-anew.indicator_results", admin_of(connection)

    def make_anew(said: bytes) -> None:
        admin.delete_topics([topic])[topic].result(20)
        wait_until(lambda: topic not in admin.list_topics().topics)
        assert not create_topics(connection, specs_of("intake-anew.")).differences
        send(connection, "indicator_results", [said], 1)

    send(connection, "indicator_results", [value_of("OLD", bar, run=5) for bar in range(20)], 1)
    with reading(connection, tmp_path / "store") as under_way:
        under_way.catch_up()
        make_anew(value_of("NEW"))
        wait_until(lambda: under_way.symbols == ["NEW"])
        under_way.catch_up()
        assert under_way.bars() == said_by(connection)
        admin.create_partitions([NewPartitions(topic, 5)])[topic].result(20)
        send(connection, "indicator_results", [value_of("ADDED")], 4)
        wait_until(lambda: under_way.symbols == ["ADDED", "NEW"])
        under_way.catch_up()
        assert under_way.bars() == said_by(connection)
        assert (under_way.status.state, "catching_up" in under_way.states) == (State.OK, True)
        assert [status.emptied for status in under_way.told if status.state is State.CATCHING_UP] == [1]
    make_anew(value_of("NEWER"))
    with reading(connection, tmp_path / "store") as under_way:
        under_way.catch_up()
        assert under_way.bars() == said_by(connection)
        assert (1, "the topic was made anew") in [(status.emptied, status.detail) for status in under_way.told]


def test_records_that_are_gone_before_they_were_read_empty_the_store(broker: TestBroker, tmp_path: Path) -> None:
    connection = connection_with_topics(broker, "intake-gone.")
    admin = admin_of(connection)

    def delete_before(first: int) -> None:
        gone = TopicPartition("intake-gone.indicator_results", 0, first)
        admin.delete_records([gone])[gone].result(20)

    send(connection, "indicator_results", [value_of("A", bar) for bar in range(10)])
    with reading(connection, tmp_path / "store") as under_way:
        under_way.catch_up()
    delete_before(10)
    send(connection, "indicator_results", [value_of("B", bar) for bar in range(10)])
    with reading(connection, tmp_path / "store") as under_way:
        under_way.catch_up()
        assert {symbol: len(bars) for (symbol, _), bars in under_way.bars().items()} == {"A": 10, "B": 10}
    send(connection, "indicator_results", [value_of("C", bar) for bar in range(10)])
    delete_before(21)
    with reading(connection, tmp_path / "store") as under_way:
        under_way.catch_up()
        assert under_way.bars() == said_by(connection)
        assert "records of partition 0 are gone that were not read" in [status.detail for status in under_way.told]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_damaged_store_ends_it_and_the_next_one_begins_anew(broker: TestBroker, tmp_path: Path) -> None:
    connection, file = connection_with_topics(broker, "intake-damaged."), tmp_path / "store"
    send(connection, "indicator_results", [value_of("A", bar) for bar in range(500)])
    with reading(connection, file) as under_way:
        under_way.catch_up()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] + os.urandom(len(whole) // 2))
    send(connection, "indicator_results", [value_of("A", bar, revision=1) for bar in range(500)])
    with reading(connection, file) as under_way:
        wait_until(lambda: under_way.status.state is State.FAILED)
        assert (under_way.status.reason, under_way.states[-1], under_way.results) == (Trouble.STORE_FAILED, "failed", [])
    with reading(connection, file) as under_way:
        under_way.catch_up()
        assert under_way.bars() == said_by(connection)


def test_a_topic_that_is_not_there_is_waited_for(broker: TestBroker, tmp_path: Path) -> None:
    connection = KafkaConnection(broker.bootstrap, topic_prefix="intake-waits.")
    with reading(connection, tmp_path / "store") as under_way:
        wait_until(lambda: under_way.status.reason is Trouble.TOPIC_MISSING)
        assert under_way.status.state is State.DEGRADED
        assert not create_topics(connection, specs_of("intake-waits.")).differences
        send(connection, "indicator_results", [value_of()])
        under_way.catch_up()
        assert under_way.bars() == said_by(connection)
        assert under_way.status.state is State.OK


@pytest.mark.long
def test_while_kafka_is_away_it_says_so_and_goes_on_by_itself(jars: Path, tmp_path: Path) -> None:
    own = Broker(f"127.0.0.1:{free_ports(2)}", tmp_path / "broker", jars, find_java(os.environ).executable)
    connection, log = KafkaConnection(own.address), tmp_path / "broker.log"
    with reading(connection, tmp_path / "store") as under_way:
        wait_until(lambda: under_way.status.reason is Trouble.KAFKA_UNREACHABLE)
        assert (under_way.states, under_way.status.caught_up, under_way.status.behind) == (["degraded"], False, None)
        with running(own, log, os.environ):
            assert not create_topics(connection, specs_of("")).differences
            send(connection, "indicator_results", [value_of("A", bar) for bar in range(10)])
            under_way.catch_up()
        wait_until(lambda: under_way.status.state is State.DEGRADED)
        assert (under_way.status.caught_up, len(under_way.bars()["A", "1min"])) == (True, 10)
        with running(own, log, os.environ):
            send(connection, "indicator_results", [value_of("A", bar) for bar in range(10, 20)], 1)
            send(connection, "indicator_live", [value_of("A", 20, status="forming")])
            wait_until(lambda: under_way.status.state is State.OK and under_way.forming)
            under_way.catch_up()
            assert under_way.bars() == said_by(connection)
            assert [record.value for record in under_way.results] == [value_of("A", bar) for bar in range(20)]
