"""How long the results stand still when a process is killed: `make recovery`.

Under load, TaskManager, JobManager and broker of a local cluster, then the mini-cluster's process of `tickloom up`, are killed
with SIGKILL in turn. Recovery is the time from the kill until a final that was computed after it can be read (`read_committed`).
Event time runs 60 times as fast as the clock, so that bars close all the time. At the end `tickloom verify` has its say.
"""

import argparse
import math
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import orjson
from confluent_kafka import Consumer, TopicPartition

from connectors.kafka_publisher import KafkaPublisher
from connectors.topic_metadata import end_offsets
from connectors.topics import Topics
from jobs.config import Config
from jobs.config_load import load_config
from jobs.feed import Sent, WallClock, send_from_now
from jobs.feed_records import Coalescing
from jobs.local.parts import PartState, PartStatus, RestartRule
from jobs.local.ports import free_ports
from jobs.local.run_folder import CLUSTER, STACK, RunFolder
from jobs.simulate import Exchange, Simulation
from jobs.simulated_faults import Faults

SPEED = 60
"""Seconds of event time in a second: a minute's bars close each second."""
LONGEST_S = 120.0
LONGEST_FEED_MS = 4 * 86_400_000
"""Event time of an hour and a half."""


TARGETS_S = {"taskmanager": 15, "jobmanager": 30, "broker": 20}
"""How soon results should be back, p95."""


class Victim(NamedTuple):
    """What is killed: a part of the stack or of the cluster."""

    where: str
    part: str


ON_CLUSTER = {
    "taskmanager": Victim(CLUSTER, "taskmanager-1"),
    "jobmanager": Victim(CLUSTER, "jobmanager"),
    "broker": Victim(STACK, "broker"),
}
ON_MINICLUSTER = {"minicluster": Victim(STACK, "job")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=5, help="of each kind")
    parser.add_argument("--kinds", nargs="+", choices=[*ON_CLUSTER, *ON_MINICLUSTER], default=[*ON_CLUSTER, *ON_MINICLUSTER])
    parser.add_argument("--symbols", type=int, default=200)
    parser.add_argument("--rate", type=int, default=1_000, help="ticks a second")
    parser.add_argument("--settle", type=float, default=8.0, help="seconds of results between a recovery and the next kill")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # nothing stays behind
    seconds: dict[str, list[float]] = {kind: [] for kind in options.kinds}
    with bench() as run, feeding(run.config, options.symbols, options.rate):
        on_cluster = {kind: ON_CLUSTER[kind] for kind in options.kinds if kind in ON_CLUSTER}
        if on_cluster:
            run.tickloom("cluster", "up", "--detach")
            run.tickloom("job", "submit")
            run.kill_in_turn(on_cluster, options.kills, options.settle, seconds)
            run.tickloom("job", "stop")
            run.tickloom("cluster", "down")
        if "minicluster" in options.kinds:
            run.tickloom("down")
            run.tickloom("up", "--detach")
            run.kill_in_turn(ON_MINICLUSTER, options.kills, options.settle, seconds)
        proved = run.verify()
    show(seconds)
    print(f"verify: exit {proved['exit_code']}, {proved['counts']['counted']:,} ticks, {len(proved['differences'])} differences")
    if options.json:
        options.json.write_bytes(orjson.dumps({"seconds": seconds, "verify": proved}, option=orjson.OPT_INDENT_2))


class Bench:
    """A stack and a cluster of their own in one folder, driven by the command."""

    def __init__(self, config: Config, file: Path) -> None:
        self.config = config
        self._command = [sys.executable, "-m", "jobs.cli.main", "--config", str(file)]
        self._killed_s: defaultdict[Victim, list[float]] = defaultdict(list)

    def tickloom(self, *arguments: str) -> None:
        subprocess.run([*self._command, *arguments], check=True)

    def verify(self) -> dict[str, object]:
        done = subprocess.run([*self._command, "verify", "--json", "--wait", "300"], stdout=subprocess.PIPE, check=False)
        return {"exit_code": done.returncode, **orjson.loads(done.stdout)}

    def kill_in_turn(self, victims: dict[str, Victim], kills: int, settle_s: float, seconds: dict[str, list[float]]) -> None:
        """Kill each victim `kills` times, all kinds in turn, while finals come."""
        with Finals(self.config) as finals:
            for _ in range(kills):
                for kind, victim in victims.items():
                    self.wait_until_allowed(victim)
                    finals.wait_for_one_after(time.time())
                    time.sleep(settle_s)
                    seconds[kind].append(finals.wait_for_one_after(self.kill(victim)))
                    print(f"{kind}: {seconds[kind][-1]:.1f} s", flush=True)
                    self.wait_until_restarted(victim)

    def wait_until_allowed(self, victim: Victim) -> None:
        """The supervisor gives up a part that ends too often."""
        rule, killed_s = RestartRule(), self._killed_s[victim]
        if len(killed_s) >= rule.limit:
            time.sleep(max(0.0, killed_s[-rule.limit] + rule.window_s + 1 - time.monotonic()))

    def kill(self, victim: Victim) -> float:
        """The time at which it was dead."""
        pid = self.status(victim).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        self._killed_s[victim].append(time.monotonic())
        return time.time()

    def wait_until_restarted(self, victim: Victim) -> None:
        deadline_s = time.monotonic() + LONGEST_S
        while (status := self.status(victim)).state is not PartState.RUNNING or status.pid is None:
            if time.monotonic() > deadline_s:
                raise SystemExit(f"{victim.part} has not come back; its log: {status.log}")
            time.sleep(0.1)

    def status(self, victim: Victim) -> PartStatus:
        parts = RunFolder(self.config.stack.data_dir, victim.where).read()
        return next(part for part in parts if part.name == victim.part)


@contextmanager
def bench() -> Iterator[Bench]:
    """Everything in a folder that is thrown away; the broker runs."""
    checkout = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory(prefix="tickloom-recovery-") as folder:
        port, file = free_ports(4), Path(folder) / "tickloom.toml"
        file.write_text(
            f"""
            [stack]
            name = "recovery"
            data_dir = "data"
            jars = "{checkout / ".jars"}"
            [kafka]
            listen = "127.0.0.1:{port}"
            [job]
            flink_rest = "http://127.0.0.1:{port + 2}"
            metrics = ""
            [gateway]
            enabled = false
            [delivery]
            enabled = false
            """
        )
        run = Bench(load_config(file, {}, Path(folder), {}), file)
        try:
            run.tickloom("up", "--no-job", "--detach")
            run.tickloom("topics", "create")
            yield run
        finally:
            run.tickloom("cluster", "down")
            run.tickloom("down")


@contextmanager
def feeding(config: Config, symbols: int, rate: int) -> Iterator[None]:
    """Within the block a process of its own writes `rate` ticks a second, event time at 60 times the clock."""
    feeder = multiprocessing.get_context("spawn").Process(target=feed, args=(config, symbols, rate), daemon=True)
    feeder.start()
    try:
        yield
        if not feeder.is_alive():
            raise SystemExit("the feed has ended by itself")
    finally:
        feeder.terminate()
        feeder.join()


def feed(config: Config, symbols: int, rate: int) -> None:
    simulation = Simulation(symbols=symbols, rate=rate / SPEED, coalescing=Coalescing.live(1), faults=Faults())
    clock = WallClock()
    trades = Exchange(simulation).trades(clock.now_ms() - LONGEST_FEED_MS)
    send_from_now(trades, KafkaPublisher(config.kafka_connection()), clock, Sent(), SPEED)


class Finals:
    """The finals as they become readable."""

    def __init__(self, config: Config) -> None:
        connection = config.kafka_connection()
        topic = Topics(connection.topic_prefix).indicator_results
        options = {"group.id": "recovery", "enable.auto.commit": False, "isolation.level": "read_committed", "log_level": 0}
        quick = {"reconnect.backoff.max.ms": 200, "fetch.wait.max.ms": 50, "fetch.error.backoff.ms": 50}
        self._consumer = Consumer({"bootstrap.servers": connection.bootstrap, **options, **quick})
        ends = end_offsets(connection, topic)
        self._consumer.assign([TopicPartition(topic, partition, offset) for partition, offset in ends.items()])

    def wait_for_one_after(self, moment_s: float) -> float:
        """How many seconds after `moment_s` a final could be read that was computed after it."""
        while time.time() < moment_s + LONGEST_S:
            message = self._consumer.poll(0.1)
            if message is None or message.error():
                continue
            result = orjson.loads(message.value())
            if result["status"] == "final" and result["emitted_ms"] > moment_s * 1_000:
                return time.time() - moment_s
        raise SystemExit(f"no final within {LONGEST_S:.0f} s")

    def __enter__(self) -> "Finals":
        return self

    def __exit__(self, *exception: object) -> None:
        self._consumer.close()


def show(seconds: dict[str, list[float]]) -> None:
    print(f"{'killed':<12} {'times':>5} {'min':>6} {'median':>6} {'p95':>6} {'target':>6}   seconds until a new final was readable")
    for kind, took in seconds.items():
        target = TARGETS_S.get(kind)
        print(
            f"{kind:<12} {len(took):>5} {min(took):>6.1f} {statistics.median(took):>6.1f} {p95(took):>6.1f} "
            f"{'-' if target is None else target:>6}"
        )


def p95(took: Sequence[float]) -> float:
    """The nearest rank: of fewer than twenty, the longest."""
    return sorted(took)[math.ceil(0.95 * len(took)) - 1]


if __name__ == "__main__":
    main()
