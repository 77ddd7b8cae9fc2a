"""Result records and messages as the protocol's page writes them, made by hand."""

import json
from typing import Any

from connectors.client.results.told import Gap
from udfs.model import Result

MINUTE_MS = 60_000
T0_MS = 1_793_600_040_000 - 1_793_600_040_000 % MINUTE_MS


def record(
    number: int, revision: int = 0, stock_id: str = "A", time_frame: str = "1min", run: int = 1, status: str | None = None, **more: object
) -> dict[str, Any]:
    """Bar `number` since T0: a final, a revision when it has one, or what `status` says."""
    start_ms = T0_MS + number * MINUTE_MS
    price = 100.0 + number + revision / 10
    return {
        "v": 1, "stock_id": stock_id, "time_frame": time_frame, "start_ms": start_ms, "end_ms": start_ms + MINUTE_MS,
        "status": status or ("revised" if revision else "final"), "run": run, "revision": revision,
        "emitted_ms": start_ms + MINUTE_MS + 1_000,
        "open": price, "high": price, "low": price, "close": price, "volume": 10, "turnover": 1_000, "vwap": price, "trades": 2,
        "first_ms": start_ms, "last_ms": start_ms + 5, "complete": True, "results": {"RSI": 55.5}, **more,
    }  # fmt: skip


def frame(*messages: dict[str, Any]) -> bytes:
    """One WebSocket frame."""
    return json.dumps(messages).encode()


def welcome(conn: str = "d1-1", snapshot_rows: int = 10_000) -> dict[str, Any]:
    """What a delivery says first."""
    limits = {"symbols": 1_024, "msg_s": 10, "snapshot_rows": snapshot_rows}
    return {"T": "welcome", "v": 1, "conn": conn, "heartbeat_ms": 1_000, "limits": limits}


def bar(msg_seq: int, of: dict[str, Any]) -> dict[str, Any]:
    """An update."""
    return {"T": "bar", "msg_seq": msg_seq, **of}


def told(news: list[Result | Gap]) -> list[tuple[str, int, int, int]]:
    """(symbol, number of the bar, run, revision) of the results among `news`."""
    return [
        (one.stock_id, (one.start_ms - T0_MS) // MINUTE_MS, one.run, one.revision) for one in news if isinstance(one, Result)
    ]  # fmt: skip
