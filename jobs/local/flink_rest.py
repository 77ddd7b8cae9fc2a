"""Flink's REST API, as far as it is needed to see a job and to stop it."""

import json
import time
import urllib.error
import urllib.request
from typing import Any

from jobs.errors import JobsError, Unreachable

_TIMEOUT_S = 10
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Never through a proxy: the address is ours."""


class FlinkRest:
    """The REST API at `address`; `origin` says where that was configured."""

    def __init__(self, address: str, origin: str) -> None:
        self._address = address.rstrip("/")
        self._origin = origin

    def jobs(self) -> list[dict[str, Any]]:
        """Every job the cluster knows: `jid`, `name`, `state`, `tasks`. Raises Unreachable."""
        jobs: list[dict[str, Any]] = self._call("GET", "/jobs/overview")["jobs"]
        return jobs

    def is_running(self, name: str) -> bool:
        """Whether every task of a job called `name` runs."""
        return any(
            job["name"] == name and job["state"] == "RUNNING" and job["tasks"]["running"] == job["tasks"]["total"] for job in self.jobs()
        )

    def records_read(self, job_id: str) -> int:
        """How many records the job's function has taken in, as Flink last counted them."""
        vertices = self._call("GET", f"/jobs/{job_id}")["vertices"]
        return max((int(vertex["metrics"]["read-records"]) for vertex in vertices), default=0)

    def stop_with_savepoint(self, job_id: str, target: str, timeout_s: float) -> str:
        """Stop the job, never drained, and return the savepoint's location. Raises JobsError."""
        trigger = self._call("POST", f"/jobs/{job_id}/stop", {"drain": False, "targetDirectory": target})["request-id"]
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            answer = self._call("GET", f"/jobs/{job_id}/savepoints/{trigger}")
            if answer["status"]["id"] == "COMPLETED":
                operation = answer["operation"]
                if "location" in operation:
                    return str(operation["location"])
                raise JobsError(f"the savepoint failed: {operation['failure-cause']['class']}", "see the job's log")
            time.sleep(0.1)
        raise JobsError(f"the savepoint took longer than {timeout_s:.0f} s", "see the job's log")

    def cancel(self, job_id: str) -> None:
        """Cancel the job; its newest checkpoint stays."""
        self._call("PATCH", f"/jobs/{job_id}?mode=cancel")

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._address + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with _direct.open(request, timeout=_TIMEOUT_S) as answer:
                parsed: dict[str, Any] = json.loads(answer.read() or b"{}")
                return parsed
        except urllib.error.HTTPError as error:
            raise JobsError(f"Flink refused {method} {path}: {error.read().decode(errors='replace')[:300]}") from error
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise Unreachable("Flink", self._address, self._origin, "tickloom job run, or tickloom status") from error
