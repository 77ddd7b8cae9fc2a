import re

from connectors.gateway.metrics import COUNTERS, GAUGES, HISTOGRAMS, LABELLED, PREFIX, Metrics, prometheus_text
from connectors.prometheus import LATENCY_BOUNDS_S
from udfs.model import Reason

SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*)\})? (\S+)')


def samples(text: str) -> dict[tuple[str, str], float]:
    """Each sample by name and labels, as the text format has them; every one must be announced before."""
    found, announced = {}, set()
    for line in text.splitlines():
        if line.startswith("# "):
            announced.add(line.split()[2])
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        name = match[1]
        assert name in announced or re.sub(r"_(bucket|sum|count)$", "", name) in announced
        assert (name, match[2] or "") not in found
        found[name, match[2] or ""] = float(match[3])
    return found


def test_everything_is_in_prometheus_text_format() -> None:
    metrics = Metrics(lines=7, ticks=5, bytes=900, connections=2)
    metrics.dead_letters[Reason.BAD_JSON] = 2
    metrics.cuts["idle_timeout"] = 1
    found = samples(prometheus_text(metrics, dict.fromkeys(GAUGES, 1.5)))
    assert found["tickloom_gateway_lines_total", ""] == 7
    assert found["tickloom_dead_letters_total", 'stage="gateway",reason="bad_json"'] == 2
    assert found["tickloom_gateway_cuts_total", 'code="idle_timeout"'] == 1
    assert found["tickloom_gateway_queue_bytes", ""] == 1.5
    assert sum(labels.startswith("stage") for _, labels in found) == len(Reason)
    assert not any("symbol=" in labels for _, labels in found)


def test_what_there_is_no_value_of_is_left_out() -> None:
    found = samples(prometheus_text(Metrics(), {"queue_bytes": 7}))
    assert found["tickloom_gateway_queue_bytes", ""] == 7
    assert ("tickloom_gateway_heartbeat_lag_seconds", "") not in found


def test_the_tables_name_every_metric() -> None:
    announced = {line.split()[2] for line in prometheus_text(Metrics(), dict.fromkeys(GAUGES, 0)).splitlines() if line.startswith("# TYPE")}
    named = {f"{PREFIX}{name}_total" for name in COUNTERS} | {f"{PREFIX}{name}" for name in GAUGES}
    assert announced == named | {name for name, *_ in LABELLED.values()} | {f"{PREFIX}{name}" for name, _ in HISTOGRAMS.values()}


def test_the_histogram_counts_lines_below_each_bound() -> None:
    metrics = Metrics()
    metrics.ack_latency.observe(0.005, 10)
    metrics.ack_latency.observe(0.3, 1)
    metrics.ack_latency.observe(1_000, 2)
    found = samples(prometheus_text(metrics, dict.fromkeys(GAUGES, 0)))
    buckets = [found["tickloom_gateway_ack_latency_seconds_bucket", f'le="{bound}"'] for bound in (*LATENCY_BOUNDS_S, "+Inf")]
    assert buckets == [0, 0, 10, 10, 10, 10, 10, 10, 11, 11, 11, 11, 11, 11, 11, 13]
    assert found["tickloom_gateway_ack_latency_seconds_count", ""] == 13
    assert found["tickloom_gateway_ack_latency_seconds_sum", ""] == 2_000.35
