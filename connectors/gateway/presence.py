"""What a gateway writes of itself into the service registry."""

import asyncio
from collections.abc import Callable

from connectors.gateway.service import Gateway
from connectors.registry import INTERVAL_S, Registration

SERVICE = "gateway"


async def keep_registered(entry: Registration, gateway: Gateway, now_ms: Callable[[], int]) -> None:
    """Write the gateway and its load each `INTERVAL_S`, until cancelled."""
    before_ms, before = now_ms(), gateway.metrics.lines
    while True:
        at_ms, lines = now_ms(), gateway.metrics.lines
        per_second = (lines - before) * 1_000 / (at_ms - before_ms) if at_ms > before_ms else 0.0
        entry.say(at_ms, load_of(gateway, per_second))
        before_ms, before = at_ms, lines
        await asyncio.sleep(INTERVAL_S)


def load_of(gateway: Gateway, lines_per_second: float) -> dict[str, float]:
    """What there is to do now: connections, lines a second, records on their way to Kafka."""
    return {
        "connections": len(gateway.clients),
        "lines_per_second": round(lines_per_second, 1),
        "queue_records": gateway.publisher.records,
    }
