"""How fast a total grows."""

from collections import deque


class Rate:
    """A total seen now and then, and how much a second it has grown over about the last `window_ms`. No clock: it is told the time."""

    def __init__(self, window_ms: int = 5_000) -> None:
        self._window_ms = window_ms
        self._seen: deque[tuple[int, float]] = deque()

    def per_second(self, total: float, now_ms: int) -> float:
        """Take the total as it is now; 0.0 at the first time, and when it has shrunk (it was begun anew)."""
        if self._seen and (total < self._seen[-1][1] or now_ms < self._seen[-1][0]):
            self._seen.clear()
        self._seen.append((now_ms, total))
        while len(self._seen) > 2 and now_ms - self._seen[1][0] >= self._window_ms:
            self._seen.popleft()
        since_ms, before = self._seen[0]
        return (total - before) * 1_000 / (now_ms - since_ms) if now_ms > since_ms else 0.0
