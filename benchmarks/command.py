"""The command line of the benchmark: which parts, how much, and where the figures go."""

import argparse
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from importlib import import_module
from pathlib import Path

import orjson

from benchmarks import machine
from benchmarks.bench import Bench
from benchmarks.report import Part, text
from benchmarks.stack import running_stack

PARTS = {
    "throughput": "benchmarks.throughput",
    "peers": "benchmarks.peers.part",
    "switches": "benchmarks.switches",
    "latency": "benchmarks.latency",
    "state": "benchmarks.state",
    "indicators": "benchmarks.indicators",
    "gateway": "benchmarks.gateway",
    "connections": "benchmarks.connections",
    "end-to-end": "benchmarks.end_to_end",
    "delivery": "benchmarks.delivery_load",
    "delivery-http": "benchmarks.delivery_http",
    "page": "benchmarks.page",
}
"""Name -> the module whose `measure(bench)` makes it, in the order of a whole run."""


def main(*parts: str, arguments: Sequence[str] | None = None) -> None:
    """Measure `parts`, or what the command line names, or all; print each as soon as it is there. Exit 1 when one failed."""
    options = _options(parts, arguments)
    about = machine.describe(datetime.now().astimezone())
    busy = machine.warning()
    print("\n".join(f"{name}: {value}" for name, value in about.items()))
    print(f"WARNING: {busy}\n" if busy else "", flush=True)
    wanted = [name for name in PARTS if name in (parts or options.parts or PARTS)]
    done: list[Part] = []
    with running_stack() as stack:
        bench = Bench(stack, tuple(options.symbols), options.scale)
        for name in wanted:
            done.append(_measured(name, bench))
            print(text(done[-1]), flush=True)
            if options.json:
                _write(options.json, {**about, "warning": busy, "scale": options.scale}, done)
    if any(part.failed for part in done):
        sys.exit(1)


def _options(parts: Sequence[str], arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures Tickloom; a table a part, the whole as JSON.")
    if not parts:
        parser.add_argument("parts", nargs="*", type=_part, metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies every count (0.05 shows only that all of it works)")
    parser.add_argument("--symbols", type=int, nargs="+", default=[200, 5_000], help="of throughput and state")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    return parser.parse_args(arguments)


def _part(name: str) -> str:
    if name not in PARTS:
        raise argparse.ArgumentTypeError(f"there is no part {name!r}; there are {', '.join(PARTS)}")
    return name


def _measured(name: str, bench: Bench) -> Part:
    """The part; one that breaks does not take the others with it."""
    begun_s = time.monotonic()
    try:
        part: Part = import_module(PARTS[name]).measure(bench)
    except Exception as error:  # whatever it is, it is printed, and the exit code tells
        traceback.print_exc()
        part = Part(name, notes=[f"FAILED: {error!r}"], failed=True)
    part.notes.append(f"measured in {time.monotonic() - begun_s:.0f} s")
    return part


def _write(path: Path, about: dict[str, object], parts: Sequence[Part]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps({"about": about, "parts": [asdict(part) for part in parts]}, option=orjson.OPT_INDENT_2))
