"""How many ticks a second the job takes and what a tick costs: `python -m benchmarks.throughput`.

Each row is one topic of simulated ticks, read from its beginning to its end by the real job on a mini-cluster of its own
(five frames, fourteen indicators, exactly once, a checkpoint a second), and by one process that folds with the same core
with nothing around it. Rates are taken between four and nine tenths of the way: neither start-up nor the JVM's compiling is in them.
"""

from benchmarks.bench import Bench, Measured
from benchmarks.contenders import our_job, plain_loop
from benchmarks.report import Cell, Part, Table, Target, at_least, at_most, ratio

FEW = 200
MINUTES = {1: 20, 4: 30, 16: 60}
"""Ticks a record -> minutes of event time: long enough for the JVM to have compiled its code. Peers read these topics too."""
MINUTES_OF_MANY = {1: 1, 4: 2, 16: 2}
FOR_MANY: dict[str, object] = {"job__changelog": True}
"""As the reference of options says for many symbols: a full snapshot each second would be a good part of the work."""
TARGETS = {1: 60_000, 4: 150_000, 16: 250_000}
COST_RATIO = 1.2


def measure(bench: Bench) -> Part:
    """Every number of symbols, every number of ticks a record."""
    jobs: dict[tuple[int, int], Measured] = {}
    rows: list[tuple[Cell, ...]] = []
    for symbols in bench.symbols:
        for per_record, minutes in (MINUTES if symbols <= FEW else MINUTES_OF_MANY).items():
            market = bench.market(symbols, minutes, per_record)
            job = jobs[symbols, per_record] = bench.measure(our_job, market, **({} if symbols <= FEW else FOR_MANY))
            loop = bench.measure(plain_loop, market)
            rows.append((symbols, per_record, market.ticks, job.ticks_s, loop.ticks_s, ratio(job.ticks_s, loop.ticks_s), job.cpu_us,
                         loop.cpu_us, job.note))  # fmt: skip
    columns = ("symbols", "ticks/record", "ticks", "job ticks/s", "loop ticks/s", "job/loop", "job CPU us/tick", "loop CPU us/tick", "bars")
    part = Part("throughput", [Table("the job beside a plain Python loop over the same topic", columns, rows)])
    part.targets = [_rate(jobs, per_record, least) for per_record, least in TARGETS.items()]
    part.targets += _costs(bench.symbols, jobs)
    part.notes.append(f"with more than {FEW} symbols job.changelog is on")
    part.notes.append("240 ticks a symbol and minute; CPU us/tick is also CPU seconds a million ticks, of the whole process tree")
    return part


def _rate(jobs: dict[tuple[int, int], Measured], per_record: int, least: float) -> Target:
    job = jobs.get((FEW, per_record))
    return at_least(f"{FEW} symbols, {per_record} tick(s) a record", least, job and job.ticks_s, " ticks/s")


def _costs(symbols: tuple[int, ...], jobs: dict[tuple[int, int], Measured]) -> list[Target]:
    few, many = min(symbols), max(symbols)
    if few == many:
        return []
    targets = []
    for per_record in TARGETS:
        of_few, of_many = jobs[few, per_record], jobs[many, per_record]
        what = f"cost a tick, {few:,} -> {many:,} symbols, {per_record} tick(s) a record"
        targets.append(at_most(f"{what}: time", COST_RATIO, ratio(of_few.ticks_s, of_many.ticks_s), "x"))
        targets.append(at_most(f"{what}: CPU", COST_RATIO, ratio(of_many.cpu_us, of_few.cpu_us), "x"))
    return targets


if __name__ == "__main__":
    from benchmarks.command import main

    main("throughput")
