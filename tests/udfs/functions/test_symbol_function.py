"""The operator's own part: which time its timers and its ticks are given, whatever the machine's clock does."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from pyflink.datastream import TimeDomain

from connectors.job_codec import JobCodec
from tests.udfs.functions.test_counters import Group
from tests.udfs.functions.test_flink_store import Context as States
from udfs.frames import parse_frames
from udfs.functions import hot_parts, symbol_function
from udfs.functions.symbol_function import LIVE, SymbolFunction
from udfs.live import LiveRules
from udfs.model import Scales
from udfs.rules import Rules

T0_MS = 1_700_000_040_000
"""The start of a minute."""
NOW_MS = 1_800_000_000_000


class Flink(States):
    """What Flink hands to the function: states, metrics, timers that are noted down, and the element's context."""

    def __init__(self) -> None:
        super().__init__()
        self.timers: set[int] = set()
        self.element_ms = 0

    def get_metrics_group(self) -> Group:
        return Group(Counter())

    def timer_service(self) -> "Flink":
        return self

    def register_event_time_timer(self, at_ms: int) -> None:
        """These do not fire here: only processing time is looked at."""

    def register_processing_time_timer(self, at_ms: int) -> None:
        self.timers.add(at_ms)

    def timestamp(self) -> int:
        return self.element_ms

    def get_current_key(self) -> str:
        return "IBM"

    def time_domain(self) -> Any:
        return TimeDomain.PROCESSING_TIME


@pytest.fixture(params=["few symbols", "many symbols"], autouse=True)
def held(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How hot parts are held on to makes no difference."""
    monkeypatch.setattr(hot_parts, "FEW", 1_000 if request.param == "few symbols" else 0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets the machine's clock, in ms."""

    def show(now_ms: int) -> None:
        monkeypatch.setattr(symbol_function.time, "time_ns", lambda: now_ms * 1_000_000)

    show(NOW_MS)
    return show


def tick(offset: int, at_s: int) -> bytes:
    """A record of one tick, so many seconds after T0."""
    line = orjson.dumps({"stock_id": "IBM", "price": 5 + offset, "size": 1, "event_time_ms": T0_MS + at_s * 1_000})
    return b"IBM 0 %d\n" % offset + line


def record(flink: Flink, function: SymbolFunction, offset: int, at_s: int) -> list[Any]:
    """What one tick leads to."""
    flink.element_ms = T0_MS + 600_000
    return list(function.process_element(tick(offset, at_s), flink) or [])


def fire(flink: Flink, function: SymbolFunction) -> list[Any]:
    """The earliest pending timer fires."""
    due = min(flink.timers)
    flink.timers.discard(due)
    return list(function.on_timer(due, flink) or [])


def opened(flink: Flink, live: LiveRules) -> SymbolFunction:
    function = SymbolFunction(Rules(parse_frames(["1min"])), live, 1, lambda: JobCodec(Scales(), "stock_data"))
    function.open(flink)
    return function


def test_a_revision_is_said_by_its_timer_though_the_clock_was_set_back_meanwhile(clock: Callable[[int], None]) -> None:
    flink = Flink()
    function = opened(flink, LiveRules(enabled=False))
    record(flink, function, 0, 0)
    assert len(record(flink, function, 1, 61)) == 1
    assert record(flink, function, 2, 30) == []
    clock(NOW_MS - 3_600_000)
    (revised,) = [orjson.loads(row[1]) for row in fire(flink, function)]
    assert (revised["status"], revised["start_ms"], revised["trades"]) == ("revised", T0_MS, 2)


def test_the_last_forming_bar_is_shown_by_its_timer_though_the_clock_was_set_back_meanwhile(clock: Callable[[int], None]) -> None:
    flink = Flink()
    function = opened(flink, LiveRules())
    assert [tag for tag, _ in record(flink, function, 0, 0)] == [LIVE]
    assert record(flink, function, 1, 1) == []
    clock(NOW_MS - 3_600_000)
    assert [tag for tag, _ in fire(flink, function)] == [LIVE]


def test_forming_records_are_charged_for_the_time_until_flink_has_them(
    clock: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    flink, passed_s = Flink(), [0.0]
    flink.element_ms = T0_MS + 600_000
    monkeypatch.setattr(symbol_function.time, "perf_counter", lambda: passed_s[0])
    function = opened(flink, LiveRules(budget=0.5))
    for _ in function.process_element(tick(0, 0), flink) or []:
        passed_s[0] += 10.0  # Flink's chained sink takes its time
    clock(NOW_MS + 19_000)
    assert record(flink, function, 1, 1) == []
    clock(NOW_MS + 20_001)
    assert [tag for tag, _ in record(flink, function, 2, 2)] == [LIVE]
