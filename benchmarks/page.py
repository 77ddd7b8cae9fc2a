"""The chart page in a real browser: how soon it shows a candle, and how it keeps moving: `python -m benchmarks.page`.

Broker, delivery, a process that writes results and headless Chromium share the machine.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import orjson
from playwright.sync_api import Browser, Page

from benchmarks.bench import Bench
from benchmarks.browser import find_chromium, running_chromium
from benchmarks.delivery_process import running_delivery
from benchmarks.processes import ContenderFailed
from benchmarks.report import Part, Table, at_least, at_most
from benchmarks.stack import Stack, child_environ, make_topics, read_config
from jobs.local.ports import free_ports

SYMBOLS, HZ, HISTORY_MINUTES = 50, 4.0, 360
OPENINGS, FRAMES_S = 10, 60.0
FIRST_CANDLE_S, FRAMES_PER_S = 1.5, 30.0
LINK = "#AAPL/1min?i=RSI,EMA"

FIRST_CANDLE = """() => new Promise((done) =>
  new PerformanceObserver((marks) => {
    const [first] = marks.getEntriesByName('first-candle');
    if (first) done(first.startTime);
  }).observe({type: 'mark', buffered: true}))"""
"""Milliseconds after the navigation began, by the browser's clock, once it is there."""
FRAMES = """(seconds) => new Promise((done) => {
  const gaps = [];
  let last = performance.now();
  const end = last + seconds * 1000;
  const step = (now) => {
    gaps.push(now - last);
    last = now;
    now < end ? requestAnimationFrame(step) : done(gaps);
  };
  requestAnimationFrame(step);
})"""


def measure(bench: Bench) -> Part:
    """First candles with an empty and with a filled cache, then frames."""
    settings = bench.stack.named("page")
    with running_market(bench.stack, settings, SYMBOLS, HZ) as url, chromium() as browser:
        part = Part("page", [Table(f"first candle, {SYMBOLS} symbols at {HZ:.0f} Hz, ms", ("cache", "median", "max", "openings"), [])])
        openings = max(2, round(OPENINGS * bench.scale))
        cold, warm = openings_of(browser, url, openings)
        for name, took in (("empty", cold), ("filled", warm)):
            part.tables[0].rows.append((name, median(took), max(took), len(took)))
        part.targets.append(at_most("first candle, empty cache, median, s", FIRST_CANDLE_S, median(cold) / 1_000))
        with opened(browser, url) as page:
            seconds = max(5.0, FRAMES_S * bench.scale)
            gaps = page.evaluate(FRAMES, seconds)
        part.tables.append(frames_table(gaps))
        part.targets.append(at_least("frames a second", FRAMES_PER_S, len(gaps) / seconds))
    return part


def openings_of(browser: Browser, url: str, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds until the first candle of a first visit, and of a second one by the same visitor."""
    cold, warm = [], []
    for _ in range(count):
        with opened(browser, url) as page:
            cold.append(page.evaluate(FIRST_CANDLE))
            page.reload()
            warm.append(page.evaluate(FIRST_CANDLE))
    return cold, warm


@contextmanager
def opened(browser: Browser, url: str) -> Iterator[Page]:
    """The page of a new visitor, its first candle on it."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{url}/{LINK}")
    page.evaluate(FIRST_CANDLE)
    try:
        yield page
    finally:
        context.close()


def frames_table(gaps: list[float]) -> Table:
    """Of the milliseconds between each two frames."""
    ordered = sorted(gaps)
    row = (len(gaps) / (sum(gaps) / 1_000), ordered[len(ordered) // 2], ordered[int(0.99 * len(ordered))], ordered[-1])
    return Table("frames", ("a second", "gap p50 ms", "gap p99 ms", "gap max ms"), [row])


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's browser. Raises ContenderFailed when there is none."""
    path = find_chromium()
    if path is None:
        raise ContenderFailed("no Chromium is installed; try: apt-get install chromium")
    with running_chromium(path) as browser:
        yield browser


@contextmanager
def running_market(stack: Stack, settings: dict[str, object], symbols: int, hz: float) -> Iterator[str]:
    """A delivery with a market that trades behind it, until the block ends; its URL."""
    own = {**settings, "delivery.listen": f"127.0.0.1:{free_ports(1)}"}
    make_topics(read_config(own))
    argv = [sys.executable, "-m", "benchmarks.live_market", orjson.dumps(own).decode(), str(symbols), str(hz), str(HISTORY_MINUTES)]
    market = subprocess.Popen(argv, env=child_environ(), stdout=subprocess.PIPE)
    try:
        if market.stdout is None or market.stdout.readline() != b"ready\n":
            raise ContenderFailed("the market did not start")
        with running_delivery(stack, own) as delivery:
            yield f"http://{delivery.address}"
            if market.poll() is not None:
                raise ContenderFailed("the market ended by itself")
    finally:
        market.kill()
        market.wait()


if __name__ == "__main__":
    from benchmarks.command import main

    main("page")
