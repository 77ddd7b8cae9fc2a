"""The job as a delivery shows it, by what Flink's REST API answers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from connectors.delivery.pipeline.answers import Checkpoints, JobAnswer
from jobs.flink_rest import FlinkRest
from jobs.job_view import JobView

ID, SOURCE, BARS = "0f" * 16, "aa", "bb"
"""A job and its vertices."""


class Clock:
    """A clock that goes when it is told."""

    ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms


class Flink(HTTPServer):
    """Answers as Flink 2.3 does, by path and query; a path that it does not know is 404."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Any] = {
            "/jobs/overview": {
                "jobs": [{"jid": ID, "name": "blue", "state": "RUNNING", "start-time": 900_000, "tasks": {"running": 4, "total": 4}}]
            },
            f"/jobs/{ID}": {
                "jid": ID, "name": "blue", "state": "RUNNING", "start-time": 900_000, "duration": 100_000, "now": 1_000_000,
                "vertices": [
                    {"id": SOURCE, "name": "Source: ticks", "parallelism": 2, "metrics": {"read-records": 0}},
                    {"id": BARS, "name": "bars -> results", "parallelism": 2, "metrics": {"read-records": 70}},
                ],
            },
            f"/jobs/{ID}/config": {"execution-config": {"user-config": {}}},
            f"/jobs/{ID}/metrics?get=numRestarts": [{"id": "numRestarts", "value": "1"}],
            f"/jobs/{ID}/vertices/{SOURCE}/metrics": [{"id": "0.Source__ticks.pendingRecords"}, {"id": "1.Source__ticks.pendingRecords"}],
            f"/jobs/{ID}/vertices/{SOURCE}/metrics?get=0.Source__ticks.pendingRecords%2C1.Source__ticks.pendingRecords": [
                {"id": "0.Source__ticks.pendingRecords", "value": "5"}, {"id": "1.Source__ticks.pendingRecords", "value": "6"},
            ],
            f"/jobs/{ID}/vertices/{BARS}/metrics": [
                {"id": "0.bars.tickloom.ticks"}, {"id": "1.bars.tickloom.ticks"}, {"id": "0.bars.tickloom.late_ticks"},
            ],
            f"/jobs/{ID}/vertices/{BARS}/watermarks": [{"id": "0", "value": "998800"}, {"id": "1", "value": "999000"}],
            f"/jobs/{ID}/checkpoints": {
                "counts": {"completed": 42, "failed": 1},
                "latest": {
                    "completed": {
                        "latest_ack_timestamp": 999_500, "state_size": 4_096, "end_to_end_duration": 30, "external_path": "file:/x",
                    }
                },
            },
        }  # fmt: skip
        self.count(first=100, second=20)

    def count(self, first: int, second: int) -> None:
        """What the subtasks' counters of ticks say."""
        self.answers[f"/jobs/{ID}/vertices/{BARS}/metrics?get=0.bars.tickloom.ticks%2C1.bars.tickloom.ticks"] = [
            {"id": "0.bars.tickloom.ticks", "value": str(first)}, {"id": "1.bars.tickloom.ticks", "value": str(second)},
        ]  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    server: Flink

    def do_GET(self) -> None:
        answer = self.server.answers.get(self.path)
        self.send_response(404 if answer is None else 200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *arguments: object) -> None:
        """Write nothing."""


@pytest.fixture
def flink() -> Iterator[Flink]:
    with Flink() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


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
