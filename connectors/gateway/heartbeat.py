"""How far event time has come for all feeds of a gateway: what its heartbeats say."""

from collections.abc import Iterable


class Feed:
    """What one connection tells of event time. Instants are monotonic seconds, event times epoch ms."""

    __slots__ = ("heard_s", "newest_ms", "newest_s", "replay")

    def __init__(self, now_s: float) -> None:
        self.heard_s = now_s
        """When anything came last."""
        self.newest_ms: int | None = None
        self.newest_s = now_s
        """When the newest event time came in."""
        self.replay = False
        """Ticks of the past say nothing of what time it is."""

    def tick(self, event_ms: int, now_s: float) -> None:
        """A tick of `event_ms` came in."""
        if self.newest_ms is None or event_ms > self.newest_ms:
            self.newest_ms, self.newest_s = event_ms, now_s

    def stood_still(self, seconds: float) -> None:
        """Nothing was read for `seconds`: that time has not passed for this feed."""
        self.newest_s += seconds
        self.heard_s += seconds


def heartbeat_ms(feeds: Iterable[Feed], now_ms: int, now_s: float, feed_timeout_s: float) -> int | None:
    """The event time that every live feed has reached, at most now; None when no feed says anything.

    A feed has reached its newest event time and the time that has passed since then: the slowest one decides. One that
    has been silent for `feed_timeout_s`, has sent no tick yet, or replays, has no say.
    """
    reached = [
        feed.newest_ms + (now_s - feed.newest_s) * 1_000
        for feed in feeds
        if feed.newest_ms is not None and not feed.replay and now_s - feed.heard_s < feed_timeout_s
    ]
    return min(now_ms, int(min(reached))) if reached else None
