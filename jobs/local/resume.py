"""Where a job goes on from: the newest complete savepoint or checkpoint of the stack, or the beginning."""

from pathlib import Path
from typing import NamedTuple

from jobs.config import Config
from jobs.errors import JobsError
from jobs.flink_settings import checkpoints, savepoints

_METADATA = "_metadata"


class Beginning(NamedTuple):
    """How a job is started."""

    restore: Path | None
    """A savepoint or checkpoint to go on from."""
    start: str
    """Without one: `earliest`, `latest`, or epoch ms."""


class WouldRecompute(JobsError):
    """There are results, but nothing to go on from: a new job would say everything again. Exit 3: nothing cures it but a decision."""

    exit_code = 3

    def __init__(self, topic: str, data_dir: Path) -> None:
        super().__init__(
            f"{topic} holds results, but {data_dir} holds no checkpoint to go on from",
            "--fresh, to compute everything again from the earliest tick under a new run",
        )


def newest_state(config: Config) -> Path | None:
    """The newest complete savepoint or checkpoint; one without its metadata was never finished."""
    complete = [
        metadata
        for folder in (checkpoints(config), savepoints(config))
        if folder.is_dir()
        for metadata in folder.rglob(_METADATA)
        if metadata.stat().st_size > 0
    ]
    newest = max(complete, key=lambda metadata: metadata.stat().st_mtime_ns, default=None)
    return newest.parent if newest else None


def beginning(config: Config, *, fresh: bool, results_topic: str, has_results: bool) -> Beginning:
    """How to start the job as `job.start` says. Raises WouldRecompute when that would silently repeat what is there."""
    start = config.job.start
    if fresh:
        return Beginning(None, "earliest" if start == "resume" else start)
    restore = newest_state(config)
    if restore is not None:
        return Beginning(restore, "earliest")
    if has_results:
        raise WouldRecompute(results_topic, config.stack.data_dir)
    return Beginning(None, "earliest" if start == "resume" else start)
