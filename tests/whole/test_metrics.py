"""The job's metrics as Prometheus would read them, held against the page that lists them and the ticks that were sent."""

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT
from typing import NamedTuple

import psutil

from jobs.local.ports import free_ports
from tests.docs.markdown import ROOT
from tests.whole.conftest import MakeStack

PAGE = (ROOT / "docs" / "reference" / "metrics.md").read_text()
TIMEOUT_S = 120
OURS = "_tickloom_"
_SAMPLE = re.compile(r"(?P<name>[A-Za-z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Sample(NamedTuple):
    name: str
    labels: dict[str, str]
    value: float


class Running(NamedTuple):
    """`tickloom job run` in a process of its own."""

    process: subprocess.Popen[bytes]
    metrics: str
    log: Path


def scrape(address: str) -> list[Sample]:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    matches = [_SAMPLE.fullmatch(line) for line in text.splitlines() if line and not line.startswith("#")]
    assert None not in matches
    return [Sample(match["name"], dict(_LABEL.findall(match["labels"] or "")), float(match["value"])) for match in matches if match]


def listed() -> dict[str, set[str]]:
    """Name -> labels, of the tables of the page."""
    rows = re.findall(r"^\| `(flink_\w+)` \| ((?:`\w+` ?)+)\|", PAGE, re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}


def count(samples: list[Sample], name: str, **labels: str) -> float:
    """The sum of our counter `name` over what has these labels."""
    return sum(sample.value for sample in samples if sample.name.endswith(f"{OURS}{name}") and labels.items() <= sample.labels.items())


@contextmanager
def running(arguments: list[str], metrics: str, log: Path) -> Iterator[Running]:
    command = [sys.executable, "-m", "jobs.cli.main", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=log.parent, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=output, stderr=output)
    try:
        yield Running(process, metrics, log)
    finally:
        for each in (*psutil.Process(process.pid).children(recursive=True), process) if process.poll() is None else ():
            each.kill()
        process.wait()


def scraped_once(job: Running, lines: int) -> list[Sample]:
    """The page once the job has accounted for so many lines and made a checkpoint of them."""
    deadline = time.monotonic() + TIMEOUT_S
    samples: list[Sample] = []
    while not (accounted(samples) >= lines and any(each.name.endswith("lastCheckpointSize") and each.value > 0 for each in samples)):
        assert job.process.poll() is None, job.log.read_text()
        assert time.monotonic() < deadline, f"{accounted(samples)} of {lines} lines\n{job.log.read_text()}"
        time.sleep(0.5)
        samples = scrape(job.metrics) if "running" in job.log.read_text() else []
    return samples


def accounted(samples: list[Sample]) -> float:
    return sum(count(samples, name) for name in ("ticks", "duplicates", "frame_copies", "reason_dead_letters"))


def listening(process: int) -> set[str]:
    """The addresses that a process and its children listen on."""
    tree = [psutil.Process(process), *psutil.Process(process).children(recursive=True)]
    return {each.laddr.ip for one in tree for each in one.net_connections("inet") if each.status == psutil.CONN_LISTEN}


def test_the_page_lists_what_is_scraped_and_the_counters_account_for_every_line(make_stack: MakeStack) -> None:
    metrics, rest = (f"127.0.0.1:{free_ports(1)}" for _ in range(2))
    stack = make_stack("run", bars__time_frames="1min,5min", job__metrics=metrics, job__flink_rest=f"http://{rest}")
    options = ["--ticks", "2000", "--symbols", "5", "--rate", "2", "--duplicates", "3%", "--late", "3%", "--bad", "3%"]
    sent = stack.feed("simulate", "--speed", "max", "--no-history", *options)
    with running([*stack.options, "job", "run"], metrics, stack.folder / "run.log") as job:
        samples = scraped_once(job, sent["lines"])
        addresses = listening(job.process.pid)
        job.process.send_signal(SIGINT)
        assert job.process.wait(TIMEOUT_S) == 0

    assert accounted(samples) == sent["lines"]
    assert count(samples, "late_ticks") > 0
    letters = list(stack.dead_letters().values())
    assert {letter.reason for letter in letters} > {"bad_json"}
    for reason in {letter.reason for letter in letters}:
        assert count(samples, "reason_dead_letters", reason=reason) == sum(letter.reason == reason for letter in letters)

    labels: dict[str, set[str]] = {}
    for sample in samples:
        labels.setdefault(sample.name, set()).update(sample.labels)
    assert {name: wanted - labels.get(name, set()) for name, wanted in listed().items() if not wanted <= labels.get(name, set())} == {}
    assert {name for name in labels if OURS in name} == {name for name in listed() if OURS in name}

    assert addresses <= {"127.0.0.1", "::ffff:127.0.0.1"}
    assert addresses
