"""How the job on a cluster stands: what Flink's REST API says of it, in one record."""

from dataclasses import dataclass
from typing import Any

from jobs.flink_rest import FlinkRest
from jobs.job_changes import read_parameters
from jobs.resume import shown

_NO_WATERMARK = -(2**63)


@dataclass(frozen=True, slots=True)
class CheckpointStatus:
    """The last completed checkpoint."""

    completed_ms: int
    age_ms: int
    bytes: int
    duration_ms: int
    location: str


@dataclass(frozen=True, slots=True)
class JobStatus:
    """One job. What Flink does not (yet) say is None."""

    name: str
    job_id: str
    state: str
    tasks_running: int
    tasks: int
    started_ms: int
    running_ms: int
    restarts: int | None
    parallelism: int
    records_read: int
    pending_records: int | None
    """Records in the topic of ticks that have not been fetched."""
    watermark_ms: int | None
    watermark_lag_ms: int | None
    checkpoint: CheckpointStatus | None
    checkpoints_completed: int
    checkpoints_failed: int
    time_frames: tuple[str, ...] | None
    indicators: dict[str, str] | None

    @property
    def is_running(self) -> bool:
        """Whether every task runs."""
        return self.state == "RUNNING" and self.tasks_running == self.tasks


def read_status(rest: FlinkRest, name: str) -> JobStatus | None:
    """The job called `name`: the one that has not ended, else the last that has. None when the cluster knows none.

    Raises Unreachable and JobsError.
    """
    jobs = [job for job in rest.jobs() if job["name"] == name]
    listed = rest.unfinished(name) or max(jobs, key=lambda job: int(job["start-time"]), default=None)
    if listed is None:
        return None
    job = rest.job(listed["jid"])
    watermark_ms, checkpoints = _watermark(rest, job), rest.checkpoints(job["jid"])
    says = read_parameters(rest.parameters(job["jid"]))
    return JobStatus(
        name=name,
        job_id=job["jid"],
        state=job["state"],
        tasks_running=listed["tasks"]["running"],
        tasks=listed["tasks"]["total"],
        started_ms=job["start-time"],
        running_ms=job["duration"],
        restarts=_restarts(rest, job),
        parallelism=max((vertex["parallelism"] for vertex in job["vertices"]), default=0),
        records_read=max((int(vertex["metrics"]["read-records"]) for vertex in job["vertices"]), default=0),
        pending_records=_pending(rest, job),
        watermark_ms=watermark_ms,
        watermark_lag_ms=None if watermark_ms is None else job["now"] - watermark_ms,
        checkpoint=_checkpoint(checkpoints, job),
        checkpoints_completed=int(checkpoints["counts"]["completed"]),
        checkpoints_failed=int(checkpoints["counts"]["failed"]),
        time_frames=says.time_frames if says else None,
        indicators=dict(says.indicators) if says else None,
    )


def _restarts(rest: FlinkRest, job: dict[str, Any]) -> int | None:
    restarts = rest.metrics(f"/jobs/{job['jid']}/metrics", ["numRestarts"]).get("numRestarts")
    return None if restarts is None else int(restarts)


def _pending(rest: FlinkRest, job: dict[str, Any]) -> int | None:
    """Summed over the source's subtasks."""
    source = next((vertex for vertex in job["vertices"] if vertex["name"].startswith("Source:")), None)
    if source is None:
        return None
    path = f"/jobs/{job['jid']}/vertices/{source['id']}/metrics"
    names = [name for name in rest.metric_names(path) if name.endswith(".pendingRecords")]
    values = rest.metrics(path, names) if names else {}
    return int(sum(values.values())) if values else None


def read_counter(rest: FlinkRest, job_id: str, name: str) -> int | None:
    """One of our own counters (`udfs.functions.counters`), summed over subtasks; None when Flink knows none yet."""
    function = _function(rest.job(job_id))
    if function is None:
        return None
    path = f"/jobs/{job_id}/vertices/{function['id']}/metrics"
    names = [each for each in rest.metric_names(path) if each.endswith(f".tickloom.{name}")]
    values = rest.metrics(path, names) if names else {}
    return int(sum(values.values())) if values else None


def _function(job: dict[str, Any]) -> dict[str, Any] | None:
    """The vertex in which bars are computed."""
    return next((vertex for vertex in job["vertices"] if vertex["name"].startswith("bars")), None)


def _watermark(rest: FlinkRest, job: dict[str, Any]) -> int | None:
    """The function's: the smallest of its subtasks."""
    function = _function(job)
    watermarks = rest.watermarks(job["jid"], function["id"]) if function else []
    return min(watermarks) if watermarks and min(watermarks) > _NO_WATERMARK else None


def _checkpoint(checkpoints: dict[str, Any], job: dict[str, Any]) -> CheckpointStatus | None:
    last = checkpoints["latest"]["completed"]
    if last is None:
        return None
    completed_ms = int(last["latest_ack_timestamp"])
    return CheckpointStatus(
        completed_ms, job["now"] - completed_ms, int(last["state_size"]), int(last["end_to_end_duration"]), shown(last["external_path"])
    )
