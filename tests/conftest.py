"""What every test may ask for (a real Kafka broker, one a session), and how many examples are tried."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

from connectors.clients import KafkaConnection
from jobs.errors import JobsError
from jobs.local.broker import Broker, running
from jobs.local.java import find_java
from jobs.local.ports import free_ports

JARS = Path(os.environ.get("TICKLOOM_TEST_JARS", Path(__file__).parents[1] / ".jars"))
Figures = Callable[[str], None]
PROFILE = os.environ.get("TICKLOOM_TEST_PROFILE", "short")
SHARING = ("tests/whole/page", "tests/whole/results")
"""Folders whose tests share a process of the product, or a browser."""
QUICK_JAVA = "-XX:TieredStopAtLevel=1"
"""A JVM of a test is over before a better compiler pays: this takes a third off what it costs."""
os.environ.setdefault("JDK_JAVA_OPTIONS", QUICK_JAVA)
settings.register_profile("short", max_examples=50, deadline=None)
settings.register_profile("long", max_examples=2_000, deadline=None)
settings.load_profile(PROFILE)


def pytest_report_header() -> str:
    left_out = "" if PROFILE == "long" else "; tests marked long are left out (make test-long runs them)"
    return f"profile {PROFILE}: {settings.get_profile(PROFILE).max_examples} examples a law unless it says otherwise{left_out}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # several processes share the tests: those that take long must not be left for the end
        items.sort(key=lambda item: "tests/whole/" not in item.nodeid)
    if PROFILE == "long":
        return
    long = [item for item in items if item.get_closest_marker("long")]
    items[:] = [item for item in items if not item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Figures:
    """Takes a line of figures that the run prints at its end, whichever process the test ran in."""
    return lambda line: record_property("figures", line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome)]
    for line in (value for report in reports for name, value in report.user_properties if name == "figures"):
        terminalreporter.write_line(str(line))


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> "FilesAndFolders":
    return FilesAndFolders(config, log)


class FilesAndFolders(LoadFileScheduling):  # type: ignore[misc]
    """Gives a file of tests to one process, and a folder whose tests share what is costly to start."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder = file.rpartition("/")[0]
        return folder if folder in SHARING else file


@dataclass(frozen=True, slots=True)
class TestBroker:
    """The session's broker. Tests keep apart by topic prefixes of their own."""

    __test__ = False
    bootstrap: str
    log: Path

    def connection(self, prefix: str = "") -> KafkaConnection:
        return KafkaConnection(self.bootstrap, {}, prefix)


@pytest.fixture(scope="session")
def jars() -> Path:
    return JARS


@pytest.fixture(scope="session")
def broker(jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestBroker]:
    folder = tmp_path_factory.mktemp("broker")
    log = folder / "broker.log"
    try:
        java = find_java(os.environ).executable
        with running(Broker(f"127.0.0.1:{free_ports(2)}", folder, jars, java), log, os.environ) as up:
            yield TestBroker(up.address, log)
    except JobsError as error:
        pytest.fail(f"the embedded broker is needed by this test: {error}; try: {error.hint}", pytrace=False)
