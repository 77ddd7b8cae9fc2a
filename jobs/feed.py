"""The shell of every feed: hands records and heartbeats to a publisher, as fast as it goes or at the pace of event time."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from connectors.publisher import Publisher
from jobs.feed_records import Item, Record


class Clock(Protocol):
    """What a feed paces itself by: the wall clock, or one that a test holds in its hand."""

    def now_ms(self) -> int:
        """Epoch milliseconds."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


class WallClock:
    """The machine's clock. Made in a command's main function and handed down."""

    def now_ms(self) -> int:
        """Epoch milliseconds."""
        return time.time_ns() // 1_000_000

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Pace:
    """Event time `event_ms` happens at wall time `wall_ms`, and runs `speed` times as fast from there."""

    event_ms: int
    wall_ms: int
    speed: float = 1.0

    def wall_of(self, event_ms: int) -> float:
        """The wall time at which `event_ms` is due."""
        return self.wall_ms + (event_ms - self.event_ms) / self.speed


REAL_TIME = Pace(0, 0)
"""Event time is the wall clock."""


@dataclass(slots=True)
class Sent:
    """What a feed has handed over so far."""

    records: int = 0
    lines: int = 0
    newest_event_ms: int | None = None


def send(
    items: Iterable[Item],
    publisher: Publisher,
    clock: Clock,
    sent: Sent,
    pace: Pace | None = None,
    shown: Callable[[Sent], None] = lambda sent: None,
) -> None:
    """Publish `items` in order, each when `pace` says it is due (without one, at once); counts into `sent` as it goes.

    No heartbeat is sent ahead of the clock. `shown` is called after each item, for a progress bar.
    """
    for item in items:
        if pace is not None:
            _wait(pace.wall_of(item.due_ms), clock)
        if isinstance(item, Record):
            publisher.publish(item.symbol, item.value, item.event_time_ms)
            sent.records += 1
            sent.lines += len(item.lines)
            sent.newest_event_ms = max(item.event_time_ms, sent.newest_event_ms or item.event_time_ms)
        else:
            publisher.heartbeat(min(item.event_time_ms, clock.now_ms()))
        shown(sent)


def send_from_now(
    items: Iterator[Item], publisher: Publisher, clock: Clock, sent: Sent, speed: float, shown: Callable[[Sent], None] = lambda sent: None
) -> None:
    """Publish `items` at `speed` times the pace of event time, the first one now. See `send`."""
    first = next(items, None)
    if first is not None:
        send(chain([first], items), publisher, clock, sent, Pace(first.due_ms, clock.now_ms(), speed), shown)


def _wait(due_ms: float, clock: Clock) -> None:
    while (left_ms := due_ms - clock.now_ms()) > 0:
        clock.sleep(left_ms / 1_000)
