"""The browser, a delivery with a market behind it, and tabs that must not have complained."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser

from benchmarks.browser import find_chromium, running_chromium
from tests.conftest import TestBroker
from tests.docs.markdown import ROOT
from tests.whole.page.delivery import DeliveryProcess
from tests.whole.page.exchange import TestExchange
from tests.whole.page.tab import Tab

SCREENSHOTS = Path(os.environ.get("TICKLOOM_TEST_SCREENSHOTS", ROOT / "build" / "screenshots"))
DESKTOP = {"width": 1440, "height": 900}


class OpenTab(Protocol):
    """Makes a tab; `context` is Playwright's, such as `color_scheme="dark"`."""

    def __call__(self, on: DeliveryProcess | None = None, **context: Any) -> Tab: ...


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None and "CI" in os.environ:
        pytest.fail("Chromium is needed where CI runs: .ci/run installs it", pytrace=False)
    with running_chromium(path or pytest.skip("no Chromium is installed; try: apt-get install chromium")) as started:
        yield started


@pytest.fixture(scope="package")
def prepared(broker: TestBroker, jars: Path, tmp_path_factory: pytest.TempPathFactory) -> DeliveryProcess:
    """Its topics are there; it does not run yet."""
    return DeliveryProcess(settings(broker, jars, "charts."), tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="package")
def exchange(prepared: DeliveryProcess) -> Iterator[TestExchange]:
    made = TestExchange(prepared.config)
    made.write_past()
    yield made
    made.close()


@pytest.fixture(scope="package")
def delivery(prepared: DeliveryProcess, exchange: TestExchange) -> Iterator[DeliveryProcess]:
    prepared.start()
    exchange.show_all()
    yield prepared
    prepared.stop()


@pytest.fixture
def open_tab(browser: Browser, delivery: DeliveryProcess) -> Iterator[OpenTab]:
    tabs: list[Tab] = []

    def make(on: DeliveryProcess | None = None, **context: Any) -> Tab:
        given = {"viewport": DESKTOP, "timezone_id": "Europe/Berlin", "locale": "en-GB", "color_scheme": "light", **context}
        tabs.append(Tab(browser.new_context(**given), (on or delivery).url, SCREENSHOTS))
        return tabs[-1]

    yield make
    for tab in tabs:
        tab.context.close()
    assert [complaint for tab in tabs for complaint in tab.unforgiven()] == []


def settings(broker: TestBroker, jars: Path, prefix: str) -> dict[str, str]:
    """What leads to topics of one's own; nobody answers as Flink."""
    return {
        "kafka.bootstrap": broker.bootstrap,
        "kafka.topic_prefix": prefix,
        "kafka.partitions": "3",
        "stack.jars": str(jars),
        "job.flink_rest": "http://127.0.0.1:1",
    }
