"""Where the intake stands: its states, why it is in one of them, and what it has counted."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from connectors.errors import ConnectorError, KafkaUnreachable, StoreUnusable, TopicMissing


class State(StrEnum):
    """What can be said of the bars in the store."""

    CATCHING_UP = "catching_up"
    """They are not yet what the topic said when this process started."""
    OK = "ok"
    DEGRADED = "degraded"
    """They may be old: Kafka or the store's disk is in trouble. It is tried again and again."""
    FAILED = "failed"
    """Nothing more will come: the process has to be started again."""


class Trouble(StrEnum):
    """Why nothing comes."""

    KAFKA_UNREACHABLE = "kafka_unreachable"
    TOPIC_MISSING = "topic_missing"
    READ_FAILED = "read_failed"
    STORE_FAILED = "store_failed"

    @classmethod
    def of(cls, error: ConnectorError) -> "Trouble":
        """What `error` stands for."""
        if isinstance(error, StoreUnusable):
            return cls.STORE_FAILED
        if isinstance(error, TopicMissing):
            return cls.TOPIC_MISSING
        return cls.KAFKA_UNREACHABLE if isinstance(error, KafkaUnreachable) else cls.READ_FAILED


@dataclass(frozen=True, slots=True)
class IntakeStatus:
    """One look at the intake."""

    state: State
    reason: Trouble | None
    """Why it is degraded or has failed."""
    detail: str
    """That in words; while catching up, why the store had to be emptied, if it had."""
    caught_up: bool
    """Whether the store has once been at the end that the topic had when reading began."""
    behind: int | None
    """Offsets between what is in the store and the end of the topic; None while that is unknown."""
    results: int
    """Records taken of `indicator_results`."""
    forming: int
    """Records taken of `indicator_live`."""
    unreadable: int
    """Records of either that were passed over."""
    newest_end_ms: int | None
    """The end of the newest final bar."""
    emptied: int = 0
    """How often the store had to be emptied, as its topic cannot be read on from where it was: what it said before does not hold."""


class Condition:
    """Where the intake stands, as its threads say it; `tell` hears of it whenever that becomes another thing."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._troubles: dict[str, ConnectorError] = {}
        self._failure: tuple[Trouble, str] | None = None
        self._caught_up = False
        self._why_behind = ""
        self.emptied = 0
        """How often the store had to begin anew."""
        self._told: tuple[object, ...] = ()

    def trouble(self, where: str, error: ConnectorError) -> None:
        """What is done at `where` does not work for now."""
        self._troubles[where] = error
        self._tell_changes()

    def works(self, where: str) -> None:
        """What is done at `where` works."""
        if self._troubles.pop(where, None) is not None:
            self._tell_changes()

    def fail(self, reason: Trouble, detail: str) -> None:
        """It is over."""
        self._failure = reason, detail
        self._tell_changes()

    def catch_up(self, *, done: bool, why_behind: str = "") -> None:
        """The store is at the topic's end, or has to begin anew."""
        self._caught_up, self._why_behind = done, why_behind
        self.emptied += not done
        self._tell_changes()

    @property
    def caught_up(self) -> bool:
        """Whether the store has reached the end."""
        return self._caught_up

    def now(self) -> tuple[State, Trouble | None, str]:
        """State, reason and detail."""
        if self._failure is not None:
            return State.FAILED, *self._failure
        for error in tuple(self._troubles.values()):
            return State.DEGRADED, Trouble.of(error), str(error)
        return (State.OK, None, "") if self._caught_up else (State.CATCHING_UP, None, self._why_behind)

    def _tell_changes(self) -> None:
        with self._lock:
            state, reason, _ = self.now()
            if self._told != (now := (state, reason, self._caught_up, self.emptied)):
                self._told = now
                self._tell()
