"""What the HTTP routes are given to answer with."""

from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.delivery.http.parameters import Offer
from connectors.delivery.http.responses import REVALIDATE, SETTLED, AnswerCache
from connectors.delivery.live.hub import Hub
from connectors.delivery.store.reading import Reading
from connectors.delivery.store.records import Series
from connectors.topics import Topics
from udfs.frames import Frame
from udfs.indicators.descriptions import Description


@dataclass(frozen=True, slots=True)
class HttpDeps:
    """Where the answers come from, and what this instance serves."""

    reading: Reading
    """The store."""
    changes: Callable[[Series], int]
    """Grows with every change of a series in the store: the store's own."""
    hub: Hub
    """What is forming, and who is told."""
    caught_up: Callable[[], bool]
    """Whether what was in the topic at the start has been read: before that a range may look settled that a later run has again."""
    frames: tuple[Frame, ...]
    """Configured, shortest first."""
    indicators: tuple[Description, ...]
    allowed_lateness_ms: int
    now_ms: Callable[[], int]
    version: str
    topics: Topics
    """Where the records are."""
    with_keys: bool
    """Whether keys are asked for: then no proxy may keep an answer for others."""
    max_symbols: int = 1_024
    """Symbols of one query."""
    cache: AnswerCache = field(default_factory=AnswerCache)

    def cache_control(self, *, settled: bool = False) -> str:
        """How long an answer may be kept, and by whom."""
        kept = SETTLED if settled else REVALIDATE
        return f"private, {kept}" if self.with_keys else kept

    @property
    def offer(self) -> Offer:
        """What queries may ask for."""
        return Offer(self.frames, self.indicators, self.max_symbols)
