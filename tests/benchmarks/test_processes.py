"""The rate of a process on its way through a topic."""

import os
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.peers.progress import Progress, read_progress
from benchmarks.processes import ContenderFailed, Sample, TooQuick, cpu_seconds, measure, rate


def way(speeds: list[float]) -> list[Sample]:
    """One sample a second, 2 microseconds of CPU a record."""
    records = [0.0]
    for speed in speeds:
        records.append(records[-1] + speed)
    return [Sample(float(second), int(count), count * 2e-6) for second, count in enumerate(records)]


def test_a_slow_start_and_a_slow_end_are_not_in_the_rate() -> None:
    samples = way([1, 1, 98, 50, 50, 50, 50, 50, 50, 50, 5, 5, 5, 5])
    seen = rate(samples, 470)
    assert seen.records_s == pytest.approx(50)
    assert seen.cpu_s_per_record == pytest.approx(2e-6)


def test_a_way_seen_at_one_point_only_has_no_rate() -> None:
    with pytest.raises(TooQuick):
        rate(way([500, 500]), 1_000)


def test_a_process_that_fails_is_told_by_its_last_words(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import sys; sys.exit('out of luck')"]
    with pytest.raises(ContenderFailed, match="out of luck"):
        measure(argv, os.environ, tmp_path / "log", lambda: 0, 10)


def test_cpu_of_children_counts_those_that_ended_too(tmp_path: Path) -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    before_s = cpu_seconds(os.getpid())
    os.waitpid(os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-c", burn]), 0)
    assert cpu_seconds(os.getpid()) - before_s >= 0.25


def test_progress_is_read_by_another_while_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    assert read_progress(path) == 0
    progress, seen = Progress(str(path)), [0]
    for _ in range(1_000):
        progress.add()
        seen.append(read_progress(path))
    assert seen[-1] > 700
    assert all(later - earlier >= 0 for earlier, later in pairwise(seen))
    assert max(count - seen[count] for count in range(1_001)) < 300


def test_a_stretch_too_short_for_the_clock_has_no_rate() -> None:
    with pytest.raises(TooQuick):
        rate([Sample(1.0, 300, 0.0), Sample(1.01, 800, 0.0)], 1_000)
