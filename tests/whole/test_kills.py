"""Processes killed under load, on a real Flink cluster and the embedded broker: nothing is lost, nothing is said twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from kafka import KafkaConsumer, TopicPartition

from jobs.errors import JobsError
from jobs.flink_rest import FlinkRest
from jobs.flink_settings import SAVEPOINTS, state_uri
from jobs.local.parts import PartState, PartStatus
from jobs.local.ports import free_ports
from jobs.local.process import kill_group
from jobs.local.run_folder import CLUSTER, STACK, RunFolder
from tests.conftest import Figures
from tests.whole.conftest import MakeStack
from tests.whole.stack import Stack
from tests.whole.test_restart import JobRun, wait_until_gone

START_MS = 1_793_629_800_000
"""2026-11-02T14:30Z."""
HOUR_MS = 3_600_000
TIMEOUT_S = 180
ON_CLUSTER = {"taskmanager-1": CLUSTER, "jobmanager": CLUSTER, "broker": STACK}
"""What is killed, and what it is a part of."""
SHORT = ["taskmanager-1", "broker", "jobmanager"]
LONG = [*SHORT, "broker", "taskmanager-1", "jobmanager", "taskmanager-1"]
"""Three more are kills of the mini-cluster's process: ten."""
TICKS = {False: 30_000, True: 100_000}
"""Of each stretch of load, by whether it is the long run."""


class Installation:
    """A folder with a configuration of its own, in which `tickloom` is called as a user would."""

    def __init__(self, folder: Path, jars: Path) -> None:
        port = free_ports(4)
        self.folder, self.bootstrap = folder, f"127.0.0.1:{port}"
        self.data_dir = folder / ".tickloom"
        (folder / "tickloom.toml").write_text(
            f"""
            [stack]
            jars = "{jars}"
            [kafka]
            listen = "{self.bootstrap}"
            partitions = 2
            [job]
            flink_rest = "http://127.0.0.1:{port + 2}"
            metrics = "127.0.0.1:{port + 3}"
            [gateway]
            enabled = false
            [delivery]
            enabled = false
            """
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TICKLOOM_")}
        environ = {**kept, "PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-m", "jobs.cli.main", *arguments]
        return subprocess.Popen(command, cwd=self.folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def tickloom(self, *arguments: str) -> str:
        """Run the command, which must succeed; what it wrote to stdout."""
        return finished(self.start(*arguments))

    def simulate(self, hour: int, ticks: int) -> subprocess.Popen[str]:
        """Start writing an hour of ticks, each in a record of its own."""
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((START_MS + hour * HOUR_MS) / 1_000))
        faults = ("--late", "1%", "--duplicates", "1%")
        bounds = ("--ticks", str(ticks), "--rate", f"{ticks / 3_500:.3f}", "--start", start)
        return self.start("simulate", "--speed", "max", "--no-history", "--symbols", "20", "--seed", str(hour), *bounds, *faults)

    def part(self, name: str, where: str) -> PartStatus:
        return next(part for part in RunFolder(self.data_dir, where).read() if part.name == name)

    def kill(self, name: str, where: str) -> None:
        """SIGKILL, and wait until the supervisor has brought it back."""
        before = self.part(name, where)
        assert before.pid
        os.kill(before.pid, signal.SIGKILL)
        wait_until(lambda: self.part(name, where).restarts > before.restarts, f"{name} was not started again")
        wait_until(lambda: self.part(name, where).state is PartState.RUNNING, f"{name} did not come back")

    def public_listeners(self) -> list[tuple[str, object]]:
        """Parts that listen where other machines could reach them."""
        parts = [part for where in (STACK, CLUSTER) for part in RunFolder(self.data_dir, where).read()]
        found = [(part.name, each) for part in parts for each in psutil.Process(part.pid).net_connections("tcp") if each.status == "LISTEN"]
        assert {name for name, _ in found} == {part.name for part in parts}
        return [(name, each.laddr) for name, each in found if not each.laddr.ip.endswith("127.0.0.1")]

    def log(self) -> str:
        return "".join(file.read_text(errors="replace")[-3_000:] for file in sorted((self.data_dir / "logs").glob("*.log")))


class Results:
    """`indicator_results`, read committed, by a client that the product does not use."""

    def __init__(self, bootstrap: str) -> None:
        settings = {"enable_auto_commit": False, "isolation_level": "read_committed", "reconnect_backoff_max_ms": 500}
        self._consumer = KafkaConsumer(bootstrap_servers=bootstrap, **settings)
        partitions = [TopicPartition("indicator_results", partition) for partition in (0, 1)]
        self._consumer.assign(partitions)
        self._consumer.seek_to_beginning(*partitions)
        self.seen: list[dict[str, Any]] = []

    def read(self) -> None:
        for records in self._consumer.poll(timeout_ms=100).values():
            self.seen += [json.loads(record.value) for record in records]

    def reach(self, start_ms: int) -> bool:
        """Whether a bar that begins at or after `start_ms` has been said."""
        self.read()
        return any(result["start_ms"] >= start_ms for result in reversed(self.seen))

    def said_twice(self) -> list[tuple[object, ...]]:
        """Records that are there more than once, all of the topic read."""
        while self._behind():
            self.read()
        said = Counter((r["stock_id"], r["time_frame"], r["start_ms"], r["run"], r["revision"]) for r in self.seen)
        return [record for record, times in said.items() if times > 1]

    def _behind(self) -> bool:
        ends = self._consumer.end_offsets(list(self._consumer.assignment()))
        return any(self._consumer.position(partition) < end for partition, end in ends.items())


def finished(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, f"{process.args} ended with {process.returncode}:\n{err[-3_000:]}"
    return out


def wait_until(true: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not true():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.1)


@pytest.fixture
def here(tmp_path: Path, jars: Path) -> Iterator[Installation]:
    """The broker and a cluster with one TaskManager, both up."""
    made = Installation(tmp_path, jars)
    ups = [made.start("up", "--no-job", "--detach"), made.start("cluster", "up", "--detach")]
    try:
        for up in ups:
            finished(up)
        made.tickloom("topics", "create")
        yield made
    finally:
        for down in [made.start("cluster", "down"), made.start("down")]:
            down.communicate()


@pytest.mark.timeout(1_800)
def test_killed_in_turn_under_load_they_come_back_and_everything_is_proved(here: Installation, long_run: bool, figures: Figures) -> None:
    assert here.public_listeners() == []
    here.tickloom("job", "submit")
    results = Results(here.bootstrap)
    hour = 0
    for victim in LONG if long_run else SHORT:
        kill_under_load(here, results, hour, TICKS[long_run], victim, ON_CLUSTER[victim])
        hour += 1
    if long_run:
        here.tickloom("job", "stop")
        here.tickloom("cluster", "down")
        here.tickloom("down")
        here.tickloom("up", "--detach")
        for _ in range(10 - len(LONG)):
            kill_under_load(here, results, hour, TICKS[long_run], "job", STACK)
            hour += 1
    finished(here.simulate(hour, 1_000))
    report = json.loads(here.tickloom("verify", "--json", "--wait", str(TIMEOUT_S)))
    assert (report["differences"], report["behind"]) == ([], 0), here.log()
    assert set(report["not_proved"]) <= {"not_closed"}
    assert report["counts"]["counted"] == hour * TICKS[long_run] + 1_000
    assert results.said_twice() == []
    figures(f"{hour} kill -9 in turn under load, then verify: {report['counts']['counted']:,} ticks, no differences")


def kill_under_load(here: Installation, results: Results, hour: int, ticks: int, victim: str, where: str) -> None:
    """Kill once the first bars of an hour are there, while the rest of it is written and computed; wait for those of its end."""
    load = here.simulate(hour, ticks)
    wait_until(lambda: results.reach(START_MS + hour * HOUR_MS), f"no bar of hour {hour}, before the kill of {victim}:\n{here.log()}")
    here.kill(victim, where)
    finished(load)
    late_ms = START_MS + hour * HOUR_MS + 3_000_000
    wait_until(lambda: results.reach(late_ms), f"no bar of the end of hour {hour}, after the kill of {victim}:\n{here.log()}")


@pytest.mark.long  # most of it is waiting for the broker
@pytest.mark.timeout(400)
def test_a_crash_and_a_stop_longer_than_the_transaction_timeout_are_named(make_stack: MakeStack, tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_ports(1)}"
    stack = make_stack(
        "timeout", job__flink_rest=address, job__transaction_timeout="20s", job__checkpoint_interval="10min", job__metrics="",
        kafka__partitions=1, bars__time_frames="1min",
    )  # fmt: skip
    killed = JobRun(stack, tmp_path / "killed.log")
    try:
        killed.wait_until(lambda: has_checkpoint(address))  # the next one would be ten minutes later
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START_MS / 1_000))
        stack.feed("simulate", "--symbols", "3", "--ticks", "3000", "--rate", "3", "--speed", "max", "--start", start, "--no-history")
        # A savepoint is a checkpoint that no sink is told of: what is in it has been pre-committed, and is not committed.
        killed.wait_until(lambda: has_savepoint(stack, address))
        assert stack.results() == []
        killed.process.kill()
        killed.end()
        wait_until_gone(killed)
        wait_until(lambda: not has_open_transaction(stack), "the broker has not aborted the transaction")
    finally:
        kill_group(killed.process)
    stack.settings["job.checkpoint_interval"] = "1s"
    again = JobRun(stack, tmp_path / "again.log")
    try:
        again.wait_until(lambda: "running" in again.said())
        assert "going on from" in again.said()
        code, report = stack.verify("--wait", "20")
        assert again.interrupt() == 0, again.said()
    finally:
        kill_group(again.process)
    assert code == 6
    assert {difference["kind"] for difference in report["differences"]} == {"missing_result"}
    wait_until_gone(again)


def has_checkpoint(address: str) -> bool:
    rest = FlinkRest(address, "test")
    try:
        return any(rest.checkpoints(job["jid"])["counts"]["completed"] > 0 for job in rest.jobs())
    except JobsError:
        return False


def has_savepoint(stack: Stack, address: str) -> bool:
    """Make a savepoint once there are results that are not committed; False when it is too early, or was not made."""
    if not has_open_transaction(stack):
        return False
    rest = FlinkRest(address, "test")
    try:
        (job,) = rest.jobs()
        wanted = {"target-directory": state_uri(stack.config, SAVEPOINTS), "cancel-job": False}
        trigger = rest._call("POST", f"/jobs/{job['jid']}/savepoints", wanted)["request-id"]
        while (answer := rest.get(f"/jobs/{job['jid']}/savepoints/{trigger}"))["status"]["id"] != "COMPLETED":
            time.sleep(0.1)
    except JobsError:
        return False
    return "location" in answer["operation"]


def has_open_transaction(stack: Stack) -> bool:
    return end_of_results(stack, "read_committed") < end_of_results(stack, "read_uncommitted")


def end_of_results(stack: Stack, isolation: str) -> int:
    consumer = KafkaConsumer(bootstrap_servers=stack.bootstrap, enable_auto_commit=False, isolation_level=isolation)
    partition = TopicPartition(f"{stack.prefix}indicator_results", 0)
    end: int = consumer.end_offsets([partition])[partition]
    consumer.close()
    return end
