"""The job on a real Flink cluster, as its operator has it: submitted, upgraded, rescaled, stopped, and begun anew."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.flink_rest import FlinkRest
from jobs.flink_settings import CHANGELOG
from jobs.local.parts import PartState
from jobs.local.ports import free_ports
from jobs.local.process import kill_group
from jobs.local.run_folder import CLUSTER, RunFolder
from tests.whole.conftest import MakeStack
from tests.whole.stack import Stack, newest_of

START_MS = 1_793_629_800_000
"""2026-11-02T14:30Z."""
STRETCH_MS = 1_800_000
"""Half an hour of ticks between two steps."""
SYMBOLS = 6
TIMEOUT_S = 300
MINE = """
from dataclasses import dataclass
from typing import ClassVar

@dataclass(frozen=True, slots=True)
class Mine:
    outputs: ClassVar[tuple[str, ...]] = ()
    pane: ClassVar[str] = "own"
    levels: ClassVar[tuple[float, ...]] = ()
    bars_needed: ClassVar[int] = 1

    def initial(self):
        return ()

    def step(self, state, bar):
        return (), {times} * bar.close
"""


class Operator:
    """Calls `tickloom` for one stack whose ticks go on and on."""

    def __init__(self, stack: Stack, ticks: int) -> None:
        self.stack, self._ticks, self._next_ms = stack, ticks, START_MS
        self.rest = FlinkRest(stack.config.job.flink_rest, "test")

    def configure(self, **settings: str) -> None:
        self.stack.settings.update({key.replace("__", "."): value for key, value in settings.items()})

    def job(self, *arguments: str) -> dict[str, Any]:
        """What `tickloom job ARGUMENTS --json` says; it must succeed."""
        code, out = self.stack.tickloom("job", *arguments, "--json")
        assert code == 0
        said: dict[str, Any] = json.loads(out)
        return said

    def refused(self, *arguments: str) -> int:
        """The exit code of `tickloom job ARGUMENTS`."""
        return self.stack.tickloom("job", *arguments)[0]

    def feed(self) -> None:
        """The next stretch of ticks, with late ones and duplicates."""
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._next_ms / 1000))
        rate = f"{self._ticks / (STRETCH_MS / 1000):.3f}"
        stretch = ("--ticks", str(self._ticks), "--rate", rate, "--speed", "max", "--start", start, "--no-history")
        self.stack.feed("simulate", "--symbols", str(SYMBOLS), *stretch, "--seed", str(self._next_ms), "--late", "1%", "--duplicates", "1%")
        self._next_ms += STRETCH_MS

    def prove(self) -> dict[str, Any]:
        """Wait until the job has taken everything in; there is no difference then."""
        code, report = self.stack.verify("--wait", str(TIMEOUT_S))
        assert (code, report["differences"], report["behind"]) == (0, [], 0)
        return report

    def feed_and_prove(self) -> dict[str, Any]:
        self.feed()
        return self.prove()


@pytest.fixture
def operator(make_stack: MakeStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long_run: bool) -> Iterator[Operator]:
    """Two one-slot TaskManagers, and a stack of two partitions that leads to them."""
    port = free_ports(1)
    stack = make_stack("job", job__flink_rest=f"http://127.0.0.1:{port}", job__metrics="", kafka__partitions=2)
    for name, value in os.environ.items():
        monkeypatch.setenv(name, value)  # put back what a submission sets for PyFlink
    log = tmp_path / "cluster.log"
    command = [sys.executable, "-m", "jobs.cli.main", *stack.options, "cluster", "up", "--taskmanagers", "2"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        wait_until_up(stack, process, log)
        yield Operator(stack, 20_000 if long_run else 2_000)
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT_S) == 0, log.read_text()
    finally:
        kill_group(process)


def wait_until_up(stack: Stack, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    folder = RunFolder(stack.config.stack.data_dir, CLUSTER)
    while not (parts := folder.read()) or any(part.state is not PartState.RUNNING for part in parts):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def taskmanagers(rest: FlinkRest, job_id: str) -> dict[str, set[str]]:
    """Vertex -> the TaskManagers its subtasks run in."""
    vertices = rest.job(job_id)["vertices"]
    return {
        vertex["name"]: {subtask["taskmanager-id"] for subtask in rest._call("GET", f"/jobs/{job_id}/vertices/{vertex['id']}")["subtasks"]}
        for vertex in vertices
    }


@pytest.mark.timeout(900)
def test_a_job_is_upgraded_rescaled_stopped_and_begun_anew_without_a_difference(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, mine = operator.stack, tmp_path / "cluster_test_mine.py"
    monkeypatch.syspath_prepend(str(tmp_path))
    mine.write_text(MINE.format(times=1))
    operator.configure(indicators__Mine="cluster_test_mine:Mine()")

    assert operator.refused("status") == 1
    operator.feed()
    operator.job("submit")
    assert operator.refused("submit") == 1
    operator.prove()
    assert times_of_mine(stack) == {1.0}
    operator.configure(ticks__price_decimals="4")
    assert operator.refused("upgrade") == 3
    operator.configure(ticks__price_decimals="8")
    assert operator.job("status")["state"] == "RUNNING"

    # One indicator and one frame more, and code that was changed: in the same TaskManagers.
    mine.write_text(MINE.format(times=2))
    operator.configure(bars__time_frames="1min,5min,15min,30min,1hour,1day", indicators__Slow="sma(25)")
    upgraded = operator.job("upgrade")
    assert upgraded["changes"]["frames_added"] == ["30min"]
    assert upgraded["changes"]["indicators_added"] == ["Slow"]
    report = operator.feed_and_prove()
    assert report["not_proved"]["indicator_added_later"] > 0
    assert any(bar[1] == "30min" for bar in stack.newest())
    assert any(result["results"].get("Slow") is not None for result in stack.newest().values())
    assert times_of_mine(stack) == {1.0, 2.0}

    # More subtasks, in more TaskManagers; and back, with a changelog.
    assert operator.refused("rescale", "3") == 3
    two = operator.job("rescale", "2")
    operator.feed_and_prove()
    assert {len(places) for places in taskmanagers(operator.rest, two["job_id"]).values()} == {2}
    assert operator.job("status")["parallelism"] == 2
    operator.configure(job__changelog="true")
    one = operator.job("rescale", "1")
    operator.feed_and_prove()
    assert has_changelog(operator.rest, one["job_id"])
    assert any((stack.config.stack.data_dir / "flink" / CHANGELOG).rglob("*-*"))

    # Stopped, and gone on from there, the changelog off again.
    runs = {(result["stock_id"], result["run"]) for result in stack.results()}
    savepoint = operator.job("stop")["savepoint"]
    operator.configure(job__changelog="false")
    again = operator.job("submit")
    assert again["restored"] == savepoint
    assert not has_changelog(operator.rest, again["job_id"])
    operator.feed_and_prove()
    assert {(result["stock_id"], result["run"]) for result in stack.results()} == runs  # a symbol keeps the run it was met in
    assert len({run for _, run in runs}) == 2, "the first submission's, and the upgrade's for the frame it added"

    # Computed once more beside what is there.
    operator.job("stop")
    operator.job("submit", "--fresh")
    operator.prove()
    assert min(result["run"] for result in newest_of(stack.results()).values()) > max(run for _, run in runs)
    operator.job("stop")


def has_changelog(rest: FlinkRest, job_id: str) -> bool:
    found: bool = rest._call("GET", f"/jobs/{job_id}/checkpoints/config")["state_changelog_enabled"]
    return found


def times_of_mine(stack: Stack) -> set[float]:
    """How many times the close the own indicator is, over all results."""
    return {round(value / result["close"], 6) for result in stack.results() if (value := result["results"].get("Mine")) is not None}
