"""What is remembered of the job last submitted to a cluster: where it saved its state may be out of this machine's sight."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from jobs.atomic_file import write_whole
from jobs.config import Config
from jobs.errors import JobsError
from jobs.flink_rest import ENDED, FlinkRest
from jobs.flink_settings import state_folder
from jobs.resume import State, path_of


@dataclass(frozen=True, slots=True)
class LastJob:
    """One submission, and the savepoint it was stopped with, if it was."""

    job_id: str
    submitted_ms: int
    restored: str | None
    """What it went on from."""
    savepoint: str | None = None
    saved_ms: int = 0
    is_cancelled: bool = False
    """It was ended without a savepoint."""

    @property
    def has_ended(self) -> bool:
        """Whether it was told to end. Any other goes on when its cluster does, be it after a week."""
        return self.savepoint is not None or self.is_cancelled

    @property
    def leaves(self) -> list[State]:
        """What can be gone on from: the savepoint it was stopped with, else what it began with, in case it came to no checkpoint."""
        state = State(self.savepoint, self.saved_ms) if self.savepoint else State(self.restored or "", self.submitted_ms)
        return [state] if state.location and _may_be_there(state.location) else []


class JobUnfinished(JobsError):
    """The last submitted job may run, or run again, on its cluster: beside another one it would say everything twice. Exit 3."""

    exit_code = 3

    def __init__(self, job_id: str, file: Path) -> None:
        super().__init__(
            f"the job {job_id} was submitted to a cluster and not stopped: it goes on when the cluster does",
            f"tickloom up --no-job and tickloom cluster up, then tickloom job stop; if that cluster is gone for good, remove {file}",
        )


class StateUnknown(JobsError):
    """The last job saved its state somewhere, and nobody knows where. Exit 3: going on from older state would say results again."""

    exit_code = 3

    def __init__(self, job_id: str, place: object) -> None:
        super().__init__(
            f"the last job ({job_id}) was not stopped with a savepoint, and the cluster does not know it any more",
            f"tickloom job submit --from CHECKPOINT (look in {place}), or --fresh",
        )


def read_last_job(config: Config) -> LastJob | None:
    """The job last submitted from this data folder; None when there was none."""
    file = _file(config)
    return LastJob(**json.loads(file.read_text())) if file.exists() else None


def write_last_job(config: Config, last: LastJob) -> None:
    """Remember `last`."""
    write_whole(_file(config), json.dumps(asdict(last)))


def note_cancelled(config: Config, job_id: str) -> None:
    """Remember that the job was ended without a savepoint."""
    last = read_last_job(config)
    if last is None or last.job_id != job_id:
        last = LastJob(job_id, 0, None)
    write_last_job(config, replace(last, is_cancelled=True))


def require_ended(config: Config) -> None:
    """Raise JobUnfinished unless the last submitted job was stopped or cancelled: for a job that is not submitted to its cluster."""
    last = read_last_job(config)
    if last is not None and not last.has_ended:
        raise JobUnfinished(last.job_id, _file(config))


def states_left(config: Config) -> list[State]:
    """What the last submitted job leaves to go on from, wherever it lies."""
    last = read_last_job(config)
    return last.leaves if last else []


def known_states(config: Config, rest: FlinkRest) -> list[State]:
    """State that is not found in a folder of this machine: by what was remembered, and by what the cluster knows of ended jobs.

    Raises StateUnknown when the newest may be missing from it, Unreachable and JobsError.
    """
    last = read_last_job(config)
    left = last.leaves if last else []
    if isinstance(state_folder(config), Path):
        return left
    ended = [job["jid"] for job in rest.jobs() if job["name"] == config.stack.name and job["state"] in ENDED]
    if last and not last.savepoint and last.job_id not in ended:
        raise StateUnknown(last.job_id, state_folder(config))
    return [*left, *(state for job_id in ended for state in states_of(rest.checkpoints(job_id)))]


def states_of(checkpoints: dict[str, Any]) -> list[State]:
    """What a job's checkpoints, as Flink's REST API tells them, leave to go on from."""
    newest = (checkpoints["latest"]["completed"], checkpoints["latest"]["savepoint"])
    return [State(one["external_path"], int(one["latest_ack_timestamp"])) for one in newest if one and not one["discarded"]]


def _may_be_there(location: str) -> bool:
    path = path_of(location)
    return path is None or (path / "_metadata").exists()


def _file(config: Config) -> Path:
    return config.stack.data_dir / "flink" / "last_job.json"
