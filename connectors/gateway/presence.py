"""What a gateway writes of itself into the service registry."""

from collections.abc import Callable

from connectors.gateway.service import Gateway
from connectors.rate import Rate

SERVICE = "gateway"


def load_teller(gateway: Gateway) -> Callable[[int], dict[str, float]]:
    """Tells, when it is told the time, what there is to do."""
    rate = Rate()
    return lambda now_ms: load_of(gateway, rate.per_second(gateway.metrics.lines, now_ms))


def load_of(gateway: Gateway, lines_per_second: float) -> dict[str, float]:
    """What there is to do now: connections, lines a second, records on their way to Kafka."""
    return {
        "connections": len(gateway.clients),
        "lines_per_second": round(lines_per_second, 1),
        "queue_records": gateway.publisher.records,
    }
