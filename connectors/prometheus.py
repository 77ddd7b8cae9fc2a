"""Prometheus' text format: counters, gauges and histograms as lines of text."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LATENCY_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

Labels = tuple[str, ...]


@dataclass(slots=True)
class Histogram:
    """Durations counted by upper bound."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BOUNDS_S) + 1))
    total_s: float = 0.0

    def observe(self, seconds: float, times: int) -> None:
        """Count one duration, `times` times."""
        self.counts[bisect_left(LATENCY_BOUNDS_S, seconds)] += times
        self.total_s += seconds * times


def counter_lines(name: str, text: str, value: float) -> Iterator[str]:
    """A counter without labels; its name ends with `_total`."""
    yield from _head(name, "counter", text)
    yield f"{name} {value}"


def gauge_lines(name: str, text: str, value: float) -> Iterator[str]:
    """A gauge without labels."""
    yield from _head(name, "gauge", text)
    yield f"{name} {value:g}"


def labelled_lines(name: str, kind: str, text: str, labels: Labels, samples: Iterable[tuple[Labels, float]]) -> Iterator[str]:
    """A metric with `labels`; each sample has one value a label. Those must not need escaping: they are names of ours."""
    yield from _head(name, kind, text)
    for each, value in sorted(samples):
        pairs = ",".join(f'{label}="{said}"' for label, said in zip(labels, each, strict=True))
        yield f"{name}{{{pairs}}} {value}"


def histogram_lines(name: str, text: str, histogram: Histogram) -> Iterator[str]:
    """A histogram: how many were at most each bound, their sum and their number."""
    yield from _head(name, "histogram", text)
    below = 0
    for bound, count in zip((*LATENCY_BOUNDS_S, "+Inf"), histogram.counts, strict=True):
        below += count
        yield f'{name}_bucket{{le="{bound}"}} {below}'
    yield f"{name}_sum {histogram.total_s:g}"
    yield f"{name}_count {below}"


def _head(name: str, kind: str, text: str) -> tuple[str, str]:
    return f"# HELP {name} {text}", f"# TYPE {name} {kind}"
