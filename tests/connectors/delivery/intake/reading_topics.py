"""An intake on a real broker, what it tells, and producers of results that use transactions as the job does."""

import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Self

from confluent_kafka import Producer

from connectors.clients import KafkaConnection
from connectors.consumer import end_offsets
from connectors.delivery.intake.intake import Intake, IntakeStatus, Listeners
from connectors.delivery.store.records import BarRecord
from connectors.delivery.store.store import Store
from tests.connectors.delivery.store.oracle import Bars, Placed, all_of, newest_of_topic
from tests.connectors.gateway.running import now_ms, records_of, wait_until

EVERY_BAR = 1_000_000
_names = count()


class Results:
    """A transactional producer into `indicator_results`."""

    def __init__(self, connection: KafkaConnection) -> None:
        self.topic = f"{connection.topic_prefix}indicator_results"
        self._producer = Producer(
            {"bootstrap.servers": connection.bootstrap, "transactional.id": f"{self.topic}-{next(_names)}", "linger.ms": 5, "log_level": 0}
        )
        self._producer.init_transactions(20)

    def begin(self, values: Iterable[bytes | None], partition: int = 0) -> Self:
        """Send, and leave it open."""
        self._producer.begin_transaction()
        for value in values:
            self._producer.produce(self.topic, value, b"key", partition)
            self._producer.poll(0)
        self._producer.flush(20)
        return self

    def commit(self) -> None:
        self._producer.commit_transaction(20)

    def abort(self) -> None:
        self._producer.abort_transaction(20)


def send(connection: KafkaConnection, topic: str, values: Iterable[bytes | None], partition: int = 0) -> None:
    """Without a transaction."""
    producer = Producer({"bootstrap.servers": connection.bootstrap, "linger.ms": 5, "log_level": 0})
    for value in values:
        producer.produce(connection.topic_prefix + topic, value, b"key", partition)
    assert producer.flush(20) == 0


class Reading:
    """An intake at work, and everything it has told."""

    def __init__(self, connection: KafkaConnection, file: Path, bars_kept: int = EVERY_BAR) -> None:
        self.results: list[BarRecord] = []
        self.forming: list[BarRecord] = []
        self.told: list[IntakeStatus] = []
        self._connection, self._topic = connection, f"{connection.topic_prefix}indicator_results"
        self.store = Store(file, bars_kept)
        self.intake = Intake(connection, self.store, Listeners(self.results.extend, self.forming.extend, self.told.append), now_ms)

    @property
    def status(self) -> IntakeStatus:
        return self.intake.status()

    @property
    def states(self) -> list[str]:
        return [status.state.value for status in self.told]

    def catch_up(self) -> None:
        """Wait until it is at the end that the topic has now, markers and aborted records included."""
        wait_until(lambda: self.status.caught_up, 60)
        ends = {partition: end for partition, end in end_offsets(self._connection, self._topic).items() if end}
        wait_until(lambda: self.store.positions() == ends, 60)

    @property
    def symbols(self) -> list[str]:
        """At any time; `bars` only while nothing is written."""
        with closing(self.store.reader()) as reader:
            return [each.stock_id for each in reader.symbols()[0]]

    def bars(self) -> Bars:
        with closing(self.store.reader()) as reader:
            return all_of(reader)


@contextmanager
def reading(connection: KafkaConnection, file: Path, bars_kept: int = EVERY_BAR) -> Iterator[Reading]:
    """An intake until the block ends; it must end at once."""
    under_way = Reading(connection, file, bars_kept)
    under_way.intake.start()
    try:
        yield under_way
    finally:
        begun_s = time.monotonic()
        under_way.intake.stop()
        took_s = time.monotonic() - begun_s
        under_way.store.close()
        assert took_s < 3, "an intake ends between two reads"


def said_by(connection: KafkaConnection, bars_kept: int = EVERY_BAR) -> Bars:
    """What the topic says, by a client that the product does not use."""
    records = records_of(connection.bootstrap, f"{connection.topic_prefix}indicator_results", "read_committed")
    return newest_of_topic((Placed(each.partition, each.offset, each.value) for each in records), bars_kept)
