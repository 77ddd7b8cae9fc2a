"""What a gateway counts, and how Prometheus reads it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connectors.gateway.batch import STAGE
from connectors.prometheus import Histogram, Labels, counter_lines, gauge_lines, histogram_lines, labelled_lines
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
    """Lines that are durable in `stock_data`."""
    records: int = 0
    heartbeats: int = 0
    pauses: int = 0
    """Times that reading stopped because Kafka did not keep up."""
    dead_letters: Counter[Reason] = field(default_factory=Counter)
    cuts: Counter[str] = field(default_factory=Counter)
    """Connections we ended, by code."""
    ack_latency: Histogram = field(default_factory=Histogram)
    """From a line's arrival until it is settled."""


PREFIX = "tickloom_gateway_"
COUNTERS = {
    "connections": "Connections taken.",
    "turned_away": "Connections refused because there were too many.",
    "bytes": "Bytes received.",
    "lines": "Lines received, control lines aside.",
    "ticks": "Lines that are in Kafka as ticks.",
    "records": "Kafka records with ticks.",
    "heartbeats": "Heartbeats, one a second while a feed is live.",
    "pauses": "Times that reading stopped because Kafka did not keep up.",
}
LABELLED = {
    "dead_letters": ("tickloom_dead_letters_total", ("stage", "reason"), "Lines that do not count, by reason."),
    "cuts": (f"{PREFIX}cuts_total", ("code",), "Connections ended by the gateway, by code."),
}
GAUGES = {
    "open_connections": "Connections open now.",
    "paused_connections": "Connections not read now.",
    "queue_records": "Records on their way to Kafka.",
    "queue_bytes": "Bytes of them.",
    "heartbeat_lag_seconds": "How far the last heartbeat is behind the clock: it grows while no feed is live. Not there before the first.",
}
HISTOGRAMS = {
    "ack_latency": ("ack_latency_seconds", "From a line's arrival until it is durable or a dead letter."),
}


def prometheus_text(metrics: Metrics, gauges: Mapping[str, float]) -> str:
    """Everything in Prometheus' text format; `gauges` has values by names of `GAUGES`."""
    return "\n".join([*_counters(metrics), *_labelled(metrics), *_gauges(gauges), *_histograms(metrics)]) + "\n"


def _counters(metrics: Metrics) -> Iterator[str]:
    for name, text in COUNTERS.items():
        yield from counter_lines(f"{PREFIX}{name}_total", text, getattr(metrics, name))


def _labelled(metrics: Metrics) -> Iterator[str]:
    samples: dict[str, list[tuple[Labels, float]]] = {
        "dead_letters": [((STAGE, reason.value), metrics.dead_letters[reason]) for reason in Reason],
        "cuts": [((code,), count) for code, count in metrics.cuts.items()],
    }
    for name, (shown, labels, text) in LABELLED.items():
        yield from labelled_lines(shown, "counter", text, labels, samples[name])


def _gauges(gauges: Mapping[str, float]) -> Iterator[str]:
    for name, value in gauges.items():
        yield from gauge_lines(f"{PREFIX}{name}", GAUGES[name], value)


def _histograms(metrics: Metrics) -> Iterator[str]:
    for name, (shown, text) in HISTOGRAMS.items():
        yield from histogram_lines(f"{PREFIX}{shown}", text, getattr(metrics, name))
