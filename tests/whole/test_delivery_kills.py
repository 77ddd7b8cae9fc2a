"""The delivery killed again and again while it writes: its store is what the topic says."""

import os
import random
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from connectors.clients import KafkaConnection
from connectors.delivery.store.store import Store
from jobs.local.process import kill_group, spawn
from tests.conftest import Figures, TestBroker
from tests.connectors.delivery.intake.reading_topics import Results, said_by
from tests.connectors.delivery.store.oracle import all_of
from tests.connectors.delivery.store.records import value_of
from tests.connectors.gateway.running import wait_until
from tests.docs.markdown import ROOT
from tests.whole.page.delivery import DeliveryProcess

SYMBOLS = 40
AT_ONCE = 200
"""Records in a transaction."""
MORE = 2_000
"""Offsets that the store moves on between two kills, at least."""
STILL_S = 0.05
"""Up to this long after that comes the kill: anywhere within a transaction, or between two."""


class Job(threading.Thread):
    """Finals and revisions, transaction after transaction, each fifth aborted, until it is told to stop."""

    def __init__(self, connection: KafkaConnection) -> None:
        super().__init__(daemon=True)
        self._results = Results(connection)
        self._chance = random.Random(6)
        self.stopped = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.stopped.is_set():
            aborted = number % 5 == 4
            self._results.begin(self._bars(number, run=2 if aborted else 1), number % 3)
            self._results.abort() if aborted else self._results.commit()
            number += 1
            time.sleep(0.02)

    def _bars(self, number: int, run: int) -> Iterator[bytes]:
        """Of symbols of this partition: mostly the next bars, some of earlier ones again."""
        for place in range(AT_ONCE):
            bar = number * AT_ONCE // SYMBOLS + place // SYMBOLS
            old = self._chance.randrange(10) == 0
            symbol = f"{number % 3}-{place % SYMBOLS}"
            yield value_of(symbol, self._chance.randrange(bar + 1) if old else bar, revision=int(old), run=run, close=place)


def offsets_in(file: Path) -> int:
    """How far the store has come, over all partitions, read without our code."""
    if not file.exists():
        return 0
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
        try:
            return int(connection.execute("SELECT ifnull(sum(next_offset), 0) FROM positions").fetchone()[0])
        except sqlite3.OperationalError:  # no tables yet
            return 0


def kill_amid_writing(delivery: DeliveryProcess, after_s: float) -> None:
    """Start it, and kill it when it has written for a while."""
    file = delivery.config.delivery_store
    enough = offsets_in(file) + MORE
    process = spawn([sys.executable, "-m", "jobs.cli.main", *delivery.options, "delivery"], delivery.log, os.environ, ROOT)
    try:
        wait_until(lambda: offsets_in(file) > enough or process.poll() is not None, 60)
        assert process.poll() is None, delivery.log.read_text()
        time.sleep(after_s)
    finally:
        kill_group(process)


def test_killed_while_it_writes_its_store_equals_the_topic_afterwards(
    broker: TestBroker, tmp_path: Path, long_run: bool, figures: Figures
) -> None:
    kills, chance = 10 if long_run else 2, random.Random(7)
    settings = {"kafka.bootstrap": broker.bootstrap, "kafka.topic_prefix": "delivery-kills.", "kafka.partitions": "3"}
    delivery = DeliveryProcess(settings, tmp_path)
    connection, bars_kept = delivery.config.kafka_connection(), delivery.config.delivery.bars_kept
    job = Job(connection)
    job.start()
    for _ in range(kills):
        kill_amid_writing(delivery, chance.uniform(0, STILL_S))
    job.stopped.set()
    job.join()
    delivery.start()
    delivery.stop()
    with closing(Store(delivery.config.delivery_store, bars_kept)) as store:
        bars = all_of(store.reader())
    figures(f"delivery: {kills} kills, {offsets_in(delivery.config.delivery_store):,} offsets, {sum(map(len, bars.values())):,} bars")
    assert bars == said_by(connection, bars_kept)
