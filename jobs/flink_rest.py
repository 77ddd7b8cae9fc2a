"""Flink's REST API, as far as it is needed to see a job, to stop it, and to know its cluster."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from jobs.errors import JobsError, Unreachable

ENDED = ("FINISHED", "FAILED", "CANCELED")
"""A job in one of these states runs no more, and never will."""
_TIMEOUT_S = 10
_POLL_S = 0.1
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Never through a proxy: the address is ours."""


class SavepointFailed(JobsError):
    """Flink could not make the savepoint; the job goes on as it did."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the savepoint failed: {why}", "tickloom job status; the job's log says more")
        self.why = why


class FlinkRest:
    """The REST API at `address`; `origin` says where that was configured. Everything here raises Unreachable and JobsError."""

    def __init__(self, address: str, origin: str) -> None:
        self.address = address.rstrip("/")
        self._origin = origin

    # The cluster ---------------------------------------------------------------------------------------------------

    def overview(self) -> dict[str, Any]:
        """The cluster in numbers: `taskmanagers`, `slots-total`, `slots-available`, `flink-version`."""
        overview: dict[str, Any] = self._call("GET", "/overview")
        return overview

    def settings(self) -> dict[str, str]:
        """The cluster's own configuration."""
        return {entry["key"]: entry["value"] for entry in self._call("GET", "/jobmanager/config")}

    def class_path(self) -> list[str]:
        """The jars that the JobManager runs from."""
        jars: list[str] = self._call("GET", "/jobmanager/environment")["classpath"]
        return jars

    def taskmanagers(self) -> list[str]:
        """The resource ids of the TaskManagers that are registered."""
        return [str(taskmanager["id"]) for taskmanager in self._call("GET", "/taskmanagers")["taskmanagers"]]

    # Its jobs ------------------------------------------------------------------------------------------------------

    def jobs(self) -> list[dict[str, Any]]:
        """Every job the cluster knows: `jid`, `name`, `state`, `start-time`, `tasks`."""
        jobs: list[dict[str, Any]] = self._call("GET", "/jobs/overview")["jobs"]
        return jobs

    def unfinished(self, name: str) -> dict[str, Any] | None:
        """The job called `name` that has not ended; None when there is none."""
        return next((job for job in self.jobs() if job["name"] == name and job["state"] not in ENDED), None)

    def is_running(self, name: str) -> bool:
        """Whether every task of a job called `name` runs."""
        return any(
            job["name"] == name and job["state"] == "RUNNING" and job["tasks"]["running"] == job["tasks"]["total"] for job in self.jobs()
        )

    def job(self, job_id: str) -> dict[str, Any]:
        """One job: `state`, `start-time`, `duration`, `now`, and its `vertices`."""
        job: dict[str, Any] = self._call("GET", f"/jobs/{job_id}")
        return job

    def parameters(self, job_id: str) -> dict[str, str]:
        """The global parameters the job was given."""
        given: dict[str, str] = self._call("GET", f"/jobs/{job_id}/config").get("execution-config", {}).get("user-config", {})
        return given

    def checkpoints(self, job_id: str) -> dict[str, Any]:
        """The job's checkpoints and savepoints: `counts` and `latest`."""
        checkpoints: dict[str, Any] = self._call("GET", f"/jobs/{job_id}/checkpoints")
        return checkpoints

    def metric_names(self, path: str) -> list[str]:
        """The metrics that there are at `path`."""
        return [str(answer["id"]) for answer in self._call("GET", path)]

    def metrics(self, path: str, names: list[str]) -> dict[str, float]:
        """Metrics by name; those that there are not (yet) are left out."""
        answers = self._call("GET", f"{path}?get={quote(','.join(names))}")
        return {answer["id"]: float(answer["value"]) for answer in answers}

    def watermarks(self, job_id: str, vertex_id: str) -> list[int]:
        """The newest watermark of each subtask, epoch ms."""
        return [int(answer["value"]) for answer in self._call("GET", f"/jobs/{job_id}/vertices/{vertex_id}/watermarks")]

    def failures(self, job_id: str) -> list[str]:
        """What made the job fail so far, newest first, as Java's stack traces."""
        history = self._call("GET", f"/jobs/{job_id}/exceptions")["exceptionHistory"]
        return [str(entry["stacktrace"]) for entry in history["entries"]]

    def records_read(self, job_id: str) -> int:
        """How many records the job's function has taken in, as Flink last counted them."""
        return max((int(vertex["metrics"]["read-records"]) for vertex in self.job(job_id)["vertices"]), default=0)

    # Ending one ----------------------------------------------------------------------------------------------------

    def stop_with_savepoint(self, job_id: str, target: str, timeout_s: float) -> str:
        """Stop the job, never drained, and return the savepoint's location. Raises SavepointFailed."""
        trigger = self._call("POST", f"/jobs/{job_id}/stop", {"drain": False, "targetDirectory": target})["request-id"]
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            answer = self._call("GET", f"/jobs/{job_id}/savepoints/{trigger}")
            if answer["status"]["id"] == "COMPLETED":
                return _location(answer["operation"])
            time.sleep(_POLL_S)
        raise SavepointFailed(f"it takes longer than {timeout_s:.0f} s")

    def cancel(self, job_id: str) -> None:
        """Cancel the job; its newest checkpoint stays."""
        self._call("PATCH", f"/jobs/{job_id}?mode=cancel")

    def wait_for_end(self, job_id: str, timeout_s: float) -> str:
        """The state in which the job ended."""
        deadline = time.monotonic() + timeout_s
        while (state := str(self.job(job_id)["state"])) not in ENDED:
            if time.monotonic() > deadline:
                raise JobsError(f"the job {job_id} is still {state} after {timeout_s:.0f} s", "tickloom job status")
            time.sleep(_POLL_S)
        return state

    def get(self, path: str) -> Any:
        """What the API answers to a GET of `path`, taken apart. Raises Unreachable or JobsError."""
        return self._call("GET", path)

    def _call(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with _direct.open(request, timeout=_TIMEOUT_S) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            raise JobsError(f"Flink refused {method} {path}: {_refusal(error.read())}") from error
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise Unreachable("Flink", self.address, self._origin, "tickloom up, or tickloom cluster up") from error


def root_cause(trace: str) -> str:
    """The innermost cause that a Java stack trace names, in one line."""
    causes = [line for line in trace.splitlines() if line and not line.startswith(("\t", " ", "..."))]
    return next((line for line in reversed(causes) if line.startswith("Caused by: ")), causes[0] if causes else trace).removeprefix(
        "Caused by: "
    )


def _location(operation: Mapping[str, Any]) -> str:
    if "location" in operation:
        return str(operation["location"])
    cause = operation["failure-cause"]
    raise SavepointFailed(root_cause(cause.get("stack-trace") or cause["class"]))


def _refusal(answer: bytes) -> str:
    """The first line of what Flink says instead of an answer."""
    text = answer.decode(errors="replace")
    try:
        errors = json.loads(text)["errors"]
    except (ValueError, KeyError, TypeError):
        return text[:300]
    return str(errors[0]).strip().splitlines()[0][:300] if errors else text[:300]
