"""Flink's REST API by literal answers, for tests of those who read it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

ID, SOURCE, BARS = "0f" * 16, "aa", "bb"
"""A job and its vertices."""


class Flink(HTTPServer):
    """Answers as Flink 2.3 does, by path and query; a path that it does not know is 404."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: set[str] = set()
        """By which methods."""
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
        self.server.asked.add(self.command)
        answer = self.server.answers.get(self.path)
        self.send_response(404 if answer is None else 200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    do_POST = do_PATCH = do_GET

    def log_message(self, *arguments: object) -> None:
        """Write nothing."""


@contextmanager
def answering() -> Iterator[Flink]:
    """Such an API on a port of this machine."""
    with Flink() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
