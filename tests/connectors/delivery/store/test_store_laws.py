"""Whatever batches records come in, and wherever the process is killed: the store says what the topic says, read from its beginning."""

import random
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.store.records import read_record
from connectors.delivery.store.store import Store
from connectors.errors import StoreUnusable
from tests.connectors.delivery.store.oracle import Placed, all_of, newest_of_topic
from tests.connectors.delivery.store.records import value_of

pytestmark = pytest.mark.timeout(900)  # 2,000 examples a law in the long profile


class Step(NamedTuple):
    """What happens to the process: it takes so many records, and then goes on, stops, fails, or is killed."""

    records: int
    then: str


contents = st.builds(
    value_of,
    st.sampled_from(("A", "B")),
    st.integers(0, 3),
    time_frame=st.sampled_from(("1min", "5min")),
    run=st.integers(1, 2),
    revision=st.integers(0, 1),
    close=st.integers(1, 1_000),
)
topics = st.lists(st.tuples(st.integers(0, 2), contents), max_size=40)
lives = st.lists(st.builds(Step, st.integers(0, 9), st.sampled_from(("go on", "go on", "stop", "fail", "kill"))), max_size=12)


def placed(said: Sequence[tuple[int, bytes]]) -> list[Placed]:
    """With the offsets that they get; each third one is a marker's, as transactions leave them."""
    ends: Counter[int] = Counter()
    records = []
    for partition, value in said:
        ends[partition] += 1 + (ends[partition] % 3 == 2)
        records.append(Placed(partition, ends[partition] - 1, value))
    return records


class Process:
    """A reader of the topic with its store, which goes on from the positions in it."""

    def __init__(self, topic: Sequence[Placed], folder: Path, bars_kept: int) -> None:
        self.topic, self.folder, self.bars_kept = topic, folder, bars_kept
        self.file = folder / "0.sqlite"
        self.lives = 0
        self.store = Store(self.file, bars_kept)

    def take(self, count: int, *, fail: bool = False) -> None:
        known = self.store.positions()
        batch = [record for record in self.topic if record.offset >= known.get(record.partition, 0)][:count]
        positions = {record.partition: record.offset + 1 for record in batch}
        records = [read_record(record.value, record.partition, record.offset) for record in batch]
        if not fail:
            self.store.apply(records, positions)
            return
        try:
            self.store.apply(records, {**positions, 9: None})  # type: ignore[dict-item] # what SQLite refuses
        except StoreUnusable:
            assert self.store.positions() == known
        else:
            raise AssertionError("a position must be a number")

    def end(self, then: str) -> None:
        """A kill leaves the files as they are at that moment, write-ahead log and all."""
        if then == "kill":
            self.lives += 1
            left = self.folder / f"{self.lives}.sqlite"
            for suffix in ("", "-wal"):
                if (part := self.file.with_name(self.file.name + suffix)).exists():
                    shutil.copy(part, left.with_name(left.name + suffix))
            self.file = left
        self.store.close()
        self.store = Store(self.file, self.bars_kept)


@given(topics, lives, st.sampled_from((1, 2, 1_000)))
def test_the_store_equals_the_newest_of_the_topic(said: list[tuple[int, bytes]], lives: list[Step], bars_kept: int) -> None:
    topic = placed(said)
    with TemporaryDirectory() as folder:
        process = Process(topic, Path(folder), bars_kept)
        for step in lives:
            process.take(step.records, fail=step.then == "fail")
            if step.then in ("stop", "kill"):
                process.end(step.then)
        process.take(len(topic))
        reader = process.store.reader()
        assert all_of(reader) == newest_of_topic(topic, bars_kept)
        assert reader.positions() == {record.partition: record.offset + 1 for record in topic}
        reader.close()
        process.store.close()


@given(topics, st.lists(st.integers(1, 9), max_size=40))
def test_what_is_handed_on_does_not_depend_on_how_records_are_cut_into_batches(said: list[tuple[int, bytes]], cuts: list[int]) -> None:
    records = [read_record(record.value, record.partition, record.offset) for record in placed(said)]
    with TemporaryDirectory() as folder:
        whole, cut = Store(Path(folder, "whole"), 1_000), Store(Path(folder, "cut"), 1_000)
        expected, handed_on, start = whole.apply(records, {}), [], 0
        for size in [*cuts, len(records)]:
            handed_on += cut.apply(records[start : start + size], {})
            start += size
        assert handed_on == expected
        whole.close()
        cut.close()


@given(topics, st.randoms(use_true_random=False))
def test_how_partitions_come_between_one_another_does_not_matter(said: list[tuple[int, bytes]], chance: random.Random) -> None:
    topic = placed(said)
    waiting = [[record for record in topic if record.partition == partition] for partition in range(3)]
    with TemporaryDirectory() as folder:
        store = Store(Path(folder, "store"), 1_000)
        while left := [partition for partition in waiting if partition]:
            record = chance.choice(left).pop(0)
            store.apply([read_record(record.value, record.partition, record.offset)], {record.partition: record.offset + 1})
        reader = store.reader()
        assert all_of(reader) == newest_of_topic(topic, 1_000)
        reader.close()
        store.close()
