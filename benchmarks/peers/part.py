"""The table of peers: who computes what from the same ticks, how fast, at what cost, and whether the bars are right."""

from benchmarks.bench import Bench, Make, Measured
from benchmarks.contenders import bytewax, flink_sql, flink_windows, our_job, plain_loop, quix
from benchmarks.report import Cell, Part, Table, Target, at_least, ratio
from benchmarks.throughput import FEW, MINUTES

SHARES: dict[Make, float] = {quix: 0.25, flink_windows: 1 / 12}
"""Slow ones read the beginning of the same market: the rest would tell nothing new."""
TARGETS: dict[Make, float] = {bytewax: 2, quix: 7, flink_windows: 40}


def measure(bench: Bench) -> Part:
    """Everybody on one tick a record; and our job on four and sixteen beside Flink SQL, which takes one a record only."""
    seen = {
        make: bench.measure(make, bench.market(FEW, MINUTES[1] * SHARES.get(make, 1)))
        for make in (our_job, plain_loop, bytewax, quix, flink_windows, flink_sql)
    }
    ours = seen[our_job]
    rows: list[tuple[Cell, ...]] = [
        (each.name, each.ticks_s, ratio(ours.ticks_s, each.ticks_s), each.cpu_us, ratio(each.cpu_us, ours.cpu_us), each.note)
        for each in seen.values()
    ]
    columns = ("who", "ticks/s", "ours/theirs", "CPU us/tick", "theirs/ours", "minutes of one symbol")
    part = Part("peers", [Table(f"{FEW} symbols, 1 tick a record, the same topic", columns, rows)])
    part.targets = [
        at_least(f"times {seen[make].name}", least, ratio(ours.ticks_s, seen[make].ticks_s), "x") for make, least in TARGETS.items()
    ]
    part.targets += [_beside_sql(bench, per_record, seen[flink_sql]) for per_record in (4, 16)]
    part.notes = [f"{each.name}: {each.computes}" for each in seen.values()]
    return part


def _beside_sql(bench: Bench, per_record: int, sql: Measured) -> Target:
    ours = bench.measure(our_job, bench.market(FEW, MINUTES[per_record], per_record))
    return at_least(f"times Flink SQL, ours with {per_record} ticks a record", 1, ratio(ours.ticks_s, sql.ticks_s), "x")
