"""docs/reference/metrics.md: `python -m tests.docs.make_metrics` writes it; tests/whole/test_metrics.py holds it against a real scrape."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from connectors.delivery import metrics as delivery
from connectors.gateway import metrics as gateway
from jobs.local.metrics_server import PUSH_INTERVAL_S
from udfs.functions.counters import COUNTED

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
OPERATOR = "flink_taskmanager_job_task_operator_"
TASK = "flink_taskmanager_job_task_"
JOB = "flink_jobmanager_job_"
PROCESS = "flink_taskmanager_Status_"
JOB_LABELS = "job_name"
TASK_LABELS = "job_name tm_id task_name subtask_index"
OPERATOR_LABELS = f"{TASK_LABELS} operator_name"
PROCESS_LABELS = "tm_id"


class Row(NamedTuple):
    """A metric of Flink's: its name, the labels that matter, what it says."""

    name: str
    labels: str
    says: str


FLINK = {
    "Is it alive, and does it keep up": [
        Row(f"{JOB}uptime", JOB_LABELS, "ms since the job came into the state running; 0 while it is not"),
        Row(f"{JOB}numRestarts", JOB_LABELS, "how often the job started again after a failure"),
        Row(f"{OPERATOR}pendingRecords", OPERATOR_LABELS, "records of `stock_data` not yet read: the backlog"),
        Row(f"{OPERATOR}currentEmitEventTimeLag", OPERATOR_LABELS, "ms from a record's timestamp to its reading"),
        Row(f"{OPERATOR}watermarkLag", OPERATOR_LABELS, "ms that the watermark is behind the wall clock; it grows when feeds stop"),
        Row(f"{TASK}busyTimeMsPerSecond", TASK_LABELS, "ms of each second in which the task worked; near 1000 it is at its limit"),
        Row(f"{TASK}backPressuredTimeMsPerSecond", TASK_LABELS, "ms of each second in which the task waited for the next one"),
        Row(f"{TASK}numRecordsInPerSecond", TASK_LABELS, "records a second, over the last minute"),
    ],
    "State and checkpoints": [
        Row(f"{JOB}lastCheckpointSize", JOB_LABELS, "bytes the last checkpoint wrote: the state's size, unless `state.changelog` is on"),
        Row(f"{JOB}lastCheckpointFullSize", JOB_LABELS, "bytes that belong to it, earlier ones' included: the state's size in any case"),
        Row(f"{JOB}lastCheckpointDuration", JOB_LABELS, "ms it took; finals become visible after it"),
        Row(f"{JOB}numberOfCompletedCheckpoints", JOB_LABELS, "complete ones since the start"),
        Row(f"{JOB}numberOfFailedCheckpoints", JOB_LABELS, "failed ones since the start"),
    ],
    "Resources": [
        Row(f"{PROCESS}JVM_CPU_Time", PROCESS_LABELS, "ns of processor time of the process, its Python included"),
        Row(f"{PROCESS}JVM_Memory_Heap_Used", PROCESS_LABELS, "bytes of the Java heap in use: state, buffers, garbage"),
        Row(f"{PROCESS}JVM_Memory_Heap_Max", PROCESS_LABELS, "bytes it may grow to"),
        Row(f"{PROCESS}JVM_GarbageCollector_All_TimeMsPerSecond", PROCESS_LABELS, "ms of each second spent collecting garbage"),
    ],
}
HEAD = f"""\
# Metrics

<!-- made by `python -m tests.docs.make_metrics`; a test compares, another holds it against a real scrape -->

The job's metrics are at `http://127.0.0.1:9249/metrics` (`job.metrics`) in the text format of Prometheus:

```sh
curl -s http://127.0.0.1:9249/metrics | grep tickloom_
```

```yaml
scrape_configs: # in prometheus.yml
  - job_name: tickloom
    static_configs: [{{targets: ["127.0.0.1:9249"]}}]
```

Flink pushes them every {PUSH_INTERVAL_S} s to a small server on the loopback interface; a process that says nothing for 30 s is left out.
(Flink's own pulled reporter listens on all interfaces and cannot be told otherwise.) On a cluster of your own, where a network policy
protects the ports, use that one; its names are the same:

```yaml
metrics.reporter.prometheus.factory.class: org.apache.flink.metrics.prometheus.PrometheusReporterFactory
metrics.reporter.prometheus.port: 9250-9299 # each process of a machine takes the next free one
```

Flink calls every counter a gauge. They begin at 0 with each start of the job, as `rate()` and `increase()` expect. Sum over
`subtask_index` for the whole job.

## Tickloom's own

"""
GATEWAY = """\
## The gateway's

At `http://127.0.0.1:9998/metrics` (`gateway.admin`); where other machines reach it, with a key of the scope `read`. Counters begin at 0
with each start. No metric has a symbol for a label. Once all lines are settled, lines = ticks + dead letters.

"""
DELIVERY = """\
## The delivery's

At `http://127.0.0.1:8080/metrics` (`delivery.listen`); where keys are asked for, with one of the scope `read`. Counters begin at 0 with
each start. No metric has a symbol for a label.

"""
LETTERS = f"{OPERATOR}tickloom_reason_dead_letters"


def page() -> str:
    """The page as it should be."""
    flink = (line for title, rows in FLINK.items() for line in _section(title, rows))
    return "\n".join([HEAD + _table(_ours()), *flink, GATEWAY + _table(_gateway()), DELIVERY + _table(_delivery()), _alerts()])


def _ours() -> Iterator[Row]:
    for name, what in COUNTED.items():
        yield Row(f"{OPERATOR}tickloom_{name}", OPERATOR_LABELS, what)
    yield Row(
        LETTERS, f"{OPERATOR_LABELS} reason", "lines that do not count, by [reason](reasons.md); `late_tick` and `future_time` among them"
    )


def _gateway() -> Iterator[Row]:
    yield from (Row(f"{gateway.PREFIX}{name}_total", "", _sentence(text)) for name, text in gateway.COUNTERS.items())
    yield from (Row(name, " ".join(labels), _sentence(text)) for name, labels, text in gateway.LABELLED.values())
    yield from (Row(f"{gateway.PREFIX}{name}", "", _sentence(text)) for name, text in gateway.GAUGES.items())
    yield from (Row(f"{gateway.PREFIX}{name}", "le", f"{_sentence(text)}; a histogram") for name, text in gateway.HISTOGRAMS.values())


def _delivery() -> Iterator[Row]:
    yield from (
        Row(f"{delivery.PREFIX}{name}_total", "", _sentence(text)) for name, text in {**delivery.TAKEN, **delivery.COUNTERS}.items()
    )
    for name, (labels, text) in delivery.LABELLED.items():
        yield Row(f"{delivery.PREFIX}{name}_total", " ".join(labels), _sentence(text))
    yield from (Row(f"{delivery.PREFIX}{name}", "", _sentence(text)) for name, text in delivery.GAUGES.items())
    yield from (Row(f"{delivery.PREFIX}{name}", "le", f"{_sentence(text)}; a histogram") for name, text in delivery.HISTOGRAMS.values())


def _sentence(text: str) -> str:
    """As the other rows: without a full stop."""
    return text.rstrip(".")


def _section(title: str, rows: list[Row]) -> Iterator[str]:
    yield from (f"## Flink's: {title.lower()}", "", _table(rows))


def _table(rows: Iterator[Row] | list[Row]) -> str:
    lines = [f"| `{row.name}` | {' '.join(f'`{label}`' for label in row.labels.split())} | {row.says} |" for row in rows]
    return "\n".join(["| name | labels | what it says |", "|---|---|---|", *lines, ""])


def _alerts() -> str:
    return f"""\
## Worth an alarm

| expression | what it means |
|---|---|
| `absent({JOB}uptime)` or `{JOB}uptime == 0` for 1 min | the job does not run |
| `increase({JOB}numRestarts[10m]) > 3` | it fails again and again: `tickloom logs job` |
| `{OPERATOR}pendingRecords` rising for 5 min | it does not keep up: more `job.parallelism`, or more ticks a record |
| `{JOB}lastCheckpointDuration > 10000` | finals come late |
| `increase({LETTERS}[5m]) > 0` | bad input: `tickloom dlq ls` |
| `rate(tickloom_gateway_heartbeats_total[1m]) == 0` for 1 min | no feed is live, or Kafka is away: bars of quiet symbols do not close |
| `tickloom_gateway_heartbeat_lag_seconds > 60` for 5 min | the slowest feed is so far behind: bars of quiet symbols close late |
| `increase(tickloom_gateway_pauses_total[5m]) > 10` | Kafka does not keep up with what feeds send |
| `increase(tickloom_dead_letters_total{{stage="gateway"}}[5m]) > 0` | feeds send lines that do not count: `tickloom dlq ls` |
| `increase(tickloom_gateway_turned_away_total[5m]) > 0` | more clients than `gateway.max_connections` or `..._per_address` allow |
| `tickloom_delivery_degraded == 1` for 1 min | clients see old bars; Kafka, a topic, or a full disk: `tickloom logs delivery` |
| `increase(tickloom_delivery_cuts_total{{code="slow_client"}}[5m]) > 0` | clients do not read as fast as they are sent to |
| `increase({OPERATOR}tickloom_split_symbols[1h]) > 0` | a producer partitions otherwise: results of these symbols cannot be proved |
"""


if __name__ == "__main__":
    PAGE.write_text(page())
    print(PAGE)
