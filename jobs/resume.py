"""Where a job goes on from: the newest complete savepoint or checkpoint of the stack, or the beginning."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from jobs.config import Config
from jobs.errors import JobsError
from jobs.flink_settings import checkpoints, savepoints, state_folder

_METADATA = "_metadata"


class State(NamedTuple):
    """A complete savepoint or checkpoint: its URI, and when it was made."""

    location: str
    made_ms: int


class Beginning(NamedTuple):
    """How a job is started."""

    restore: str | None
    """The URI of a savepoint or checkpoint to go on from."""
    start: str
    """Without one: `earliest`, `latest`, or epoch ms as digits."""

    def __str__(self) -> str:
        return f"going on from {shown(self.restore)}" if self.restore else f"from {self.start}"


class WouldRecompute(JobsError):
    """There are results, but nothing to go on from: a new job would say everything again. Exit 3: nothing cures it but a decision."""

    exit_code = 3

    def __init__(self, topic: str, place: object) -> None:
        super().__init__(
            f"{topic} holds results, but {place} holds no checkpoint to go on from",
            "--fresh, to compute everything again from the earliest tick under a new run",
        )


def newest_state(config: Config, elsewhere: Sequence[State] = ()) -> State | None:
    """The newest complete savepoint or checkpoint, of those on this machine and `elsewhere`. One without its metadata is not complete."""
    return max((*_on_this_machine(config), *elsewhere), key=lambda state: state.made_ms, default=None)


def beginning(config: Config, *, fresh: bool, results_topic: str, has_results: bool, elsewhere: Sequence[State] = ()) -> Beginning:
    """How to start the job as `job.start` says. Raises WouldRecompute when that would silently repeat what is there."""
    state = None if fresh else newest_state(config, elsewhere)
    if state is not None:
        return Beginning(state.location, "earliest")
    if has_results and not fresh:
        raise WouldRecompute(results_topic, state_folder(config))
    return Beginning(None, start_point(config))


def start_point(config: Config) -> str:
    """Where a job without state begins to read: `earliest`, `latest`, or epoch ms as digits."""
    start = config.job.start
    if start in ("earliest", "latest"):
        return start
    return "earliest" if start == "resume" else str(round(datetime.fromisoformat(start).timestamp() * 1_000))


def path_of(location: str) -> Path | None:
    """The path of a URI of this machine's file system (`file:/a`, `file:///a`) or of a plain path; None for another's."""
    parts = urlsplit(location)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return Path(location) if not parts.scheme else None


def shown(location: str) -> str:
    """A location as people read it: this machine's as a path."""
    return str(path_of(location) or location)


def _on_this_machine(config: Config) -> list[State]:
    if not isinstance(state_folder(config), Path):
        return []
    return [
        State(metadata.parent.as_uri(), metadata.stat().st_mtime_ns // 1_000_000)
        for folder in (checkpoints(config), savepoints(config))
        if folder.is_dir()
        for metadata in folder.rglob(_METADATA)
        if metadata.stat().st_size > 0
    ]
