"""What every peer computes: the five frames, and how a tick grows a bar. Needs no package but orjson."""

from typing import Any

import orjson

MINUTE_MS = 60_000
FRAMES_MS = {"1min": MINUTE_MS, "5min": 5 * MINUTE_MS, "15min": 15 * MINUTE_MS, "1hour": 60 * MINUTE_MS, "1day": 1_440 * MINUTE_MS}

Tick = tuple[str, int, float, float]
"""Symbol, event time in ms, price, size."""
Bar = list[Any]
"""Open, high, low, close, volume, event time of the open, event time of the close."""


def decode(line: bytes) -> Tick:
    """One line of a ticks record."""
    tick = orjson.loads(line)
    return tick["stock_id"], tick["event_time_ms"], tick["price"], tick["size"]


def first(tick: Tick) -> Bar:
    """A bar of one tick."""
    _, event_time_ms, price, size = tick
    return [price, price, price, price, size, event_time_ms, event_time_ms]


def grow(bar: Bar, tick: Tick) -> Bar:
    """`bar` with one tick more, whose time may be any."""
    _, event_time_ms, price, size = tick
    if price > bar[1]:
        bar[1] = price
    elif price < bar[2]:
        bar[2] = price
    bar[4] += size
    if event_time_ms >= bar[6]:
        bar[3], bar[6] = price, event_time_ms
    elif event_time_ms < bar[5]:
        bar[0], bar[5] = price, event_time_ms
    return bar


def merge(left: Bar, right: Bar) -> Bar:
    """The bar of the ticks of both."""
    opened, closed = min(left, right, key=lambda bar: bar[5]), max(left, right, key=lambda bar: bar[6])
    volume = left[4] + right[4]
    return [opened[0], max(left[1], right[1]), min(left[2], right[2]), closed[3], volume, opened[5], closed[6]]


def encode(symbol: str, frame: str, start_ms: int, bar: Bar) -> bytes:
    """The record a peer writes of a closed bar."""
    named = dict(zip(("open", "high", "low", "close", "volume"), bar, strict=False))
    return orjson.dumps({"stock_id": symbol, "time_frame": frame, "start_ms": start_ms, **named})
