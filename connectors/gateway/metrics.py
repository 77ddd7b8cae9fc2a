"""What a gateway counts, and how Prometheus reads it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connectors.prometheus import Histogram, counter_lines, gauge_lines, histogram_lines, labelled_lines
from udfs.model import Reason


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
    return "\n".join([*_counters(metrics), *_gauges(gauges), *_latency(metrics)]) + "\n"


def _counters(metrics: Metrics) -> Iterator[str]:
    for name, text in _COUNTERS.items():
        yield from counter_lines(f"tickloom_gateway_{name}_total", text, getattr(metrics, name))
    letters = [(("gateway", reason.value), metrics.dead_letters[reason]) for reason in Reason]
    yield from labelled_lines("tickloom_dead_letters_total", "counter", "Lines that do not count, by reason.", ("stage", "reason"), letters)
    cuts = [((code,), count) for code, count in metrics.cuts.items()]
    yield from labelled_lines("tickloom_gateway_cuts_total", "counter", "Connections ended by the gateway, by code.", ("code",), cuts)


def _gauges(gauges: Mapping[str, float]) -> Iterator[str]:
    for name, text in GAUGES.items():
        yield from gauge_lines(f"tickloom_gateway_{name}", text, gauges[name])


def _latency(metrics: Metrics) -> Iterator[str]:
    text = "From a line's arrival until it is durable or a dead letter."
    yield from histogram_lines("tickloom_gateway_ack_latency_seconds", text, metrics.ack_latency)
