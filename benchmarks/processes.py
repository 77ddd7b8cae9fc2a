"""Processes under measurement: started, watched on their way through a topic, their CPU and memory read from /proc."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from jobs.local.logs import last_lines
from jobs.local.process import kill_group, spawn

FROM_SHARE, TO_SHARE = 0.4, 0.9
"""Of the records of a topic: outside of them is start-up, and the end of the input."""
LEAST_S = 0.5
_LOOK_EVERY_S = 0.05
_GIVE_UP_S = 600


class ContenderFailed(Exception):
    """A process under measurement failed, or could not be measured."""


class TooQuick(ContenderFailed):
    """It came to its end before its rate could be seen."""


class Sample(NamedTuple):
    """Where a process stood at one moment."""

    at_s: float
    records: int
    cpu_s: float


class Rate(NamedTuple):
    """How fast a process took in its topic, and what it cost, start-up and end left out."""

    records_s: float
    cpu_s_per_record: float


def measure(argv: Sequence[str], environ: Mapping[str, str], log: Path, progress: Callable[[], int], records: int) -> Rate:
    """Run `argv` to its end; its rate in the middle of a topic of `records`. Raises ContenderFailed, TooQuick.

    `progress` says how many records the process has taken from Kafka so far. CPU is that of the whole process tree.
    """
    samples: list[Sample] = []
    process = spawn(argv, log, environ)
    deadline_s = time.monotonic() + _GIVE_UP_S
    try:
        while process.poll() is None:
            if time.monotonic() > deadline_s:
                raise ContenderFailed(f"not done after {_GIVE_UP_S} s, see {log}")
            seen = progress()
            if not samples or seen > samples[-1].records:
                samples.append(Sample(time.monotonic(), seen, cpu_seconds(process.pid)))
            time.sleep(_LOOK_EVERY_S)
    finally:
        kill_group(process)
    if process.returncode:
        raise ContenderFailed(f"exit code {process.returncode}: {' | '.join(last_lines(log, 3))}")
    return rate(samples, records)


def rate(samples: Sequence[Sample], records: int) -> Rate:
    """The rate between the first and the last sample that lie between four and nine tenths of the way. Raises TooQuick."""
    middle = [sample for sample in samples if FROM_SHARE * records <= sample.records <= TO_SHARE * records]
    if len(middle) < 2 or middle[-1].at_s - middle[0].at_s < LEAST_S:
        raise TooQuick("too few ticks to see a rate: give a larger --scale")
    first, last = middle[0], middle[-1]
    taken = last.records - first.records
    return Rate(taken / (last.at_s - first.at_s), (last.cpu_s - first.cpu_s) / taken)


def cpu_seconds(pid: int) -> float:
    """CPU time that the process `pid` and all it has started have used so far; children that ended are counted too."""
    total = 0.0
    for process in tree(pid):
        with suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


class Memory(NamedTuple):
    """Megabytes: resident, and resident with shared pages divided among those that share them."""

    rss_mb: float
    pss_mb: float


def memory(process: psutil.Process) -> Memory:
    """Of one process alone."""
    full = process.memory_full_info()
    return Memory(full.rss / 1e6, full.pss / 1e6)


def tree(pid: int) -> list[psutil.Process]:
    """The process and everything below it; empty when it is gone."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []
