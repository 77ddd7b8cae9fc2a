"""`tickloom job run` as a user runs it: killed, stopped, started again, and started without its state."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.flink_settings import checkpoints, savepoints
from jobs.local.ports import free_ports
from jobs.local.process import kill_group
from tests.whole.conftest import MakeStack
from tests.whole.flink import QUICK_JVM
from tests.whole.stack import Stack

START_MS = 1_793_629_800_000
"""2026-11-02T14:30Z."""
HOUR_MS = 3_600_000
TIMEOUT_S = 240
"""For one step of a test, on a machine that runs several JVMs beside it; `job run` gives up a savepoint long before."""


class JobRun:
    """One `tickloom job run` in a process group of its own."""

    def __init__(self, stack: Stack, log: Path, *options: str) -> None:
        self._stack, self._log = stack, log
        command = [sys.executable, "-m", "jobs.cli.main", *stack.options, "job", "run", *options]
        with log.open("wb") as output:
            environ = {**os.environ, "JVM_ARGS": QUICK_JVM}
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, env=environ)

    def said(self) -> str:
        return self._log.read_text()

    def wait_until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not true():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)

    def end(self) -> int:
        """Its exit code once it has ended."""
        return self.process.wait(TIMEOUT_S)

    def interrupt(self) -> int:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.end()

    def members(self) -> list[int]:
        """The processes of its group that live."""
        stats = (Path("/proc") / pid / "stat" for pid in os.listdir("/proc") if pid.isdigit())
        return [int(stat.parent.name) for stat in stats if _group_of_living(stat) == self.process.pid]


def _group_of_living(stat: Path) -> int:
    try:
        state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
    except OSError:
        return 0
    return 0 if state == "Z" else int(group)


def wait_until_gone(run: JobRun) -> None:
    """Its JVM must not outlive it."""
    deadline = time.monotonic() + 20
    while run.members():
        assert time.monotonic() < deadline, "its JVM outlives it"
        time.sleep(0.1)


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    return make_stack("job", job__flink_rest=f"http://127.0.0.1:{free_ports(1)}", kafka__partitions=4)


@pytest.fixture
def job_run(stack: Stack, tmp_path: Path) -> Iterator[Callable[..., JobRun]]:
    runs: list[JobRun] = []

    def start(*options: str) -> JobRun:
        runs.append(JobRun(stack, tmp_path / f"{len(runs)}.log", *options))
        return runs[-1]

    yield start
    for run in runs:
        kill_group(run.process)


def simulate(stack: Stack, start_ms: int, ticks: int) -> None:
    """An hour of ticks, each in a record of its own."""
    arguments = ("--symbols", "5", "--ticks", str(ticks), "--rate", f"{ticks / 3_600:.3f}", "--speed", "max")
    start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start_ms / 1000))
    stack.feed("simulate", *arguments, "--seed", str(start_ms), "--start", start, "--no-history", "--late", "1%", "--duplicates", "1%")


def assert_proved(stack: Stack, *options: str) -> dict[str, Any]:
    """No difference, and no record of a bar is there twice."""
    code, report = stack.verify(*options)
    assert (code, report["differences"], report["behind"]) == (0, [], 0)
    said = Counter((r["stock_id"], r["time_frame"], r["start_ms"], r["run"], r["revision"]) for r in stack.results())
    assert [record for record, times in said.items() if times > 1] == []
    return report


@pytest.mark.timeout(1_200)
def test_a_job_killed_stopped_and_robbed_of_its_state_never_says_anything_wrong(stack: Stack, job_run: Callable[..., JobRun]) -> None:
    simulate(stack, START_MS, 20_000)
    killed = job_run()
    killed.wait_until(lambda: len(stack.results()) > 0)
    killed.process.kill()
    killed.end()
    said = len(stack.results())
    wait_until_gone(killed)

    again = job_run()
    again.wait_until(lambda: len(stack.results()) > said)
    assert f"going on from {checkpoints(stack.config)}" in again.said()
    simulate(stack, START_MS + HOUR_MS, 5_000)
    assert again.interrupt() == 0
    (savepoint,) = savepoints(stack.config).iterdir()

    resumed = job_run()
    resumed.wait_until(lambda: "running" in resumed.said())
    assert f"going on from {savepoint}" in resumed.said()
    assert assert_proved(stack, "--wait", str(TIMEOUT_S))["counts"]["counted"] == 25_000
    assert resumed.interrupt() == 0
    runs = {(result["stock_id"], result["run"]) for result in stack.results()}
    assert len(runs) == 5  # a symbol keeps the run it was met in

    shutil.rmtree(stack.folder / "flink")
    refused = job_run()
    assert refused.end() == 3, refused.said()
    assert "--fresh" in refused.said()
    fresh = job_run("--fresh", "--bounded")
    assert fresh.end() == 0, fresh.said()
    assert min(result["run"] for result in stack.newest().values()) > max(run for _, run in runs)
    assert assert_proved(stack, "--no-wait")["not_proved"] == {}
    wait_until_gone(fresh)
