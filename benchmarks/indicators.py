"""One update of one indicator beside talipp's and TA-Lib's: `python -m benchmarks.indicators`.

The three are timed in turn in an environment of their own, on the same bars; ours is `step`, the state handed in and out.
"""

import subprocess

import orjson

from benchmarks.bench import Bench
from benchmarks.peers.environments import NoEnvironment, python_of
from benchmarks.report import Cell, Part, Table, Target, at_most, ratio
from benchmarks.stack import child_environ

BARS = 20_000


def measure(bench: Bench) -> Part:
    """Nanoseconds an update, the least of several rounds."""
    part = Part("indicators")
    part.notes = [
        "talipp: add(bar), which also keeps every bar and value it ever had",
        "TA-Lib: update(bar) of its stream handle, in C; a handle cannot be pickled, so it could not be a job's state",
        "equal: the three agree in the last bar within 1e-6 of the value",
    ]
    try:
        python = python_of("indicators")
    except NoEnvironment as error:
        part.notes.append(f"not measured: {error}")
        return part
    bench.say("run indicators")
    argv = [str(python), "-m", "benchmarks.peers.indicator_updates", str(max(1_000, int(BARS * bench.scale)))]
    done = subprocess.run(argv, env=child_environ(), capture_output=True, text=True, check=False)
    if done.returncode:
        part.notes.append(f"not measured: {done.stderr.strip().splitlines()[-1]}")
        return part
    part.tables.append(_table(seen := orjson.loads(done.stdout)))
    part.targets = [_target(each) for each in seen if each["talipp_ns"]]
    return part


def _table(seen: list[dict[str, float]]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (each["spec"], each["ours_ns"], each["talipp_ns"], each["talib_ns"], ratio(each["ours_ns"], each["talipp_ns"]),
         ratio(each["ours_ns"], each["talib_ns"]), each["equal"])
        for each in seen
    ]  # fmt: skip
    return Table("one update", ("indicator", "ours ns", "talipp ns", "TA-Lib ns", "ours/talipp", "ours/TA-Lib", "equal"), rows)


def _target(each: dict[str, float]) -> Target:
    return at_most(f"{each['spec']} in talipp's time", 1, ratio(each["ours_ns"], each["talipp_ns"]), "x")


if __name__ == "__main__":
    from benchmarks.command import main

    main("indicators")
