"""Bars of symbols that have gone quiet: closed by heartbeats, without them by the idle time-out, and never by a dead feed."""

import json
import time
from functools import partial

import pytest

from connectors.flink_kafka import TicksSource
from connectors.kafka_publisher import KafkaPublisher
from tests.whole.conftest import MakeStack, Start
from tests.whole.stack import Record, Stack

MINUTE_MS = 60_000
T0 = 1_793_600_000_000 - 1_793_600_000_000 % MINUTE_MS
TIMEOUT_S = 30
Minutes = dict[tuple[str, int], int]
"""(symbol, minutes after T0) -> trades."""


def tick(symbol: str, event_time_ms: int, partition: int) -> Record:
    line = {"stock_id": symbol, "price": 10, "size": 1, "event_time_ms": event_time_ms}
    return Record(symbol.encode(), json.dumps(line).encode(), event_time_ms, partition)


def closed_minutes(stack: Stack) -> Minutes:
    return {
        (symbol, (start_ms - T0) // MINUTE_MS): bar["trades"]
        for (symbol, frame, start_ms), bar in stack.newest().items()
        if frame == "1min"
    }


def wait_for(stack: Stack, expected: Minutes) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while (found := closed_minutes(stack)) != expected:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def quiet_stack(make_stack: MakeStack, name: str) -> Stack:
    """Three partitions: one symbol that has gone quiet, one that goes on, and nothing at all."""
    stack = make_stack(name, kafka__partitions=3)
    stack.publish([tick("QUIET", T0 + 5_000, 0), *(tick("BUSY", T0 + minute * MINUTE_MS + 30_000, 1) for minute in range(4))])
    return stack


BUSY: Minutes = {("BUSY", 0): 1, ("BUSY", 1): 1, ("BUSY", 2): 1}
"""What the busy symbol's own ticks close."""


def test_heartbeats_in_every_partition_close_the_bars_of_quiet_symbols(make_stack: MakeStack, start: Start) -> None:
    stack = quiet_stack(make_stack, "heartbeats")
    start(stack)
    wait_for(stack, BUSY)
    time.sleep(2)
    assert closed_minutes(stack) == BUSY, "two silent partitions hold event time back"
    publisher = KafkaPublisher(stack.config.kafka_connection())
    publisher.heartbeat(T0 + 3 * MINUTE_MS)
    publisher.close()
    wait_for(stack, BUSY | {("QUIET", 0): 1})


def test_without_heartbeats_a_silent_partition_is_left_out_after_the_idle_time_out(
    make_stack: MakeStack, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.dataflow.TicksSource", partial(TicksSource, idle_timeout_ms=1_500))
    stack = quiet_stack(make_stack, "idle")
    start(stack)
    wait_for(stack, BUSY | {("QUIET", 0): 1})
