"""What forming bars and the search for duplicates cost: the same topic with each switched off. `python -m benchmarks.switches`."""

from benchmarks.bench import Bench
from benchmarks.contenders import our_job
from benchmarks.report import Cell, Part, Table, ratio
from benchmarks.throughput import FEW, MINUTES

SWITCHES: dict[str, dict[str, object]] = {
    "live.enabled = false": {"live__enabled": "false"},
    "ticks.deduplicate = false": {"ticks__deduplicate": "false"},
}


def measure(bench: Bench) -> Part:
    """The job as it comes, then with each switch off."""
    market = bench.market(FEW, MINUTES[1])
    whole = bench.measure(our_job, market)
    rows: list[tuple[Cell, ...]] = [("everything on", whole.ticks_s, whole.cpu_us, 1.0, 1.0, whole.note)]
    for name, settings in SWITCHES.items():
        without = bench.measure(our_job, market, **settings)
        rows.append(
            (
                name,
                without.ticks_s,
                without.cpu_us,
                ratio(whole.cpu_us, without.cpu_us),
                ratio(without.ticks_s, whole.ticks_s),
                without.note,
            )
        )
    columns = ("settings", "ticks/s", "CPU us/tick", "CPU on/off", "time on/off", "bars")
    part = Part("switches", [Table(f"{FEW} symbols, 1 tick a record", columns, rows)])
    part.notes.append("forming bars are throttled by the clock: on a backlog they cost a share of the time, at most live.budget")
    return part


if __name__ == "__main__":
    from benchmarks.command import main

    main("switches")
