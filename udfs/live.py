"""When forming bars are shown: at most once an interval a symbol, and never with more than a share of the task's time."""

from dataclasses import dataclass
from math import ceil

LEAST_PART = 0.25
"""Of the budget, for a task that has no time left."""
_LOOK_MS = 1_000
"""How often the throttle looks at what else the task does."""


@dataclass(frozen=True, slots=True)
class LiveRules:
    """Settings of the live topic; they decide when something is shown, never what."""

    enabled: bool = True
    interval_ms: int = 1_000
    budget: float = 0.2
    """The share of the task's time that forming records may take of an idle task; less of one that is at work."""


class LiveThrottle:
    """A leading and trailing edge throttle for each symbol: the first tick shows at once, the last one always.

    What showing costs is paid back at the rate of the budget, by all symbols together, before any is shown again: when
    they are many, the interval of each stretches until the share is kept, and shrinks as soon as they are few.
    The budget is of the time that other work leaves: a task that has to catch up spends a quarter of it.
    Kept in memory only. After a restart each symbol shows again with its next tick.
    """

    def __init__(self, rules: LiveRules) -> None:
        self._rules = rules
        self._next_ms: dict[str, int] = {}
        self._waiting: set[str] = set()
        self._paid_ms = 0.0
        """When the time that showing has taken so far will be no more than its share."""
        self._share = rules.budget
        self._looked_ms = 0
        self._worked_ms = self._showed_ms = 0.0
        """By the last look, and since it."""

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

    def shown(self, symbol: str, now_ms: int, cost_ms: float, worked_ms: float) -> None:
        """The symbol was shown, which took `cost_ms`: note when it may be shown again.

        `worked_ms` is all the time that the task has worked so far, this and other showing included.
        """
        self._waiting.discard(symbol)
        self._showed_ms += cost_ms
        if now_ms - self._looked_ms >= _LOOK_MS:
            self._look(now_ms, worked_ms)
        self._paid_ms = max(self._paid_ms, now_ms) + cost_ms / self._share
        self._next_ms[symbol] = max(now_ms + self._rules.interval_ms, ceil(self._paid_ms))

    def _look(self, now_ms: int, worked_ms: float) -> None:
        other_ms = max(0.0, worked_ms - self._worked_ms - self._showed_ms)
        left = 1 - other_ms / (now_ms - self._looked_ms)
        self._share = self._rules.budget * max(LEAST_PART, left)
        self._looked_ms, self._worked_ms, self._showed_ms = now_ms, worked_ms, 0.0
