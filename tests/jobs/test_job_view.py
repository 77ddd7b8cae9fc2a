"""The job as a delivery shows it, by what Flink's REST API answers."""

from collections.abc import Iterator

import pytest

from connectors.delivery.pipeline.answers import Checkpoints, JobAnswer
from jobs.flink_rest import FlinkRest
from jobs.job_view import JobView
from tests.jobs.flink_answers import ID, Flink, answering


class Clock:
    """A clock that goes when it is told."""

    ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms


@pytest.fixture
def flink() -> Iterator[Flink]:
    with answering() as server:
        yield server


def view(flink: Flink, clock: Clock, name: str = "blue") -> JobView:
    return JobView(FlinkRest(f"http://127.0.0.1:{flink.server_port}", "job.flink_rest"), name, clock)


def test_the_job_is_shown_with_its_checkpoints_its_lag_and_its_ticks_a_second(flink: Flink) -> None:
    clock = Clock()
    looks = view(flink, clock)
    assert looks.read() == JobAnswer(
        name="blue", state="RUNNING", uptime_ms=100_000, restarts=1, parallelism=2,
        checkpoints=Checkpoints(completed=42, failed=1, last_ms=999_500, last_size=4_096, last_duration_ms=30),
        watermark_lag_ms=1_200, pending_records=11, ticks_per_s=0.0,
    )  # fmt: skip
    flink.count(first=10_000, second=120)
    clock.ms += 10_000
    seen = looks.read()
    assert seen is not None
    assert seen.ticks_per_s == 1_000.0


def test_a_job_that_is_not_there_or_a_flink_that_says_less_than_it_should_is_null(flink: Flink) -> None:
    assert view(flink, Clock(), "green").read() is None
    del flink.answers[f"/jobs/{ID}/checkpoints"]
    assert view(flink, Clock()).read() is None
    flink.answers[f"/jobs/{ID}/checkpoints"] = {}
    assert view(flink, Clock()).read() is None
    assert JobView(FlinkRest("http://127.0.0.1:1", "job.flink_rest"), "blue", Clock()).read() is None
