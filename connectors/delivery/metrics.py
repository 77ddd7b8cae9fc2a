"""What a delivery counts, and how Prometheus reads it. No metric has a symbol for a label: there may be thousands."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connectors.prometheus import Histogram, counter_lines, gauge_lines, histogram_lines, labelled_lines

PREFIX = "tickloom_delivery_"


@dataclass(slots=True)
class Metrics:
    """Counters since the start. Only the event loop changes them."""

    connections: int = 0
    """WebSocket clients taken."""
    streams: int = 0
    """Event streams (SSE) begun."""
    turned_away: int = 0
    """Clients above a limit."""
    cuts: Counter[str] = field(default_factory=Counter)
    """Clients we ended, by code: `slow_client` and others."""
    finals_sent: int = 0
    """Finals and revisions handed to clients."""
    forming_sent: int = 0
    snapshot_rows: int = 0
    conflated: int = 0
    """Forming bars that a client never saw because a newer one came first."""
    bytes_sent: int = 0
    """To WebSocket clients and event streams."""
    resumes: Counter[str] = field(default_factory=Counter)
    """`ok` and `refused`."""
    logins: Counter[str] = field(default_factory=Counter)
    """`ok`, `refused` and `limited`."""
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    """HTTP requests answered, by route and status."""
    request_time: Histogram = field(default_factory=Histogram)
    """HTTP requests; those that stay open (WebSocket, event stream) aside."""
    delay: Histogram = field(default_factory=Histogram)
    """From the job's emitting a record until it was there to be handed to clients, once a record."""


TAKEN = {
    "results": "Records of indicator_results taken.",
    "forming": "Records of indicator_live taken.",
    "unreadable": "Records of either topic passed over because they are none of ours.",
}
"""Counted where the topics are read."""
COUNTERS = {
    "connections": "WebSocket clients taken.",
    "streams": "Event streams begun.",
    "turned_away": "Clients refused because there were too many.",
    "finals_sent": "Finals and revisions handed to clients.",
    "forming_sent": "Forming bars handed to clients.",
    "snapshot_rows": "Bars handed to clients in snapshots.",
    "conflated": "Forming bars left out for a client because a newer one came first.",
    "bytes_sent": "Bytes handed to WebSocket clients and event streams.",
}
LABELLED = {
    "cuts": (("code",), "Clients ended by the delivery, by code; slow_client among them."),
    "resumes": (("outcome",), "Attempts to resume a connection: ok or refused."),
    "logins": (("outcome",), "Log-ins by form: ok, refused or limited."),
    "requests": (("route", "status"), "HTTP requests answered, by route and status."),
}
GAUGES = {
    "open_connections": "WebSocket clients and event streams connected now.",
    "subscriptions": "Series that clients are subscribed to, summed over clients.",
    "outbox_bytes": "Bytes of finals that wait for clients.",
    "store_rows": "Bars in the store.",
    "store_bytes": "Size of the store's file.",
    "caught_up": "1 once everything that was in indicator_results at the start has been read.",
    "behind_records": "Records of indicator_results not yet read.",
    "kafka_reachable": "0 while Kafka cannot be reached.",
    "degraded": "1 while results cannot be read or kept: Kafka, a topic or the store's disk is in trouble.",
    "lag_seconds": "How long the records of the last second took from the job to here, the slowest of them.",
}
HISTOGRAMS = {
    "request_time": ("request_seconds", "From an HTTP request's arrival until it was answered."),
    "delay": ("delay_seconds", "From the job's emitting a record until it was there to be handed to clients, once a record."),
}


def prometheus_text(metrics: Metrics, taken: Mapping[str, int], gauges: Mapping[str, float]) -> str:
    """Everything in Prometheus' text format; `taken` and `gauges` have a value for each name of `TAKEN` and `GAUGES`."""
    return "\n".join([*_counters(metrics, taken), *_labelled(metrics), *_gauges(gauges), *_histograms(metrics)]) + "\n"


def _counters(metrics: Metrics, taken: Mapping[str, int]) -> Iterator[str]:
    for name, text in TAKEN.items():
        yield from counter_lines(f"{PREFIX}{name}_total", text, taken[name])
    for name, text in COUNTERS.items():
        yield from counter_lines(f"{PREFIX}{name}_total", text, getattr(metrics, name))


def _labelled(metrics: Metrics) -> Iterator[str]:
    for name, (labels, text) in LABELLED.items():
        counts: Counter[str | tuple[str, ...]] = getattr(metrics, name)
        samples = [((key,) if isinstance(key, str) else key, count) for key, count in counts.copy().items()]
        yield from labelled_lines(f"{PREFIX}{name}_total", "counter", text, labels, samples)


def _gauges(gauges: Mapping[str, float]) -> Iterator[str]:
    for name, text in GAUGES.items():
        yield from gauge_lines(f"{PREFIX}{name}", text, gauges[name])


def _histograms(metrics: Metrics) -> Iterator[str]:
    for name, (shown, text) in HISTOGRAMS.items():
        yield from histogram_lines(f"{PREFIX}{shown}", text, getattr(metrics, name))
