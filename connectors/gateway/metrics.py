"""What a gateway counts, and how Prometheus reads it."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from udfs.model import Reason

LATENCY_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(slots=True)
class Histogram:
    """Durations counted by upper bound."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BOUNDS_S) + 1))
    total_s: float = 0.0

    def observe(self, seconds: float, times: int) -> None:
        """Count one duration, `times` times."""
        self.counts[bisect_left(LATENCY_BOUNDS_S, seconds)] += times
        self.total_s += seconds * times


@dataclass(slots=True)
class Metrics:
    """Counters since the start; lines = ticks + dead letters, once all are settled."""

    connections: int = 0
    """Taken."""
    turned_away: int = 0
    """Connections above a limit."""
    bytes: int = 0
    lines: int = 0
    ticks: int = 0
    """Lines on their way into `stock_data`, or there; one that the broker refuses becomes a dead letter."""
    records: int = 0
    heartbeats: int = 0
    pauses: int = 0
    """Times that reading stopped because Kafka did not keep up."""
    dead_letters: Counter[Reason] = field(default_factory=Counter)
    cuts: Counter[str] = field(default_factory=Counter)
    """Connections we ended, by code."""
    ack_latency: Histogram = field(default_factory=Histogram)
    """From a line's arrival until it is settled."""


_COUNTERS = {
    "connections": "Connections taken.",
    "turned_away": "Connections refused because there were too many.",
    "bytes": "Bytes received.",
    "lines": "Lines received, control lines aside.",
    "ticks": "Lines taken as ticks.",
    "records": "Kafka records with ticks.",
    "heartbeats": "Heartbeats, one a second while a feed is live.",
    "pauses": "Times that reading stopped because Kafka did not keep up.",
}
GAUGES = {
    "open_connections": "Connections open now.",
    "paused_connections": "Connections not read now.",
    "queue_records": "Records on their way to Kafka.",
    "queue_bytes": "Bytes of them.",
    "heartbeat_lag_seconds": "How far the last heartbeat was behind the clock.",
}


def prometheus_text(metrics: Metrics, gauges: Mapping[str, float]) -> str:
    """Everything in Prometheus' text format; `gauges` has a value for each name of `GAUGES`."""
    return "\n".join([*_counters(metrics), *_gauges(gauges), *_histogram(metrics.ack_latency)]) + "\n"


def _counters(metrics: Metrics) -> Iterator[str]:
    for name, text in _COUNTERS.items():
        yield from _head(f"tickloom_gateway_{name}_total", "counter", text)
        yield f"tickloom_gateway_{name}_total {getattr(metrics, name)}"
    yield from _head("tickloom_dead_letters_total", "counter", "Lines that do not count, by reason.")
    for reason in Reason:
        yield f'tickloom_dead_letters_total{{stage="gateway",reason="{reason}"}} {metrics.dead_letters[reason]}'
    yield from _head("tickloom_gateway_cuts_total", "counter", "Connections ended by the gateway, by code.")
    for code, count in sorted(metrics.cuts.items()):
        yield f'tickloom_gateway_cuts_total{{code="{code}"}} {count}'


def _gauges(gauges: Mapping[str, float]) -> Iterator[str]:
    for name, text in GAUGES.items():
        yield from _head(f"tickloom_gateway_{name}", "gauge", text)
        yield f"tickloom_gateway_{name} {gauges[name]:g}"


def _histogram(latency: Histogram) -> Iterator[str]:
    name = "tickloom_gateway_ack_latency_seconds"
    yield from _head(name, "histogram", "From a line's arrival until it is durable or a dead letter.")
    below = 0
    for bound, count in zip((*LATENCY_BOUNDS_S, "+Inf"), latency.counts, strict=True):
        below += count
        yield f'{name}_bucket{{le="{bound}"}} {below}'
    yield f"{name}_sum {latency.total_s:g}"
    yield f"{name}_count {below}"


def _head(name: str, kind: str, text: str) -> tuple[str, str]:
    return f"# HELP {name} {text}", f"# TYPE {name} {kind}"
