"""Savepoints of earlier versions: each is restored, and what the job says from then on is proved right by `verify`.

A new one is added with each release that changes the layout of the state:

    TICKLOOM_GOLDEN=NAME python -m pytest tests/whole/test_golden_savepoints.py -k write
"""

import os
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.whole.conftest import MakeStack
from tests.whole.golden_savepoint import AFTER, BEFORE, GOLDEN, SAID, SETTINGS, read_records, records_of, savepoints, write_records
from tests.whole.stack import Record, Stack

NEW = os.environ.get("TICKLOOM_GOLDEN", "")
TIMEOUT_S = 60


@pytest.mark.parametrize("savepoint", savepoints(), ids=lambda folder: folder.name)
def test_a_savepoint_of_an_earlier_version_goes_on_as_if_nothing_had_happened(savepoint: Path, make_stack: MakeStack) -> None:
    stack = make_stack(savepoint.name, **SETTINGS)
    stack.publish(read_records(savepoint / BEFORE))
    for topic, file in SAID.items():
        stack.publish(read_records(savepoint / file), topic)
    said_before = len(stack.results())
    after = read_records(savepoint / AFTER)
    stack.publish(after)
    job_id = str(stack.start(run=2, restore=savepoint).get_job_id())
    wait_until_quiet(stack, job_id, after)
    stack.must_not_have_failed(job_id)
    stack.cluster.rest.cancel(job_id)

    code, report = stack.verify()
    assert (code, report["differences"]) == (0, [])
    assert report["not_proved"].keys() <= {"not_closed"}, "the newest bars are still open"
    results = stack.results()
    assert len(results) > 1.5 * said_before
    assert {result["run"] for result in results} == {1}, "a symbol keeps the run it was met in: its state was found"
    said = Counter((result["stock_id"], result["time_frame"], result["start_ms"], result["revision"]) for result in results)
    assert [record for record, times in said.items() if times > 1] == []


@pytest.mark.skipif(not NEW, reason="writes a new golden savepoint when TICKLOOM_GOLDEN names it")
def test_write_a_golden_savepoint(make_stack: MakeStack) -> None:
    source = make_stack("source", **SETTINGS)
    simulate(source)
    ticks = records_of(source, "stock_data")
    middle = sorted(record.timestamp_ms for record in ticks)[len(ticks) // 2]
    before = [record for record in ticks if record.timestamp_ms < middle]
    after = [record for record in ticks if record.timestamp_ms >= middle]
    stack = make_stack(NEW, **SETTINGS)
    stack.publish(before)
    job_id = str(stack.start().get_job_id())
    wait_until_quiet(stack, job_id, before)
    written = Path("/tmp/golden")  # a savepoint names the place it was written to: one that says nothing of the machine
    location = stack.cluster.rest.stop_with_savepoint(job_id, written.as_uri(), TIMEOUT_S)
    stack.must_not_have_failed(job_id)

    golden = shutil.copytree(location.removeprefix("file:"), GOLDEN / NEW)
    shutil.rmtree(written)
    write_records(golden / BEFORE, before)
    write_records(golden / AFTER, after)
    for topic, file in SAID.items():
        write_records(golden / file, records_of(stack, topic))


def simulate(stack: Stack) -> None:
    """An hour and 40 minutes of three symbols, with ticks in disorder, late and twice."""
    faults = ("--disorder", "5%", "--late", "3%", "--duplicates", "3%", "--bad", "1%")
    stack.feed(
        "simulate", "--symbols", "3", "--ticks", "600", "--rate", "0.1", "--speed", "max", "--start", "2026-11-02T14:30:00Z", *faults
    )


def wait_until_quiet(stack: Stack, job_id: str, sent: Sequence[Record]) -> None:
    """Until the job has read what was `sent`, and nothing it says of it is still on its way."""
    deadline, said = time.monotonic() + TIMEOUT_S, -1
    ticks = sum(1 for record in sent if record.key)  # the others are heartbeats
    while stack.cluster.rest.records_read(job_id) < ticks or said != len(stack.results()):
        assert time.monotonic() < deadline
        said = len(stack.results())
        time.sleep(3)
