"""Result records as a producer writes them, made with the standard library alone."""

import json
from typing import Any

from connectors.delivery.store.records import BarRecord, read_record

MINUTE = 60_000
FIRST_MS = 1_795_348_620_000
"""The start of bar 0: 2026-11-22 11:57 UTC."""


def value_of(
    stock_id: str = "IBM", bar: int = 0, *, run: int = 1, revision: int = 0, time_frame: str = "1min", close: float = 184.0, **more: Any
) -> bytes:
    """Bar number `bar` since FIRST_MS, a minute long whatever its frame is called."""
    start_ms = FIRST_MS + bar * MINUTE
    record = {
        "v": 1, "stock_id": stock_id, "time_frame": time_frame, "start_ms": start_ms, "end_ms": start_ms + MINUTE,
        "status": "revised" if revision else "final", "run": run, "revision": revision, "emitted_ms": start_ms + MINUTE + 800,
        "open": 184.0, "high": 185.0, "low": 183.0, "close": close, "volume": 300, "turnover": 55200.0, "vwap": 184.0, "trades": 3,
        "first_ms": start_ms, "last_ms": start_ms + MINUTE - 1, "complete": True, "results": {"RSI": 55.2, "MACD": None},
    }  # fmt: skip
    return json.dumps(record | more, separators=(",", ":")).encode()


def record_of(stock_id: str = "IBM", bar: int = 0, *, partition: int = 0, offset: int = 0, **fields: Any) -> BarRecord:
    """The same as delivery reads it."""
    return read_record(value_of(stock_id, bar, **fields), partition, offset)
