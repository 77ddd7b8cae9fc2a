"""The job on a cluster that somebody else keeps: Flink's own scripts and `flink run`, with a copy of `flink-conf/config.yaml`."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.flink_rest import FlinkRest
from jobs.last_job import JobUnfinished, require_ended
from jobs.local.flink_cluster import class_path
from jobs.local.jars import flink_distribution
from jobs.local.java import find_java
from jobs.local.ports import free_ports
from jobs.local.process import kill_group
from jobs.local.resources import resource
from tests.whole.conftest import MakeStack
from tests.whole.stack import Stack

TIMEOUT_S = 300
START = "2026-11-02T14:30:00Z"
LATER = "2026-11-02T15:30:00Z"


class OwnCluster:
    """A standalone Flink as its scripts start it: a JobManager and two TaskManagers, from a folder of settings."""

    def __init__(self, folder: Path, jars: Path, stack: Stack, port: int) -> None:
        self._stack, self._logs = stack, folder / "logs"
        self.rest = FlinkRest(f"http://127.0.0.1:{port}", "test")
        conf, library = folder / "conf", folder / "lib"
        for each in (conf, library, self._logs, folder / "pid", folder / "tmp"):
            each.mkdir(parents=True)
        for jar in map(Path, class_path(jars).split(":")):
            (library / jar.name).symlink_to(jar.resolve())
        for file in resource("flink-conf").iterdir():
            (conf / file.name).write_text(file.read_text())
        _adapt(conf / "config.yaml", port, folder / "tmp")
        java = find_java(os.environ).home
        places = {"FLINK_HOME": flink_distribution(), "FLINK_CONF_DIR": conf, "FLINK_LIB_DIR": library}
        more = {"FLINK_LOG_DIR": self._logs, "FLINK_PID_DIR": folder / "pid", "JAVA_HOME": java}
        self._environ = {**os.environ, **{name: str(path) for name, path in {**places, **more}.items()}}
        self._environ.pop("JVM_ARGS", None)  # what a mini-cluster of this process was started with is not for a cluster
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        for number, script in enumerate(("jobmanager.sh", "taskmanager.sh", "taskmanager.sh")):
            with (self._logs / f"{number}-{script}.out").open("wb") as output:
                argv = ["bash", str(flink_distribution() / "bin" / script), "start-foreground"]
                process = subprocess.Popen(argv, env=self._environ, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
                self._processes.append(process)
        deadline = time.monotonic() + TIMEOUT_S
        while not self._has_two_taskmanagers():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.3)

    def flink(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Flink's own client, where the stack's settings are in the environment."""
        settings = {f"TICKLOOM__{key.replace('.', '__').upper()}": value for key, value in self._stack.settings.items()}
        command = ["bash", str(flink_distribution() / "bin" / "flink"), *arguments]
        return subprocess.run(
            command, env={**self._environ, **settings}, cwd=self._logs, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )

    def run_job(self, *options: str, arguments: tuple[str, ...] = ()) -> str:
        """`flink run` of our job; the job's id."""
        done = self.flink("run", "-d", *options, "-pym", "jobs.ticks_to_indicators", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr + self.log()
        found = re.search("JobID ([0-9a-f]{32})", done.stdout)
        assert found, done.stdout
        return found[1]

    def stop(self) -> None:
        for process in reversed(self._processes):
            kill_group(process)

    def log(self) -> str:
        return "".join(f"--- {file.name}\n{file.read_text(errors='replace')[-3_000:]}" for file in sorted(self._logs.iterdir()))

    def _has_two_taskmanagers(self) -> bool:
        try:
            return len(self.rest.taskmanagers()) == 2
        except Exception:  # not there yet
            return False


def _adapt(file: Path, port: int, scratch: Path) -> None:
    """What a machine of one's own fills in: the Python, as the file's last lines say, and ports that are free here."""
    text, python, site_packages = file.read_text(), sys.executable, sysconfig.get_paths()["purelib"]
    paths = {"executable": python, "client.executable": python, "pythonpath": f"{Path(__file__).parents[2]}:{site_packages}"}
    for name, value in paths.items():
        text, times = re.subn(rf"^#   python\.{re.escape(name)}: .*$", f"python.{name}: {value}", text, flags=re.MULTILINE)
        assert times == 1
    text, times = re.subn(r"^  bind-port: 8081$", f"  bind-port: {port}\n  port: {port}", text, flags=re.MULTILINE)
    assert times == 1
    text += f"jobmanager.rpc.port: {port + 1}\nio.tmp.dirs: {scratch}\n"
    file.write_text(text)


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    port = free_ports(2)
    return make_stack("flink-run", job__flink_rest=f"http://127.0.0.1:{port}", job__metrics="", job__parallelism=2, kafka__partitions=2)


@pytest.fixture
def own(stack: Stack, jars: Path, tmp_path: Path) -> Iterator[OwnCluster]:
    port = int(stack.settings["job.flink_rest"].rpartition(":")[2])
    cluster = OwnCluster(tmp_path, jars, stack, port)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def feed(stack: Stack, start: str) -> None:
    """An hour of ticks with late ones and duplicates."""
    stretch = ("--ticks", "4000", "--rate", "1.111", "--speed", "max", "--start", start, "--no-history")
    stack.feed("simulate", "--symbols", "5", *stretch, "--seed", start[11:13], "--late", "1%", "--duplicates", "1%")


def prove(stack: Stack) -> None:
    code, report = stack.verify("--wait", str(TIMEOUT_S))
    assert (code, report["differences"], report["behind"]) == (0, [], 0)


@pytest.mark.long  # a cluster more, and a client's JVM for each command
@pytest.mark.timeout(900)
def test_flink_run_on_a_copy_of_the_shipped_configuration_computes_goes_on_and_recomputes_nothing_unasked(
    own: OwnCluster, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(stack, START)
    first = own.run_job(arguments=("--run", "1"))
    prove(stack)
    assert {result["run"] for result in stack.results()} == {1}
    stopped = own.flink("stop", "--savepointPath", str(tmp_path / "savepoints"), first)
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    (savepoint,) = (tmp_path / "savepoints").iterdir()

    refused = own.flink("run", "-d", "-pym", "jobs.ticks_to_indicators")
    said = refused.stdout + refused.stderr
    assert refused.returncode != 0, said
    assert "holds results" in said
    assert own.rest.unfinished(stack.name) is None

    second = own.run_job("-s", str(savepoint))
    feed(stack, LATER)
    prove(stack)
    assert {result["run"] for result in stack.results()} == {1}

    # Ours goes on from there, on the same cluster.
    for name, value in os.environ.items():
        monkeypatch.setenv(name, value)  # put back what a submission sets for PyFlink
    code, out = stack.tickloom("job", "upgrade", "--json")
    assert code == 0
    assert json.loads(out)["before"] == second
    prove(stack)
    with pytest.raises(JobUnfinished):
        require_ended(stack.config)
    assert stack.tickloom("job", "stop", "--cancel")[0] == 0
    require_ended(stack.config)
    said_twice = [(r["stock_id"], r["time_frame"], r["start_ms"], r["run"], r["revision"]) for r in stack.results()]
    assert len(said_twice) == len(set(said_twice))
