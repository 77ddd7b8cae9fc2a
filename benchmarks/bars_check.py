"""Whether a contender's bars are right: one symbol's minutes, computed here from the ticks topic, beside those it wrote."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import orjson

from connectors.clients import KafkaConnection
from connectors.consumer import read_topic

MINUTE_MS = 60_000


class Minute(NamedTuple):
    """One bar's numbers."""

    open: float
    high: float
    low: float
    close: float
    volume: float


def expected(connection: KafkaConnection, ticks_topic: str, symbol: str) -> dict[int, Minute]:
    """Start -> bar, over all ticks of `symbol`."""
    ticks: dict[int, list[tuple[int, int, float, float]]] = {}
    for record in read_topic(connection, ticks_topic):
        if record.key == symbol.encode():
            for line in (record.value or b"").split(b"\n"):
                tick = orjson.loads(line)
                time_ms = tick["event_time_ms"]
                ticks.setdefault(time_ms - time_ms % MINUTE_MS, []).append((time_ms, tick["seq"], tick["price"], tick["size"]))
    return {start_ms: _minute(sorted(inside)) for start_ms, inside in ticks.items()}


def written(connection: KafkaConnection, bars_topic: str, symbol: str) -> dict[int, Minute]:
    """Start -> bar, as a contender wrote the minutes of `symbol`; of several records of a bar the last one."""
    return dict(_bars((record.value or b"" for record in read_topic(connection, bars_topic)), symbol))


def verdict(right: dict[int, Minute], found: dict[int, Minute]) -> str:
    """`12 of 13 equal` or which bar differs. Bars that were not closed at the topic's end are missing, not wrong."""
    wrong = [start_ms for start_ms, bar in found.items() if right.get(start_ms) != bar]
    if wrong:
        start_ms = min(wrong)
        return f"WRONG: {len(wrong)} of {len(found)}, first {found[start_ms]} for {right.get(start_ms)}"
    return f"{len(found)} of {len(right)} equal" if found else "WRONG: no bars"


def _minute(ticks: list[tuple[int, int, float, float]]) -> Minute:
    prices = [tick[2] for tick in ticks]
    return Minute(prices[0], max(prices), min(prices), prices[-1], float(sum(tick[3] for tick in ticks)))


def _bars(values: Iterable[bytes], symbol: str) -> Iterator[tuple[int, Minute]]:
    for value in values:
        bar = orjson.loads(value)
        if bar["stock_id"] == symbol and bar["time_frame"] == "1min":
            yield bar["start_ms"], Minute(bar["open"], bar["high"], bar["low"], bar["close"], float(bar["volume"]))
