"""What idle connections cost those that send, and how much memory connections take: `python -m benchmarks.connections`.

In turn with and without the idle ones, so that a busy neighbour harms both alike. Latency is from the moment a tick is given
to its socket until a consumer of its topic has it; the load comes from a process of its own.
"""

import gc
import resource
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import orjson
import psutil

from benchmarks.bench import Bench
from benchmarks.gateway import running_gateway
from benchmarks.latency import percentile
from benchmarks.load import start_load
from benchmarks.processes import cpu_seconds
from benchmarks.report import Cell, Part, Table, at_most, ratio
from benchmarks.stack import read_config
from connectors.consumer import TopicReader, end_offsets
from connectors.topics import Topics

IDLE, SENDING, TICKS_S = 5_000, 500, 5_000
ROUNDS, SECONDS, WARM_UP_S, AFTER_S = 4, 12.0, 3.0, 1.0
MIB = 2**20
TARGET_MIB, TARGET_RATIO = 64.0, 1.1


class Seen:
    """Latencies in ms, and what their ticks cost the gateway."""

    def __init__(self) -> None:
        self._latencies: list[float] = []
        self._ticks = 0
        self._cpu_s = 0.0

    @property
    def p99(self) -> float | None:
        return percentile(self._latencies, 99)

    @property
    def cells(self) -> tuple[Cell, ...]:
        seen = self._latencies
        percentiles = (percentile(seen, percent) for percent in (50, 95, 99))
        return *percentiles, max(seen, default=None), len(seen), self._cpu_s / max(1, self._ticks) * 1e6

    def watch(self, settings: Mapping[str, object], address: tuple[str, int], pid: int, sending: int, rate: float) -> None:
        """One run of the load; the latencies of its beginning do not count."""
        connection = read_config(settings).kafka_connection()
        topic = Topics.of(connection).stock_data
        cpu_s, load = cpu_seconds(pid), start_load(settings, sending, rate, SECONDS, address)
        from_ms, until_s = time.time() * 1_000 + WARM_UP_S * 1_000, time.monotonic() + AFTER_S
        raw: list[tuple[float, bytes]] = []
        with TopicReader(connection, topic, from_offsets=end_offsets(connection, topic)) as reader:
            while time.monotonic() < until_s:
                records = reader.read(0.1)
                at_ms = time.time_ns() / 1e6
                raw += [(at_ms, record.value) for record in records if record.value]
                if load.poll() is None:
                    until_s = time.monotonic() + AFTER_S
        self._cpu_s += cpu_seconds(pid) - cpu_s
        ticks = [(at_ms, orjson.loads(line)["event_time_ms"]) for at_ms, value in raw for line in value.split(b"\n")]
        self._ticks += len(ticks)
        self._latencies += [at_ms - sent_ms for at_ms, sent_ms in ticks if sent_ms >= from_ms]


def measure(bench: Bench) -> Part:
    """Some rounds alone and beside idle connections, whoever measures not stopping to look for garbage meanwhile."""
    gc.disable()
    try:
        return _measure(bench)
    finally:
        gc.enable()


def _measure(bench: Bench) -> Part:
    idle, sending, rate = (max(1, round(count * min(1.0, bench.scale))) for count in (IDLE, SENDING, TICKS_S))
    alone, beside = Seen(), Seen()
    with running_gateway(bench.stack, "connections", gateway__max_connections_per_address=IDLE + SENDING + 100) as (address, pid, settings):
        gateway = psutil.Process(pid)
        empty = largest = gateway.memory_info().rss
        for number in range(ROUNDS if bench.scale >= 1 else 1):
            bench.say(f"connections, round {number + 1}: {sending:,} that send, then {idle:,} idle ones beside them")
            alone.watch(settings, address, pid, sending, rate)
            with _idle_connections(address, idle):
                beside.watch(settings, address, pid, sending, rate)
                largest = max(largest, gateway.memory_info().rss)
    rows = [(f"{sending:,} sending", *alone.cells), (f"the same beside {idle:,} idle", *beside.cells)]
    title = f"socket -> readable in stock_data, {rate:,} ticks/s, ms"
    part = Part("connections", [Table(title, ("connections", "p50", "p95", "p99", "max", "ticks", "gateway CPU us/tick"), rows)])
    part.targets.append(at_most("memory above the empty process", TARGET_MIB, (largest - empty) / MIB, " MiB"))
    part.targets.append(at_most("p99 beside idle connections / alone", TARGET_RATIO, ratio(beside.p99, alone.p99), "x"))
    part.notes.append(f"the empty gateway: {empty / MIB:.0f} MiB")
    return part


@contextmanager
def _idle_connections(address: tuple[str, int], count: int) -> Iterator[None]:
    """Connections that say hello and nothing more, until the block ends."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with ExitStack() as sockets:
        for number in range(count):
            client = sockets.enter_context(socket.create_connection(address, 30))
            client.sendall(b'{"op":"hello","client":"idle-%d"}\n' % number)
        yield


if __name__ == "__main__":
    from benchmarks.command import main

    main("connections")
