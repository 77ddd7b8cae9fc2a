"""The shell of a feed against a clock held in the hand."""

from dataclasses import dataclass, field

from jobs.feed import REAL_TIME, Pace, Sent, send, send_from_now
from jobs.feed_records import Heartbeat, Item, Record


@dataclass
class HandClock:
    now: float = 1_000_000

    def now_ms(self) -> int:
        return int(self.now)

    def sleep(self, seconds: float) -> None:
        self.now += max(1.0, seconds * 1_000)


@dataclass
class Notebook:
    """A publisher that writes down what it was given, and when."""

    clock: HandClock
    seen: list[tuple[int, str, bytes, int]] = field(default_factory=list)

    def publish(self, symbol: str, value: bytes, event_time_ms: int) -> None:
        self.seen.append((self.clock.now_ms(), symbol, value, event_time_ms))

    def heartbeat(self, event_time_ms: int) -> None:
        self.seen.append((self.clock.now_ms(), "", b"", event_time_ms))

    def flush(self) -> None: ...

    def close(self) -> None: ...


def sent_at(items: list[Item], pace: Pace | None) -> list[tuple[int, str, bytes, int]]:
    notebook = Notebook(HandClock())
    send(items, notebook, notebook.clock, Sent(), pace)
    return notebook.seen


def test_at_full_speed_nothing_waits() -> None:
    items: list[Item] = [Record(5, "A", [b"1"], 5), Record(90_000, "A", [b"2", b"3"], 90_000)]
    assert sent_at(items, None) == [(1_000_000, "A", b"1", 5), (1_000_000, "A", b"2\n3", 90_000)]


def test_at_sixty_times_real_time_a_minute_takes_a_second() -> None:
    items: list[Item] = [Record(0, "A", [b"1"], 0), Record(60_000, "A", [b"2"], 60_000), Record(120_000, "A", [b"3"], 120_000)]
    notebook = Notebook(HandClock())
    send_from_now(iter(items), notebook, notebook.clock, Sent(), 60.0)
    assert [when for when, *_ in notebook.seen] == [1_000_000, 1_001_000, 1_002_000]


def test_in_real_time_what_is_overdue_goes_at_once() -> None:
    items: list[Item] = [Record(999_000, "A", [b"1"], 999_000), Record(1_000_250, "A", [b"2"], 1_000_250)]
    assert [when for when, *_ in sent_at(items, REAL_TIME)] == [1_000_000, 1_000_250]


def test_no_heartbeat_is_ahead_of_the_clock() -> None:
    assert sent_at([Heartbeat(0, 5_000_000)], None) == [(1_000_000, "", b"", 1_000_000)]


def test_what_was_sent_is_counted_as_it_goes() -> None:
    notebook, sent = Notebook(HandClock()), Sent()
    shown: list[int] = []
    items: list[Item] = [Record(9, "A", [b"1", b"2"], 9), Heartbeat(9, 9), Record(9, "B", [b"3"], 4)]
    send(items, notebook, notebook.clock, sent, shown=lambda so_far: shown.append(so_far.lines))
    assert (sent.records, sent.lines, sent.newest_event_ms, shown) == (2, 3, 9, [2, 2, 3])
