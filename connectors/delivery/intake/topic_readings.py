"""Reading the two result topics: committed results into the store, forming bars past it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from connectors.clients import KafkaConnection
from connectors.consumer import Record, TopicReader, begin_offsets, end_offsets
from connectors.delivery.intake.status import Condition
from connectors.delivery.intake.topic_watch import TopicFacts
from connectors.delivery.store.records import BarRecord, read_record
from connectors.delivery.store.store import Store
from connectors.errors import DecodeError
from connectors.topic_metadata import offsets_at
from udfs.model import Status

WAIT_S = 0.25
"""How long a reader waits for records before it looks whether it should go on."""
FILL_S = 0.05
"""How long records are gathered for one transaction while the end is not reached: pages are written once for more of them."""
LOOK_BACK_MS = 60_000
"""Forming bars as old as this are read at the start: symbols that trade now and then have one too."""
GoOn = Callable[[], bool]


@dataclass(slots=True)
class Taken:
    """What a reading has counted."""

    records: int = 0
    unreadable: int = 0
    """Of them, the ones that were passed over."""

    def read(self, records: Sequence[Record], *, forming: bool) -> list[BarRecord]:
        """The bars in `records`; what is no result, or belongs into the other topic, is passed over."""
        bars = []
        for record in records:
            try:
                bar = read_record(record.value, record.partition, record.offset)
            except DecodeError:
                continue
            if (bar.status is Status.FORMING) is forming:
                bars.append(bar)
        self.records += len(records)
        self.unreadable += len(records) - len(bars)
        return bars


class ResultsReading:
    """Brings `indicator_results` into the store, transaction by transaction, and hands on what said something new."""

    def __init__(
        self, connection: KafkaConnection, topic: str, store: Store, condition: Condition, hand_on: Callable[[list[BarRecord]], None]
    ) -> None:
        self._connection = connection
        self._topic = topic
        self._store = store
        self._condition = condition
        self._hand_on = hand_on
        self._begins: Mapping[int, int] = {}
        self.taken = Taken()

    def follow(self, facts: TopicFacts, go_on: GoOn) -> None:
        """Read on from where the store is, for as long as `go_on` says. Raises ConnectorError."""
        self._begins = begin_offsets(self._connection, self._topic)
        why = self._store.rebuild_unless_of(facts.topic_id, self._begins, end_offsets(self._connection, self._topic))
        if why is not None:
            self._condition.catch_up(done=False, why_behind=why)
        with TopicReader(self._connection, self._topic, from_offsets=self._store.positions()) as reader:
            while go_on():
                self._take(reader)

    def behind(self, facts: TopicFacts) -> int:
        """Offsets between the store and the end of the topic."""
        reached = {**self._begins, **self._store.positions()}
        return sum(max(0, end - reached.get(partition, 0)) for partition, end in facts.ends.items())

    def _take(self, reader: TopicReader) -> None:
        records = reader.read(WAIT_S, fill_s=0.0 if reader.at_end else FILL_S)
        reached = self._reached(records, reader)
        if reached:
            newer = self._store.apply(self.taken.read(records, forming=False), reached)
            if newer:
                self._hand_on(newer)
        self._condition.works(self._topic)
        if reader.at_end and not self._condition.caught_up:
            self._condition.catch_up(done=True)

    def _reached(self, records: Sequence[Record], reader: TopicReader) -> dict[int, int]:
        """The positions that `records` lead to; an end behind markers counts too, else they would look like records unread."""
        reached = {record.partition: record.offset + 1 for record in records}
        known = self._store.positions()
        for partition, end in reader.ended_at.items():
            if end > reached.get(partition, known.get(partition, 0)):
                reached[partition] = end
        return reached


class FormingReading:
    """Hands on `indicator_live` from a minute ago on. Nothing of it is kept: a forming bar is out of date in a second."""

    def __init__(
        self, connection: KafkaConnection, topic: str, now_ms: Callable[[], int], condition: Condition,
        hand_on: Callable[[list[BarRecord]], None],
    ) -> None:  # fmt: skip
        self._connection = connection
        self._topic = topic
        self._now_ms = now_ms
        self._condition = condition
        self._hand_on = hand_on
        self.taken = Taken()

    def follow(self, facts: TopicFacts, go_on: GoOn) -> None:
        """Read for as long as `go_on` says. Raises ConnectorError."""
        start = offsets_at(self._connection, self._topic, self._now_ms() - LOOK_BACK_MS)
        with TopicReader(self._connection, self._topic, isolation="read_uncommitted", from_offsets=start) as reader:
            while go_on():
                bars = self.taken.read(reader.read(WAIT_S), forming=True)
                self._condition.works(self._topic)
                if bars:
                    self._hand_on(bars)
