"""The Flink job as a delivery shows it: asked of Flink's REST API now and then, null when that does not answer."""

from connectors.delivery.pipeline.answers import Checkpoints, JobAnswer
from connectors.rate import Rate
from jobs.errors import JobsError
from jobs.feed import Clock
from jobs.flink_rest import FlinkRest
from jobs.job_status import JobStatus, read_counter, read_status

_RATE_WINDOW_MS = 15_000
"""Flink counts anew each 10 s."""


class JobView:
    """Looks at the job called `name`."""

    def __init__(self, rest: FlinkRest, name: str, clock: Clock) -> None:
        self._rest = rest
        self._name = name
        self._clock = clock
        self._ticks = Rate(_RATE_WINDOW_MS)

    def read(self) -> JobAnswer | None:
        """The job as it is now; None when Flink does not answer, or knows no such job."""
        try:
            status = read_status(self._rest, self._name)
            if status is None:
                return None
            ticks = read_counter(self._rest, status.job_id, "ticks")
        except (JobsError, LookupError, ValueError):  # a Flink that is starting or stopping answers with less than it should
            return None
        return _answer(status, None if ticks is None else self._ticks.per_second(ticks, self._clock.now_ms()))


def _answer(status: JobStatus, ticks_per_s: float | None) -> JobAnswer:
    last = status.checkpoint
    return JobAnswer(
        name=status.name,
        state=status.state,
        uptime_ms=status.running_ms,
        restarts=status.restarts,
        parallelism=status.parallelism,
        checkpoints=Checkpoints(
            completed=status.checkpoints_completed,
            failed=status.checkpoints_failed,
            last_ms=last.completed_ms if last else None,
            last_size=last.bytes if last else None,
            last_duration_ms=last.duration_ms if last else None,
        ),
        watermark_lag_ms=status.watermark_lag_ms,
        pending_records=status.pending_records,
        ticks_per_s=None if ticks_per_s is None else round(ticks_per_s, 1),
    )
