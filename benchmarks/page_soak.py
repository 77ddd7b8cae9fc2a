"""The chart page left open while the market moves: memory, what it hangs on to, and frames: `make soak`.

Ten minutes after a warm-up of two, in which the page's code gets compiled; 50 symbols, each with four forming records a second and
time frame. Memory is what JavaScript holds after garbage collections, so that a leak cannot hide behind the collector's leisure.
"""

import argparse
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import orjson
from playwright.sync_api import CDPSession, Page

from benchmarks.page import FRAMES, FRAMES_PER_S, HZ, SYMBOLS, chromium, opened, running_market
from benchmarks.report import Part, Table, at_least, at_most, text
from benchmarks.stack import running_stack

GROWTH = 0.10
"""How much more it may hold at the end than after the warm-up."""
SAMPLES, COMPARED = 20, 3
"""The median of so many samples stands for the begin and for the end: one alone is worth half a megabyte of noise."""
COLLECTIONS = 3
FRAMES_AT_ONCE_S = 5.0


class Held(NamedTuple):
    """What the page holds at one moment."""

    minutes: float
    heap_mb: float
    nodes: int
    listeners: int
    frames_s: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="after the warm-up")
    parser.add_argument("--warm-up", type=float, default=2.0, help="minutes")
    parser.add_argument("--symbols", type=int, default=SYMBOLS)
    parser.add_argument("--hz", type=float, default=HZ, help="forming records a second, symbol and time frame")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    with running_stack() as stack:
        settings = stack.named("soak")
        with running_market(stack, settings, options.symbols, options.hz) as url, chromium() as browser, opened(browser, url) as page:
            complaints = _listen(page)
            page.wait_for_timeout(options.warm_up * 60_000)
            held = soak(page, options.minutes)
    print(text(report(held, complaints)))
    if options.json:
        options.json.write_bytes(orjson.dumps([each._asdict() for each in held], option=orjson.OPT_INDENT_2))


def soak(page: Page, minutes: float) -> list[Held]:
    """What the page holds, at its begin and after each of `SAMPLES` stretches of the time."""
    inspector = page.context.new_cdp_session(page)
    begun_s = time.monotonic()
    held = [_look(page, inspector, 0.0)]
    for number in range(1, SAMPLES + 1):
        due_s = begun_s + minutes * 60 * number / SAMPLES - FRAMES_AT_ONCE_S
        page.wait_for_timeout(max(0.0, due_s - time.monotonic()) * 1_000)
        held.append(_look(page, inspector, (time.monotonic() - begun_s) / 60))
        print(f"{held[-1].minutes:5.1f} min  {held[-1].heap_mb:6.1f} MB  {held[-1].frames_s:5.1f} frames/s", flush=True)
    return held


def _look(page: Page, inspector: CDPSession, minutes: float) -> Held:
    gaps = page.evaluate(FRAMES, FRAMES_AT_ONCE_S)
    for _ in range(COLLECTIONS):  # what is held weakly goes with the second
        inspector.send("HeapProfiler.collectGarbage")
    heap: dict[str, Any] = inspector.send("Runtime.getHeapUsage")
    counters: dict[str, Any] = inspector.send("Memory.getDOMCounters")
    return Held(minutes, heap["usedSize"] / 1e6, counters["nodes"], counters["jsEventListeners"], len(gaps) / (sum(gaps) / 1_000))


def report(held: list[Held], complaints: list[str]) -> Part:
    """The samples, and the targets."""
    first, last = (median(each.heap_mb for each in some) for some in (held[:COMPARED], held[-COMPARED:]))
    columns = ("minutes", "heap MB", "DOM nodes", "listeners", "frames/s")
    part = Part("page soak", [Table("page left open", columns, [tuple(each) for each in held])])
    part.targets.append(at_most("heap at the end over that after the warm-up", 1 + GROWTH, last / first))
    part.targets.append(at_least("frames a second, worst sample", FRAMES_PER_S, min(each.frames_s for each in held)))
    part.notes += complaints[:10]
    return part


def _listen(page: Page) -> list[str]:
    """Errors that the page runs into meanwhile."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    return complaints


if __name__ == "__main__":
    main()
