"""Where a job goes on from: the newest complete savepoint or checkpoint of the stack, or the beginning."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from jobs.atomic_file import write_whole
from jobs.config import Config
from jobs.errors import JobsError
from jobs.flink_settings import checkpoints, savepoints, settings_file, state_folder
from jobs.state_settings import counting_changed, kept_settings, require_fixed, settings_of, what_it_means

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
    changed: tuple[str, ...] = ()
    """Keys by which ticks count or not that the state was made with otherwise."""

    def __str__(self) -> str:
        where = f"going on from {shown(self.restore)}" if self.restore else f"from {self.start}"
        return f"{where}; {what_it_means(self.changed)}" if self.changed else where


class WouldRecompute(JobsError):
    """There are results, but nothing to go on from: a new job would say everything again. Exit 3: nothing cures it but a decision."""

    exit_code = 3

    def __init__(self, topic: str, place: object, *, since_fresh: bool = False) -> None:
        missing = "made since the last fresh start" if since_fresh else "to go on from"
        super().__init__(
            f"{topic} holds results, but {place} holds no checkpoint {missing}",
            "--fresh, to compute everything again from the earliest tick under a new run",
        )


def newest_state(config: Config, elsewhere: Sequence[State] = ()) -> State | None:
    """The newest complete savepoint or checkpoint, of those on this machine and `elsewhere`. One without its metadata is not complete.

    What is older than a fresh start that was noted does not count.
    """
    since_ms = _fresh_since_ms(config)
    states = (state for state in (*_on_this_machine(config), *elsewhere) if state.made_ms >= since_ms)
    return max(states, key=lambda state: state.made_ms, default=None)


def beginning(config: Config, *, fresh: bool, results_topic: str, has_results: bool, elsewhere: Sequence[State] = ()) -> Beginning:
    """How to start the job as `job.start` says.

    Raises WouldRecompute when that would silently repeat what is there, ConfigError when the state cannot be read as configured.
    """
    state = None if fresh else newest_state(config, elsewhere)
    if state is not None:
        made_with = kept_settings(settings_file(config))
        require_fixed(config, made_with)
        return Beginning(state.location, "earliest", counting_changed(made_with, settings_of(config)))
    if has_results and not fresh:
        raise WouldRecompute(results_topic, state_folder(config), since_fresh=_fresh_since_ms(config) > 0)
    return Beginning(None, start_point(config))


def note_fresh_start(config: Config, now_ms: int) -> None:
    """Remember that a job is begun without state: should it end before it has any, none goes on from what was there before."""
    write_whole(_fresh_note(config), str(now_ms))


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


def _fresh_since_ms(config: Config) -> int:
    """When the job was last begun without state on purpose; 0 when it never was."""
    note = _fresh_note(config)
    return int(note.read_text()) if note.exists() else 0


def _fresh_note(config: Config) -> Path:
    return config.stack.data_dir / "flink" / "fresh_start_ms"


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
