"""How soon what happened can be read: `python -m benchmarks.latency`.

Live: the newest tick in a forming record -> that record readable, leading edges. Final: a bar's end -> its final
readable to a reader of committed records, symbols that trade on and symbols gone quiet apart. Ticks come from a process of
their own in real time; both ends are read off one machine's clock.
"""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from math import ceil, inf
from typing import NamedTuple

import orjson

from benchmarks.bench import Bench
from benchmarks.live_job import LiveJob, running_job
from benchmarks.load import Roles
from benchmarks.processes import ContenderFailed
from benchmarks.report import Cell, Part, Table, at_most
from benchmarks.stack import make_topics, read_config
from connectors.consumer import TopicReader, end_offsets
from connectors.result_codec import decode_result
from connectors.topics import Topics
from udfs.model import Result, Status

SYMBOLS, RATES, MINUTE = 200, (1_000, 10_000), "1min"
WARM_UP_S = 60
"""Still a minute after the start the JVM's compilers take a tenth of a core."""
MINUTE_ENDS, AFTER_S = 2, 6
PATIENCE_S = 10
"""How much longer than the load it is read: a final that has not come by then took for ever."""
TARGET_RATE = 10_000
LIVE_MS = {50: 60.0, 99: 250.0}
FINAL_P95_MS = {"active": 1_500.0, "quiet": 2_500.0}
"""Beyond the out-of-orderness."""


class Seen(NamedTuple):
    """A record, and when it had been read."""

    at_ms: float
    result: Result


class Latencies(NamedTuple):
    """In milliseconds."""

    live: list[float]
    all_live: list[float]
    active: list[float]
    quiet: list[float]
    behind_ms: float


def measure(bench: Bench) -> Part:
    """Each rate, with so many minute ends."""
    part = Part("latency", [Table(f"{SYMBOLS} symbols, ms", ("ticks/s", "what", "p50", "p95", "p99", "max", "records"), [])])
    for rate in (round(rate * min(1.0, bench.scale)) for rate in RATES):
        bench.say(f"latency at {rate:,} ticks/s, in real time")
        settings = bench.stack.named(f"latency-{rate}")
        make_topics(read_config(settings))
        try:
            with running_job(bench.stack, settings) as job:
                seen = watch(job, rate, MINUTE_ENDS if bench.scale >= 1 else 1)
        except ContenderFailed as error:
            part.notes.append(f"{rate:,} ticks/s not measured: {error}")
            continue
        part.tables[0].rows.extend(rows(rate, seen))
        part.notes.append(f"{rate:,} ticks/s: the load generator was {seen.behind_ms:.0f} ms behind at worst")
        if rate == TARGET_RATE:
            add_targets(part, seen, job.config.bars.out_of_orderness)
    part.notes.append("leading edges: symbols that trade less often than live.interval; all forming: the throttle's wait is in it")
    part.notes.append("event time is in whole ms, cut off: every figure has up to 1 ms too much")
    return part


def percentile(values: Iterable[float], percent: float) -> float | None:
    """The smallest value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)] if ordered else None


def watch(job: LiveJob, rate: float, minute_ends: int, gateway: tuple[str, int] | None = None) -> Latencies:
    """A job under a load of `rate`, straight into Kafka or through a gateway, until so many whole minutes have ended."""
    begin_ms = time.time() * 1_000
    first_end_ms = (ceil(begin_ms / 60_000) + 1) * 60_000  # of the first minute that every symbol trades in from its beginning
    until_ms = first_end_ms + (minute_ends - 1) * 60_000 + AFTER_S * 1_000
    load = job.load(SYMBOLS, rate, (until_ms - begin_ms) / 1_000, gateway)
    topics = Topics(job.config.kafka.topic_prefix)
    read_until_ms = until_ms + PATIENCE_S * 1_000
    with ThreadPoolExecutor(2) as pool:
        reading = [pool.submit(_read, job, topic, read_until_ms) for topic in (topics.indicator_live, topics.indicator_results)]
        live, final = (each.result() for each in reading)
    summary, _ = load.communicate(timeout=60)
    ends_ms = [first_end_ms + number * 60_000 for number in range(minute_ends)]
    return latencies(live, final, begin_ms + WARM_UP_S * 1_000, ends_ms, orjson.loads(summary)["behind_ms"])


def _read(job: LiveJob, topic: str, until_ms: float) -> list[Seen]:
    """What appears in a topic, each record with the moment it was there; decoded afterwards."""
    connection = job.config.kafka_connection()
    raw: list[tuple[float, bytes]] = []
    with TopicReader(connection, topic, from_offsets=end_offsets(connection, topic)) as reader:
        while time.time() * 1_000 < until_ms:
            records = reader.read(0.1)
            at_ms = time.time_ns() / 1e6
            raw += [(at_ms, record.value or b"") for record in records]
    return [Seen(at_ms, decode_result(value)) for at_ms, value in raw]


def latencies(live: list[Seen], final: list[Seen], live_from_ms: float, ends_ms: list[int], behind_ms: float) -> Latencies:
    """By the definitions above; forming records from `live_from_ms` on, bars that end at one of `ends_ms`.

    Every symbol trades in every minute: a 1min final that was not seen counts as infinitely late.
    """
    roles = Roles.of(SYMBOLS)
    probes = set(roles.probes)
    forming = [(seen.at_ms - (seen.result.as_of_ms or 0), seen.result.stock_id) for seen in live if seen.at_ms >= live_from_ms]
    finals = {
        (seen.result.stock_id, seen.result.time_frame, seen.result.end_ms): seen.at_ms - seen.result.end_ms
        for seen in final
        if seen.result.status is Status.FINAL and seen.result.end_ms in ends_ms
    }
    for symbol in (*roles.active, *roles.quiet):
        for end_ms in ends_ms:
            finals.setdefault((symbol, MINUTE, end_ms), inf)
    return Latencies(
        [ms for ms, symbol in forming if symbol in probes],
        [ms for ms, _ in forming],
        [ms for (symbol, _, _), ms in finals.items() if symbol in set(roles.active)],
        [ms for (symbol, _, _), ms in finals.items() if symbol in set(roles.quiet)],
        behind_ms,
    )


def rows(rate: int, seen: Latencies) -> list[tuple[Cell, ...]]:
    """A row for each kind of latency."""
    named = {
        "newest tick -> live record readable, leading edges": seen.live,
        "the same, all forming records": seen.all_live,
        "bar end -> final readable, active symbols": seen.active,
        "bar end -> final readable, quiet symbols": seen.quiet,
    }
    return [
        (rate, name, *(percentile(values, percent) for percent in (50, 95, 99)), max(values, default=None), len(values))
        for name, values in named.items()
    ]


def add_targets(part: Part, seen: Latencies, out_of_orderness_ms: int) -> None:
    """The targets of the design beside what was seen."""
    for percent, most in LIVE_MS.items():
        part.targets.append(at_most(f"tick -> live record, leading edges, p{percent}", most, percentile(seen.live, percent), " ms"))
    for name, values in (("active", seen.active), ("quiet", seen.quiet)):
        most = out_of_orderness_ms + FINAL_P95_MS[name]
        part.targets.append(at_most(f"bar end -> final, {name} symbols, p95", most, percentile(values, 95), " ms"))


if __name__ == "__main__":
    from benchmarks.command import main

    main("latency")
