"""A delivery with many clients: how soon they have what was written, what those that stop reading cost, how soon a snapshot is there.

`python -m benchmarks.delivery_load`. The delivery runs on one core; broker, feed and clients have the others.
"""

import json
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import orjson
from websockets.sync.client import connect

from benchmarks.bench import Bench
from benchmarks.delivery_feed import HISTORY_BARS, write_history
from benchmarks.delivery_process import RunningDelivery, pin, running_delivery
from benchmarks.delivery_watchers import Asked, Seen
from benchmarks.processes import ContenderFailed, cpu_seconds
from benchmarks.report import Cell, Part, Table, at_most
from benchmarks.stack import Stack, child_environ, make_topics, read_config
from jobs.local.ports import free_ports
from jobs.simulated_market import symbol_names
from udfs.frames import MINUTE_MS

SYMBOLS, HZ, RUN_S = 200, 4.0, 60.0
WARM_UP_S = 30.0
"""Until the broker's JVM, on the clients' core, has compiled what it runs all the time: meanwhile clients wait for seconds."""
MANY, EACH = 1_000, 20
HEALTHY, STALLED, EACH_OF_FEW = 160, 40, 50
SNAPSHOTS = 500
FIVE = ("MovingAverage", "EMA", "RSI", "MACD", "Bollinger")
P99_MS, SNAPSHOT_P99_MS, STALLED_SHARE, STALLED_MIB, CUT_S = 500, 50.0, 1.10, 8.0, 15.0
DELIVERY_CORE = 0
BURST_MSG_S = 1_000
"""Messages a second that a client may send: the snapshots are asked for one after the other."""


class Run(NamedTuple):
    """One load."""

    asked: Asked
    seen: Seen
    seconds: float
    delivery_cpu: float
    """Share of its core."""
    others_cpu: float
    peak_mib: float
    cut_s: float | None
    """From the last client's subscription until all that had stopped reading were cut."""

    @property
    def row(self) -> tuple[Cell, ...]:
        each = f"{self.asked.clients}" + (f" + {self.asked.stalled} stalled" if self.asked.stalled else "")
        seen = self.seen
        rates = seen.records / self.seconds, seen.mbytes / self.seconds, self.delivery_cpu * 100, self.others_cpu * 100
        return each, self.asked.each, *rates, seen.p50_ms, seen.p99_ms, seen.max_ms, seen.finals, seen.missing, seen.twice


COLUMNS = ("clients", "symbols", "records/s", "MB/s", "CPU %", "clients' CPU %", "p50 ms", "p99 ms", "max ms", "finals", "missing", "twice")


def measure(bench: Bench) -> Part:
    """Many clients, then few of which some stop reading, then snapshots."""
    pin(bench.stack.broker.pid, other_cores())
    seconds = max(10.0, RUN_S * bench.scale)
    _run(bench.stack, "warm-up", Asked("", MANY, 0, SYMBOLS, EACH, HZ), max(10.0, WARM_UP_S * bench.scale))
    many = _run(bench.stack, "many", Asked("", MANY, 0, SYMBOLS, EACH, HZ), seconds)
    alone = _run(bench.stack, "healthy", Asked("", HEALTHY, 0, SYMBOLS, EACH_OF_FEW, HZ), seconds)
    beside = _run(bench.stack, "stalled", Asked("", HEALTHY, STALLED, SYMBOLS, EACH_OF_FEW, HZ), seconds)
    part = Part(
        "delivery", [Table(f"{SYMBOLS} symbols at {HZ:g} Hz for {seconds:.0f} s", COLUMNS, [run.row for run in (many, alone, beside)])]
    )
    mib = max(0.0, beside.peak_mib - alone.peak_mib) / STALLED
    part.targets += [
        at_most(f"{MANY:,} clients x {EACH} symbols, p99 ms", P99_MS, many.seen.p99_ms),
        at_most("finals lost", 0, sum(run.seen.missing for run in (many, alone, beside))),
        at_most("p99 beside stalled clients / without them", STALLED_SHARE, beside.seen.p99_ms / max(1, alone.seen.p99_ms)),
        at_most("MiB a stalled client", STALLED_MIB, mib),
        at_most("s until every stalled client is cut", CUT_S, beside.cut_s),
    ]
    took_ms = snapshots(bench.stack, max(50, round(SNAPSHOTS * bench.scale)))
    row = (len(took_ms), took_ms[len(took_ms) // 2], took_ms[int(0.99 * len(took_ms))], took_ms[-1])
    part.tables.append(
        Table(f"snapshots of {HISTORY_BARS} bars with {len(FIVE)} indicators", ("snapshots", "p50 ms", "p99 ms", "max ms"), [row])
    )
    part.targets.append(at_most("snapshot, p99 ms", SNAPSHOT_P99_MS, row[2]))
    return part


def other_cores() -> list[int]:
    """Those that the delivery leaves to the others."""
    return [core for core in range(os.cpu_count() or 1) if core != DELIVERY_CORE] or [DELIVERY_CORE]


def _run(stack: Stack, name: str, asked: Asked, seconds: float) -> Run:
    with _delivery(stack, name) as (delivery, settings), _watchers(asked._replace(address=delivery.address)) as watchers:
        cpu_s, others_s, begun_s = cpu_seconds(delivery.pid), cpu_seconds(watchers.pid), time.monotonic()
        feed = _child("benchmarks.delivery_feed", orjson.dumps(settings).decode(), str(SYMBOLS), str(HZ), str(seconds), str(_begin_ms()))
        cut_s = _until_cut(delivery, asked.stalled, begun_s + seconds)
        fed = orjson.loads(feed.communicate(timeout=seconds + 60)[0])
        took_s = time.monotonic() - begun_s
        shares = [(cpu_seconds(pid) - before) / took_s for pid, before in ((delivery.pid, cpu_s), (watchers.pid, others_s))]
        seen = Seen(**orjson.loads(watchers.communicate(f"{fed['closed']}\n".encode(), timeout=60)[0]))
        return Run(asked, seen, took_s, shares[0], shares[1], delivery.peak_bytes / 2**20, cut_s)


def snapshots(stack: Stack, count: int) -> list[float]:
    """Milliseconds from asking for a snapshot until all of it is there, sorted; of one symbol after the other."""
    channel = {"channel": "bars", "time_frames": ["1min"], "indicators": FIVE, "snapshot": HISTORY_BARS, "mode": "final"}
    draw, names, took_ms = random.Random(5), symbol_names(SYMBOLS), []
    with (
        _delivery(stack, "snapshots", history=True) as (delivery, _),
        connect(f"ws://{delivery.address}/v1/ws", compression=None) as client,
    ):
        for number in range(count):
            wanted = {**channel, "symbols": [draw.choice(names)]}
            begun_s = time.perf_counter()
            client.send(json.dumps({"op": "subscribe", "id": number, "channels": [wanted]}))
            while b'"done":true' not in client.recv(decode=False):
                pass
            took_ms.append((time.perf_counter() - begun_s) * 1_000)
    return sorted(took_ms)


@contextmanager
def _delivery(stack: Stack, name: str, *, history: bool = False) -> Iterator[tuple[RunningDelivery, dict[str, object]]]:
    listen = f"127.0.0.1:{free_ports(1)}"
    settings = stack.named(f"delivery-{name}", delivery__listen=listen, delivery__messages_per_second=BURST_MSG_S)
    make_topics(read_config(settings))
    if history:
        write_history(settings, SYMBOLS, _begin_ms())
    with running_delivery(stack, settings, [DELIVERY_CORE]) as delivery:
        yield delivery, settings


@contextmanager
def _watchers(asked: Asked) -> Iterator["subprocess.Popen[bytes]"]:
    watchers = _child("benchmarks.delivery_watchers", orjson.dumps(asked._asdict()).decode())
    try:
        if watchers.stdout is None or watchers.stdout.readline() != b"ready\n":
            raise ContenderFailed("the clients could not subscribe")
        yield watchers
    finally:
        watchers.kill()
        watchers.wait()


def _child(module: str, *arguments: str) -> "subprocess.Popen[bytes]":
    child = subprocess.Popen([sys.executable, "-m", module, *arguments], env=child_environ(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pin(child.pid, other_cores())
    return child


def _until_cut(delivery: RunningDelivery, stalled: int, deadline_s: float) -> float | None:
    """Seconds until so many clients were cut as too slow; None without any, or when they were not by the end."""
    begun_s = time.monotonic()
    while stalled and time.monotonic() < deadline_s:
        with urllib.request.urlopen(f"http://{delivery.address}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        if f'tickloom_delivery_cuts_total{{code="slow_client"}} {stalled}' in lines:
            return time.monotonic() - begun_s
        time.sleep(0.25)
    return None


def _begin_ms() -> int:
    """A whole minute of now: records of longer ago than a minute are old to a delivery that has just begun."""
    return time.time_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS


if __name__ == "__main__":
    from benchmarks.command import main

    main("delivery")
