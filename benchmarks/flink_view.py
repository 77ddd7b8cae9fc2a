"""What Flink's REST API says of the one job of a mini-cluster: how far it has read, and its checkpoints."""

from contextlib import suppress
from typing import Any, NamedTuple

from benchmarks.processes import ContenderFailed
from jobs.errors import JobsError
from jobs.flink_rest import FlinkRest


class Checkpoint(NamedTuple):
    """One completed checkpoint."""

    state_mb: float
    """Of the whole state it stands for."""
    written_mb: float
    """What was written for it: less than the state when it is incremental."""
    took_ms: float


LOOK_FOR_FAILURES_EVERY = 20
"""Looks at the progress, of which there are some twenty a second."""


class FlinkView:
    """The job at `address`; before there is one, and when it is gone, nothing has changed."""

    def __init__(self, address: str) -> None:
        self._rest = FlinkRest(address, "benchmark")
        self._source: tuple[str, str] | None = None
        self._seen = 0
        self._looks = 0

    def records_read(self) -> int:
        """Records that the source has taken from Kafka, as Flink last counted them (once a second).

        Raises ContenderFailed when the job has failed, also when it is being restarted: what it does then is no measure.
        """
        self._looks += 1
        if self._looks % LOOK_FOR_FAILURES_EVERY == 0:
            self.require_sound()
        with suppress(JobsError, LookupError):
            if self._source is None:
                self._source = self._find_source()
            path, metric = self._source
            self._seen = int(self._rest.get(f"{path}?get={metric}")[0]["value"])
        return self._seen

    def require_sound(self) -> None:
        """Raises ContenderFailed when the job has failed since it was started."""
        with suppress(JobsError, LookupError):
            if failures := self._rest.failures(self.job_id()):
                raise ContenderFailed(f"the job failed: {' | '.join(_causes(failures[-1]))}")

    def job_id(self) -> str:
        """The job's id. Raises Unreachable or LookupError."""
        return str(self._rest.jobs()[0]["jid"])

    def checkpoints(self) -> list[Checkpoint]:
        """The last completed ones, newest first."""
        history = self._rest.get(f"/jobs/{self.job_id()}/checkpoints")["history"]
        done = [each for each in history if each["status"] == "COMPLETED" and not each["is_savepoint"]]
        return [Checkpoint(each["state_size"] / 1e6, each["checkpointed_size"] / 1e6, float(each["end_to_end_duration"])) for each in done]

    def stop_with_savepoint(self, folder: str, timeout_s: float) -> str:
        """Stop the job; where its savepoint is. Raises JobsError."""
        return self._rest.stop_with_savepoint(self.job_id(), folder, timeout_s)

    def cancel(self) -> None:
        """Cancel the job."""
        self._rest.cancel(self.job_id())

    def _find_source(self) -> tuple[str, str]:
        """The path of the source's metrics and the name of the one that counts what it reads."""
        job_id = self.job_id()
        vertices: list[dict[str, Any]] = self._rest.get(f"/jobs/{job_id}")["vertices"]
        sources = [vertex["id"] for vertex in vertices if vertex["name"].startswith("Source")]
        path = f"/jobs/{job_id}/vertices/{sources[0]}/metrics"
        names = [metric["id"] for metric in self._rest.get(path)]
        found = [name for name in names if name.startswith("0.Source__") and name.endswith(".numRecordsIn")]
        return path, found[0]


def _causes(trace: str) -> list[str]:
    """The lines of a Java stack trace that say what went wrong."""
    lines = trace.splitlines()
    return [line.strip()[:200] for line in lines[:1] + [line for line in lines if line.startswith("Caused by")][-1:]]
