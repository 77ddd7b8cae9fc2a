"""Ticks a second through the gateway, each acknowledged as durable (acks=all), and what one costs: `python -m benchmarks.gateway`.

The gateway is a process of its own, as `tickloom gateway` starts it; the clients are in this one. Beside it the design this
one grew from: kafka-python, one `send` a tick with a `flush` after each, and without it; there without any socket before.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import orjson

from benchmarks.bench import Bench
from benchmarks.gateway_feed import Line, make_lines, push
from benchmarks.processes import ContenderFailed, cpu_seconds
from benchmarks.report import Cell, Part, Table, at_least, at_most, ratio
from benchmarks.stack import Stack, child_environ, make_topics, read_config
from connectors.consumer import end_offsets
from connectors.topics import Topics
from jobs.config_terms import split_address
from jobs.local.logs import last_lines
from jobs.local.ports import free_ports
from jobs.local.process import kill_group, spawn, stop

SYMBOLS, CONNECTIONS = 200, (1, 200)
TICKS, WARM_UP = 1_000_000, 100_000
FLUSHED, UNFLUSHED = 2_000, 100_000
"""Ticks through kafka-python."""
TARGET_TICKS_S, TARGET_CPU_US = 100_000, 8.0


class Run(NamedTuple):
    """How one way to Kafka did."""

    name: str
    ticks: int
    took_s: float
    cpu_s: float
    records: int

    @property
    def ticks_s(self) -> float:
        return self.ticks / self.took_s

    @property
    def cpu_us(self) -> float:
        return self.cpu_s / self.ticks * 1e6

    @property
    def row(self) -> tuple[Cell, ...]:
        return self.name, self.ticks, self.ticks_s, self.cpu_us, self.ticks / self.records


def measure(bench: Bench) -> Part:
    """The gateway with few and with many connections, then kafka-python."""
    lines = make_lines(max(1_000, int(TICKS * bench.scale)), SYMBOLS, time.time_ns() // 1_000_000)
    runs = [_through_gateway(bench.stack, connections, lines) for connections in CONNECTIONS]
    flushed, unflushed = (
        _through_kafka_python(bench.stack, how, lines[: max(100, int(count * bench.scale))])
        for how, count in (("flush", FLUSHED), ("no-flush", UNFLUSHED))
    )
    columns = ("way", "ticks", "ticks/s", "CPU us/tick", "ticks/record")
    part = Part("gateway", [Table(f"{SYMBOLS} symbols, acks=all", columns, [run.row for run in (*runs, flushed, unflushed)])])
    worst = min(runs, key=lambda run: run.ticks_s)
    part.targets.append(at_least("gateway, ticks/s on one core", TARGET_TICKS_S, worst.ticks_s))
    part.targets.append(at_most("gateway, CPU us a tick", TARGET_CPU_US, max(run.cpu_us for run in runs)))
    for run in (flushed, unflushed):
        part.notes.append(f"gateway / {run.name}: {ratio(worst.ticks_s, run.ticks_s):,.0f} times the ticks/s")
    return part


@contextmanager
def running_gateway(stack: Stack, name: str, **settings: object) -> Iterator[tuple[tuple[str, int], int, dict[str, object]]]:
    """A gateway until the block ends: its address, its process id, the settings that lead to its topics."""
    port = free_ports(2)
    own = stack.named(name, gateway__listen=f"127.0.0.1:{port}", gateway__admin=f"127.0.0.1:{port + 1}", **settings)
    config = read_config(own)
    make_topics(config)
    options = [option for key, value in own.items() for option in ("--set", f"{key}={value}")]
    log = stack.log(name)
    process = spawn([sys.executable, "-m", "jobs.cli.main", *options, "gateway"], log, child_environ())
    try:
        deadline_s = time.monotonic() + 30
        while "gateway_started" not in (log.read_text() if log.exists() else ""):
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise ContenderFailed(f"the gateway did not start: {' | '.join(last_lines(log, 3))}")
            time.sleep(0.05)
        yield split_address(config.gateway.listen), process.pid, own
        stop(process, 15)
    finally:
        kill_group(process)


def _through_gateway(stack: Stack, connections: int, lines: list[Line]) -> Run:
    name = f"gateway, {connections} connection{'s' if connections > 1 else ''}"
    with running_gateway(stack, f"gateway-{connections}") as (address, pid, settings):
        push(address, lines[:WARM_UP], connections)
        before, cpu_s = _records(settings), cpu_seconds(pid)
        took_s = push(address, lines, connections)
        return Run(name, len(lines), took_s, cpu_seconds(pid) - cpu_s, _records(settings) - before)


def _through_kafka_python(stack: Stack, how: str, lines: list[Line]) -> Run:
    settings = stack.named(f"kafka-python-{how}")
    config = read_config(settings)
    make_topics(config)
    file = Path(stack.folder / f"{how}.ndjson")
    file.write_bytes(b"\n".join(line.text for line in lines))
    topic = Topics.of(config.kafka_connection()).stock_data
    argv = [sys.executable, "-m", "benchmarks.kafka_python_feed", stack.bootstrap, topic, str(file), how]
    done = subprocess.run(argv, capture_output=True, env=child_environ(), check=True, timeout=300)
    took_s, cpu_s = orjson.loads(done.stdout)
    name = "kafka-python, flush after each tick" if how == "flush" else "kafka-python, one flush at the end"
    return Run(name, len(lines), took_s, cpu_s, len(lines))


def _records(settings: dict[str, object]) -> int:
    connection = read_config(settings).kafka_connection()
    return sum(end_offsets(connection, Topics.of(connection).stock_data).values())


if __name__ == "__main__":
    from benchmarks.command import main

    main("gateway")
