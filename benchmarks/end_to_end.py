"""How soon what a feed says can be read, all the way: `python -m benchmarks.end_to_end`.

A connection for each of 200 symbols -> gateway -> Kafka -> job -> topics, by the definitions of `benchmarks/latency.py`: event time
is the clock at the moment a tick is given to its socket, and heartbeats are the gateway's own.
"""

from benchmarks.bench import Bench
from benchmarks.gateway import running_gateway
from benchmarks.latency import MINUTE_ENDS, SYMBOLS, TARGET_RATE, add_targets, rows, watch
from benchmarks.live_job import running_job
from benchmarks.report import Part, Table

COLUMNS = ("ticks/s", "what", "p50", "p95", "p99", "max", "records")


def measure(bench: Bench) -> Part:
    """One rate, with so many minute ends."""
    rate = round(TARGET_RATE * min(1.0, bench.scale))
    bench.say(f"end to end at {rate:,} ticks/s over {SYMBOLS} connections, in real time")
    part = Part("end-to-end", [Table(f"{SYMBOLS} symbols over {SYMBOLS} connections, ms", COLUMNS, [])])
    with running_gateway(bench.stack, "end-to-end") as (address, _, settings), running_job(bench.stack, settings) as job:
        seen = watch(job, rate, MINUTE_ENDS if bench.scale >= 1 else 1, address)
    part.tables[0].rows.extend(rows(rate, seen))
    if rate == TARGET_RATE:
        add_targets(part, seen, job.config.bars.out_of_orderness)
    part.notes.append(f"the load generator was {seen.behind_ms:.0f} ms behind at worst")
    part.notes.append("event time is in whole ms, cut off: every figure has up to 1 ms too much")
    return part


if __name__ == "__main__":
    from benchmarks.command import main

    main("end-to-end")
