"""The demo as a person meets it: started at a terminal, watched, interrupted, started again; nothing may stay behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from benchmarks.browser import find_chromium, running_chromium
from tests.whole.folder import Folder, assert_nothing_is_left, left_over
from tests.whole.page.conftest import DESKTOP, SCREENSHOTS
from tests.whole.page.tab import Tab
from tests.whole.stack import committed_records
from tests.whole.terminal import Terminal

TIMEOUT_S = 180
FRAMES = ("1min", "5min", "15min", "1hour", "1day")


def demo_command(symbols: int) -> list[str]:
    """The installed command where there is one."""
    script = Path(sys.executable).with_name("tickloom")
    command = [str(script)] if script.exists() else [sys.executable, "-m", "jobs.cli.main"]
    return [*command, "demo", "--symbols", str(symbols), "--rate", "200"]


def wait_for(what: str, seen: Callable[[], bool], process: subprocess.Popen[bytes], said: Callable[[], str]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not seen():
        if process.poll() is not None:
            pytest.fail(f"the demo ended with {process.returncode} before {what}:\n{said()[-2_000:]}")
        if time.monotonic() > deadline:
            pytest.fail(f"not within {TIMEOUT_S} s: {what}\n{said()[-4_000:]}")
        time.sleep(0.5)


def committed(folder: Folder, topic: str) -> list[dict[str, Any]]:
    """Every committed record of a topic."""
    return [json.loads(record.value) for record in committed_records(f"127.0.0.1:{folder.kafka_port}", topic)]


def delivered(folder: Folder, path: str) -> dict[str, Any]:
    """What the delivery answers."""
    with urllib.request.urlopen(f"{folder.charts}{path}", timeout=20) as answer:
        said: dict[str, Any] = json.loads(answer.read())
        return said


def look_at_the_page(folder: Folder) -> None:
    """The newest bar of the chart moves, so do most prices of the watch-list, and the job is seen at work; if there is a browser."""
    path = find_chromium()
    if path is None:
        assert "CI" not in os.environ, "Chromium is needed where CI runs: .ci/run installs it"
        return
    with running_chromium(path) as browser:
        tab = Tab(browser.new_context(viewport=DESKTOP), folder.charts.rstrip("/"), SCREENSHOTS)
        tab.go().shows(state="ready", last_status="forming")
        prices = tab.page.locator('#watch-rows [data-value="price"]')
        close, before = tab.said_of_chart("last-close"), prices.all_inner_texts()
        tab.repeat(lambda: None, until=lambda: tab.said_of_chart("last-close") != close)
        tab.repeat(lambda: None, until=lambda: 2 * changed(before, prices.all_inner_texts()) > len(before) > 0)
        tab.shot("demo")
        tab.named("tab", "Pipeline").click()
        expect(tab.page.locator('[data-value="job_state"]')).to_have_text("running")
        for figure in ("ticks_per_s", "watermark_lag_ms", "checkpoints", "checkpoint_age", "results_per_s", "live_per_s"):
            expect(tab.page.locator(f'[data-value="{figure}"]')).to_have_text(re.compile(r"\d"))
        tab.shot("demo-pipeline")
        assert tab.unforgiven() == []


def changed(before: list[str], after: list[str]) -> int:
    return sum(one != other for one, other in zip(before, after, strict=True))


def nulls(results: list[dict[str, Any]]) -> dict[tuple[str, str], list[str]]:
    """(symbol, frame) -> labels without a value in its newest bar."""
    newest = {(bar["stock_id"], bar["time_frame"]): bar for bar in sorted(results, key=lambda bar: (bar["start_ms"], bar["revision"]))}
    return {series: [label for label, value in bar["results"].items() if value is None] for series, bar in newest.items()}


@pytest.mark.timeout(4 * TIMEOUT_S)
def test_the_demo_shows_every_indicator_ends_at_ctrl_c_and_goes_on_when_started_again(folder: Folder, long_run: bool) -> None:
    symbols = 200 if long_run else 8
    terminal = Terminal(demo_command(symbols), folder)
    try:
        shown = rf"(?<!of ){symbols} symbols: every indicator of every closed bar has a value"
        wait_for("all indicators shown", lambda: re.search(shown, terminal.text) is not None, terminal.process, lambda: terminal.text)
        wait_for("the address", lambda: f"charts: {folder.charts}" in terminal.text, terminal.process, lambda: terminal.text)
        first = committed(folder, "indicator_results")
        assert len(delivered(folder, "v1/symbols")["symbols"]) == symbols
        assert delivered(folder, "v1/status")["job"]["state"] == "RUNNING"
        assert [part for part in left_over(folder) if "kafka.Kafka" in part]  # or we would look for left-overs in vain
        look_at_the_page(folder)
        terminal.press_ctrl_c()
        assert terminal.process.wait(TIMEOUT_S) == 0
    finally:
        terminal.process.kill()
    assert_nothing_is_left(folder)
    without_value = nulls(first)
    assert len(without_value) == symbols * len(FRAMES)
    assert {series: labels for series, labels in without_value.items() if labels} == {}
    assert {len(bar["results"]) for bar in first} == {14}

    restarted_ms = time.time_ns() // 1_000_000
    log = folder.path / "demo.log"
    with log.open("wb") as output:
        again = subprocess.Popen(demo_command(symbols), cwd=folder.path, env=folder.environ, stdin=subprocess.DEVNULL, stdout=output)
    try:
        wait_for("a summary", lambda: f"{symbols} symbols, 5 time frames, no value yet: none" in log.read_text(), again, log.read_text)
        assert f"charts: {folder.charts}\n" in log.read_text()

        def forming() -> list[dict[str, Any]]:
            return [bar for bar in committed(folder, "indicator_live") if bar["emitted_ms"] > restarted_ms]

        wait_for("forming bars of the second start", lambda: forming() != [], again, log.read_text)
        gone_on, results = forming(), committed(folder, "indicator_results")
        again.send_signal(signal.SIGINT)
        assert again.wait(TIMEOUT_S) == 0
    finally:
        again.kill()
    assert_nothing_is_left(folder)
    assert {bar["run"] for bar in gone_on + results} == {bar["run"] for bar in first}
    said = [(bar["stock_id"], bar["time_frame"], bar["start_ms"], bar["revision"]) for bar in results]
    assert len(said) == len(set(said)) >= len(first)
