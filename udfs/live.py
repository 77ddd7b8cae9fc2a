"""When forming bars are shown: at most once an interval a symbol, and never with more than a share of the task's time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LiveRules:
    """Settings of the live topic; they decide when something is shown, never what."""

    enabled: bool = True
    interval_ms: int = 1_000
    budget: float = 0.2
    """The share of the task's time that forming records may take."""


class LiveThrottle:
    """A leading and trailing edge throttle for each symbol: the first tick shows at once, the last one always.

    Kept in memory only. After a restart each symbol shows again with its next tick.
    """

    def __init__(self, rules: LiveRules) -> None:
        self._rules = rules
        self._next_ms: dict[str, int] = {}
        self._waiting: set[str] = set()
        self._stretch = 1.0
        self._window_ms = 0
        self._spent_ms = 0.0

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
        self._account(now_ms, cost_ms)
        self._next_ms[symbol] = now_ms + round(self._rules.interval_ms * self._stretch)

    def _account(self, now_ms: int, cost_ms: float) -> None:
        """Stretch the interval once a second by how far the share of time spent was over the budget."""
        self._spent_ms += cost_ms
        elapsed_ms = now_ms - self._window_ms
        if elapsed_ms >= 1_000:
            self._stretch = max(1.0, self._stretch * self._spent_ms / elapsed_ms / self._rules.budget)
            self._window_ms, self._spent_ms = now_ms, 0.0
