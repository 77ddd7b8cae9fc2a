"""The mini-cluster of the session, and stacks on it: topics, configuration and job of one test's own."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyflink.common import JobClient

from tests.conftest import PROFILE, TestBroker
from tests.whole.flink import MiniCluster, mini_cluster
from tests.whole.folder import Folder
from tests.whole.stack import JOB_TIMEOUT_S, Stack

MakeStack = Callable[..., Stack]
Start = Callable[[Stack], JobClient]
TICKS = {"short": 12_000, "long": 200_000}


@pytest.fixture
def folder(tmp_path: Path, jars: Path) -> Folder:
    """An empty folder with a `tickloom.toml` that keeps it off everybody's ports."""
    made = Folder.on_free_ports(tmp_path)
    made.configure(jars)
    return made


@pytest.fixture(scope="session")
def cluster(jars: Path) -> Iterator[MiniCluster]:
    with mini_cluster(jars) as up:
        yield up


@pytest.fixture(scope="module")
def make_stack(
    cluster: MiniCluster, broker: TestBroker, jars: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[MakeStack]:
    """Makes a stack by name, with settings such as `bars__time_frames="1min"`; what still runs of it ends with the module."""
    module = re.sub(r"[^a-z0-9]+", "-", request.module.__name__.rpartition(".")[2])

    names: list[str] = []

    def make(name: str, **settings: object) -> Stack:
        name = f"{module}-{name}"
        names.append(name)
        given = {key.replace("__", "."): str(value) for key, value in settings.items()}
        return Stack(cluster, broker.bootstrap, name, {"stack.jars": str(jars), **given}, tmp_path_factory.mktemp(name))

    yield make
    for name in names:  # their slots are for the next module's jobs
        if job := cluster.rest.unfinished(name):
            cluster.rest.cancel(job["jid"])
            cluster.rest.wait_for_end(job["jid"], JOB_TIMEOUT_S)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts jobs that are cancelled at the end of the test."""
    started: list[JobClient] = []

    def submit(stack: Stack) -> JobClient:
        started.append(stack.start())
        return started[-1]

    yield submit
    for client in started:
        client.cancel().result()


@pytest.fixture(scope="session")
def long_run() -> bool:
    """Whether the counts are those that the issues name."""
    return PROFILE == "long"


@pytest.fixture(scope="session")
def ticks() -> int:
    """Ticks of a simulated run."""
    return TICKS[PROFILE]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    others = ", ".join(f"{ticks:,} in profile {profile}" for profile, ticks in TICKS.items() if profile != PROFILE)
    terminalreporter.write_line(f"tests/whole: {TICKS[PROFILE]:,} ticks a simulated run ({others})")
