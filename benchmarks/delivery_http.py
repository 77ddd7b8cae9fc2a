"""Requests over HTTP, one URL again and again, then URLs nobody asked before: `python -m benchmarks.delivery_http`.

The load is wrk's (`apt-get install wrk`), on other cores than the delivery's; rows are what a job writes, all indicators in them.
"""

import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.bench import Bench
from benchmarks.delivery_feed import Bars
from benchmarks.delivery_load import DELIVERY_CORE, other_cores
from benchmarks.delivery_process import pin, running_delivery
from benchmarks.processes import ContenderFailed, cpu_seconds
from benchmarks.report import Cell, Part, Table, at_least, at_most
from benchmarks.results_feed import ResultsFeed
from benchmarks.stack import make_topics, read_config
from jobs.local.ports import free_ports
from jobs.simulated_market import symbol_names
from udfs.frames import MINUTE_MS
from udfs.model import Status

SYMBOLS, BARS, ROWS = 20, 2_000, 1_000
AT_ONCE = 100
"""Bars of each symbol in one transaction of the feed."""
RUN_S = 10.0
P99_MS, REQUESTS_S = 20.0, 1_000
SCRIPT = """
local fixed, from_ms, symbols, headers = "%(path)s", %(from_ms)d, {%(symbols)s}, {%(headers)s}
local asked, threads = 0, 0
function setup(thread) thread:set("id", threads); threads = threads + 1 end
function request()
  if fixed ~= "" then return wrk.format("GET", fixed, headers) end
  asked = asked + 1
  local last_ms = from_ms + (asked * 16 + id) %% %(span_ms)d
  return wrk.format("GET", "/v1/bars?time_frame=1min&limit=%(rows)d&sort=desc%(more)s&symbols=" .. symbols[asked %% #symbols + 1] ..
    "&end=" .. string.format("%%d", last_ms), headers)
end
function done(summary, latency)
  io.write(string.format('\\nfigures {"requests":%%d,"us":%%d,"bytes":%%d,"p50":%%d,"p99":%%d,"max":%%d,"errors":%%d}\\n', summary.requests,
    summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99), latency.max,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout))
end
"""


class Load(NamedTuple):
    """What is asked."""

    name: str
    connections: int
    path: str = ""
    """One URL; empty: each request another one, `ROWS` rows before an instant nobody asked for."""
    more: str = ""
    gzip: bool = False


_ONE = f"/v1/bars?symbols={symbol_names(1)[0]}&time_frame=1min&limit="
HOT, HOT_PACKED = Load("one URL", 16, f"{_ONE}{ROWS}"), Load("one URL, gzip", 16, f"{_ONE}{ROWS}", gzip=True)
LOADS = (
    HOT,
    HOT_PACKED,
    Load("one URL, 10 rows", 16, f"{_ONE}10"),
    Load("other URLs", 1),
    Load("other URLs", 4),
    Load("other URLs, gzip", 1, gzip=True),
    Load("other URLs, 2 indicators", 1, more="&indicators=RSI,MACD"),
    Load("other URLs, CSV", 1, more="&format=csv"),
)


class Run(NamedTuple):
    """How it went."""

    load: Load
    requests: int
    seconds: float
    mbytes: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    errors: int
    cpu: float
    """Share of the delivery's core."""

    @property
    def requests_s(self) -> float:
        return self.requests / self.seconds

    @property
    def row(self) -> tuple[Cell, ...]:
        cells = self.p50_ms, self.p99_ms, self.max_ms, self.mbytes / self.seconds, self.cpu * 100, self.errors
        return self.load.name, self.load.connections, self.requests_s, *cells


def measure(bench: Bench) -> Part:
    """One URL plain and compressed, then others."""
    part = Part("delivery-http")
    if shutil.which("wrk") is None:
        part.notes.append("not measured: wrk is missing; try: apt-get install wrk")
        return part
    pin(bench.stack.broker.pid, other_cores())
    settings = bench.stack.named("delivery-http", delivery__listen=f"127.0.0.1:{free_ports(1)}")
    make_topics(read_config(settings))
    end_ms = time.time_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS
    bench.say(f"feed {SYMBOLS * BARS:,} bars")
    _write(settings, end_ms - BARS * MINUTE_MS)
    with running_delivery(bench.stack, settings, [DELIVERY_CORE]) as delivery:
        seconds = max(1.0, RUN_S * bench.scale)
        runs = {load: _run(delivery.address, delivery.pid, load, end_ms, seconds) for load in LOADS}
    columns = ("asked", "connections", "requests/s", "p50 ms", "p99 ms", "max ms", "MB/s", "CPU %", "errors")
    part.tables.append(Table(f"GET /v1/bars, {ROWS:,} rows", columns, [run.row for run in runs.values()]))
    part.targets += [
        at_least("one URL, requests/s", REQUESTS_S, runs[HOT].requests_s),
        at_least("one URL, gzip, requests/s", REQUESTS_S, runs[HOT_PACKED].requests_s),
        at_most("one URL, p99 ms", P99_MS, runs[HOT].p99_ms),
    ]
    return part


def _write(settings: dict[str, object], begin_ms: int) -> None:
    names = symbol_names(SYMBOLS)
    bars, feed = Bars(settings, names, begin_ms), ResultsFeed(read_config(settings).kafka_connection(), "history")
    for first in range(0, BARS, AT_ONCE):
        feed.finals(bars.of(symbol, first + number, Status.FINAL) for number in range(AT_ONCE) for symbol in names)
    feed.close()


def _run(address: str, pid: int, load: Load, end_ms: int, seconds: float) -> Run:
    script = SCRIPT % {
        "path": load.path,
        "from_ms": end_ms - (BARS - ROWS) * MINUTE_MS,
        "span_ms": (BARS - ROWS) * MINUTE_MS,
        "symbols": ",".join(f'"{name}"' for name in symbol_names(SYMBOLS)),
        "headers": '["Accept-Encoding"]="gzip"' if load.gzip else "",
        "rows": ROWS,
        "more": load.more,
    }
    with tempfile.TemporaryDirectory(prefix="tickloom-wrk-") as folder:
        file = Path(folder) / "load.lua"
        file.write_text(script)
        cpu_s, begun_s = cpu_seconds(pid), time.monotonic()
        argv = ["wrk", "-t1", f"-c{load.connections}", f"-d{seconds:g}s", "-s", str(file), f"http://{address}"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=seconds + 60)
    cpu = (cpu_seconds(pid) - cpu_s) / (time.monotonic() - begun_s)
    if done.returncode or "figures " not in done.stdout:
        raise ContenderFailed(f"wrk: {done.stderr.strip() or done.stdout.strip()}")
    seen = json.loads(done.stdout.rpartition("figures ")[2])
    times_ms = (seen[name] / 1_000 for name in ("p50", "p99", "max"))
    return Run(load, seen["requests"], seen["us"] / 1e6, seen["bytes"] / 1e6, *times_ms, seen["errors"], cpu)


if __name__ == "__main__":
    from benchmarks.command import main

    main("delivery-http")
