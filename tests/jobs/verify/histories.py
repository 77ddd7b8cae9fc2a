"""Tick records, result records and dead letters written by hand for the tests of `verify`, and topics that hold them."""

from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import orjson
import talib

from connectors.consumer import Record
from jobs.verify.oracle import Oracle
from jobs.verify.report import Report
from jobs.verify.rules import NS_PER_MS, Rules, Span
from jobs.verify.run import Options, Sources, Timing, Verification

T0 = 1_700_000_040_000
"""2023-11-14T22:14:00Z: the start of a minute, not of a longer frame."""
SPANS = {"1min": 60_000, "5min": 300_000, "1hour": 3_600_000, "1day": 86_400_000}


def rules(*labels: str, **settings: Any) -> Rules:
    return Rules(tuple(Span(label, SPANS[label] * NS_PER_MS) for label in labels or ("1min",)), **settings)


def tick(price: float, size: float, event_time_ms: int, symbol: str = "IBM", **fields: object) -> bytes:
    return orjson.dumps({"stock_id": symbol, "price": price, "size": size, "event_time_ms": event_time_ms, **fields})


def record(offset: int, *lines: bytes, key: bytes | None = b"IBM", timestamp_ms: int = T0 + 3_600_000, partition: int = 0) -> Record:
    return Record(partition, offset, timestamp_ms, key, b"\n".join(lines))


def read(records: list[Record], by: Rules | None = None) -> Oracle:
    oracle = Oracle(by or rules())
    for each in records:
        oracle.read(*each)
    oracle.end_round()
    return oracle


def result(start_ms: int, prices: tuple[float, ...] | None, volume: float, **fields: object) -> dict[str, Any]:
    """A result of IBM's 1min bar, of the first run; without prices for None."""
    opened, high, low, close = prices or (None,) * 4
    plain: dict[str, Any] = {
        "v": 1, "stock_id": "IBM", "time_frame": "1min", "start_ms": start_ms, "end_ms": start_ms + 60_000,
        "status": "final", "run": 1, "revision": 0, "emitted_ms": start_ms + 61_000,
        "open": opened, "high": high, "low": low, "close": close, "volume": volume, "turnover": 0, "vwap": None, "trades": 1,
        "first_ms": start_ms, "last_ms": start_ms, "complete": True, "results": {},
    }  # fmt: skip
    return plain | fields


def results(*fields: dict[str, Any], partition: int = 0) -> list[Record]:
    return [Record(partition, n, 0, str(each["stock_id"]).encode(), orjson.dumps(each)) for n, each in enumerate(fields)]


class Lists:
    """A topic of records; with `arrivals`, one more list of them becomes readable each time it is read again."""

    def __init__(self, records: list[Record], *arrivals: list[Record], log_starts: Mapping[int, int] | None = None) -> None:
        self._stretches = [records, *arrivals]
        self._log_starts = log_starts or {}

    def log_starts(self) -> Mapping[int, int]:
        return self._log_starts

    def read_on(self) -> Iterator[Record]:
        yield from self._stretches.pop(0) if self._stretches else ()


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.time_s = 0.0

    def sleep(self, seconds: float) -> None:
        self.time_s += seconds


def verify(
    ticks: Lists,
    said: Lists,
    letters: Lists | None = None,
    by: Rules | None = None,
    indicators: Mapping[str, str] | None = None,
    committed: Callable[[], Mapping[int, int]] = dict,
    wait_s: float = 0,
    ta: ModuleType | None = talib,
    heard: list[str] | None = None,
    **options: Any,
) -> Report:
    clock = Clock()
    verification = Verification(
        by or rules(),
        indicators or {},
        ta,
        Sources(ticks, said, letters or Lists([]), committed),
        "stock_data",
        Options(wait_s=wait_s, **options),
        Timing(lambda: clock.time_s, clock.sleep),
        (heard if heard is not None else []).append,
    )
    return verification.run()
