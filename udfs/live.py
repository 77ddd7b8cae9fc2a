"""When forming bars are shown: at most once an interval a symbol, and never with more than a share of the task's time."""

from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class LiveRules:
    """Settings of the live topic; they decide when something is shown, never what."""

    enabled: bool = True
    interval_ms: int = 1_000
    budget: float = 0.2
    """The share of the task's time that forming records may take."""


class LiveThrottle:
    """A leading and trailing edge throttle for each symbol: the first tick shows at once, the last one always.

    What showing costs is paid back at the rate of the budget, by all symbols together, before any is shown again: when
    they are many, the interval of each stretches until the share is kept, and shrinks as soon as they are few.
    Kept in memory only. After a restart each symbol shows again with its next tick.
    """

    def __init__(self, rules: LiveRules) -> None:
        self._rules = rules
        self._next_ms: dict[str, int] = {}
        self._waiting: set[str] = set()
        self._paid_ms = 0.0
        """When the time that showing has taken so far will be no more than its share."""

    def tick(self, symbol: str, now_ms: int) -> bool:
        """A tick came: True when the symbol is to be shown now."""
        return self._rules.enabled and now_ms >= self._next_ms.get(symbol, 0)

    def wait(self, symbol: str) -> int | None:
        """The symbol could not be shown: when to look again, None when somebody waits for it already."""
        if not self._rules.enabled or symbol in self._waiting:
            return None
        self._waiting.add(symbol)
        return self._next_ms[symbol]

    def timer(self, symbol: str, now_ms: int) -> bool:
        """A timer fired: True when a tick of the symbol still waits to be shown and its time has come."""
        if symbol not in self._waiting or now_ms < self._next_ms.get(symbol, 0):
            return False
        self._waiting.discard(symbol)
        return True

    def shown(self, symbol: str, now_ms: int, cost_ms: float) -> None:
        """The symbol was shown, which took `cost_ms`: note when it may be shown again."""
        self._waiting.discard(symbol)
        self._paid_ms = max(self._paid_ms, now_ms) + cost_ms / self._rules.budget
        self._next_ms[symbol] = max(now_ms + self._rules.interval_ms, ceil(self._paid_ms))
