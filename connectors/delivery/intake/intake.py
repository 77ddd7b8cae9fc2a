"""The intake: one thread a topic, one that looks at the topics, and where they stand together."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from connectors.clients import KafkaConnection
from connectors.delivery.intake.status import Condition, IntakeStatus, State, Trouble
from connectors.delivery.intake.topic_readings import FormingReading, ResultsReading
from connectors.delivery.intake.topic_watch import TopicFacts, TopicWatch
from connectors.delivery.store.records import BarRecord
from connectors.delivery.store.store import Store
from connectors.errors import ConnectorError, StoreCorrupt, TopicMissing
from connectors.topics import Topics

__all__ = ["Intake", "IntakeStatus", "Listeners", "State", "Trouble"]
LOOK_S = 1.0
"""Between two looks at the topics."""
RETRY_S = 1.0
FIRST_LOOK_S = 0.05
"""How often a reading asks whether the first look is done."""
JOIN_S = 5.0
"""How long `stop` waits for a reading that the broker keeps waiting. Who only looks at topics is not waited for."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who is told. All are called on the intake's threads, and the reading waits for them."""

    results: Callable[[list[BarRecord]], None]
    """Finals and revisions that said something new, in order of their partitions; they are in the store already."""
    forming: Callable[[list[BarRecord]], None]
    changed: Callable[[IntakeStatus], None]
    """When `state`, `reason`, `caught_up` or `emptied` has become another one; what was handed on before was of the store as it was."""


class Intake:
    """Keeps a store at the end of its topic, and whoever listens at the end of both.

    While Kafka is away it is degraded and goes on by itself afterwards; partitions added later are read too; a topic made
    anew empties the store. With a damaged store, or a fault of ours, it has failed for good.
    """

    def __init__(self, connection: KafkaConnection, store: Store, listeners: Listeners, now_ms: Callable[[], int]) -> None:
        topics = Topics.of(connection)
        self._topics = topics
        self._store = store
        self._listeners = listeners
        self._watch = TopicWatch(connection)
        self._facts: dict[str, TopicFacts] = {}
        self._condition = Condition(lambda: listeners.changed(self.status()))
        self._results = ResultsReading(connection, topics.indicator_results, store, self._condition, listeners.results)
        self._forming = FormingReading(connection, topics.indicator_live, now_ms, self._condition, listeners.forming)
        self._stopping = threading.Event()
        self._looking = self._thread(self._keep_looking)
        self._reading = [
            self._thread(self._read, topics.indicator_results, self._results),
            self._thread(self._read, topics.indicator_live, self._forming),
        ]

    def start(self) -> None:
        """Begin reading."""
        for thread in (self._looking, *self._reading):
            thread.start()

    def stop(self) -> None:
        """End reading; what has been taken is in the store. Listeners must not wait for the caller meanwhile."""
        self._stopping.set()
        for thread in self._reading:
            thread.join(JOIN_S)

    def status(self) -> IntakeStatus:
        """Where it stands."""
        state, reason, detail = self._condition.now()
        facts = self._facts.get(self._topics.indicator_results)
        results, forming = self._results.taken, self._forming.taken
        return IntakeStatus(
            state=state,
            reason=reason,
            detail=detail,
            caught_up=self._condition.caught_up,
            behind=None if facts is None else self._results.behind(facts),
            results=results.records,
            forming=forming.records,
            unreadable=results.unreadable + forming.unreadable,
            newest_end_ms=self._store.newest_end_ms,
            emptied=self._condition.emptied,
        )

    # Threads -------------------------------------------------------------------------------------------------------

    def _thread(self, body: Callable[..., None], *arguments: object) -> threading.Thread:
        return threading.Thread(target=self._run, args=(body, *arguments), name=f"intake{body.__name__}", daemon=True)

    def _run(self, body: Callable[..., None], *arguments: object) -> None:
        """A thread must not end unnoticed."""
        try:
            body(*arguments)
        except Exception as error:
            if not self._stopping.is_set():
                reason = Trouble.STORE_FAILED if isinstance(error, StoreCorrupt) else Trouble.READ_FAILED
                self._condition.fail(reason, str(error) or repr(error))
                raise

    def _keep_looking(self) -> None:
        while not self._stopping.is_set():
            try:
                self._facts = self._watch.look((self._topics.indicator_results, self._topics.indicator_live))
            except ConnectorError as error:
                self._condition.trouble("looking", error)
            else:
                self._say_whether_missing(self._topics.indicator_results)
            self._stopping.wait(LOOK_S)

    def _say_whether_missing(self, topic: str) -> None:
        if topic in self._facts:
            self._condition.works("looking")
        else:
            self._condition.trouble("looking", TopicMissing(topic))

    def _read(self, topic: str, reading: ResultsReading | FormingReading) -> None:
        while not self._stopping.is_set():
            facts = self._facts.get(topic)
            if facts is None:
                self._stopping.wait(FIRST_LOOK_S)
                continue
            try:
                reading.follow(facts, partial(self._goes_on, topic, facts))
            except StoreCorrupt:
                raise
            except ConnectorError as error:
                self._condition.trouble(topic, error)
                self._stopping.wait(RETRY_S)

    def _goes_on(self, topic: str, facts: TopicFacts) -> bool:
        """Whether to read on: nobody wants an end, and the topic is still the one that is read, or cannot be looked at."""
        now = self._facts.get(topic, facts)
        return not self._stopping.is_set() and facts.is_same_topic(now)
