"""What is remembered of the job last submitted to a cluster: where it saved its state may be out of this machine's sight."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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
    file = _file(config)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(last)))
    fresh.replace(file)


def known_states(config: Config, rest: FlinkRest) -> list[State]:
    """State that is not found in a folder of this machine: by what was remembered, and by what the cluster knows of ended jobs.

    Raises StateUnknown when the newest may be missing from it, Unreachable and JobsError.
    """
    last = read_last_job(config)
    stopped = [State(last.savepoint, last.saved_ms)] if last and last.savepoint and _may_be_there(last.savepoint) else []
    if isinstance(state_folder(config), Path):
        return stopped
    ended = [job["jid"] for job in rest.jobs() if job["name"] == config.stack.name and job["state"] in ENDED]
    states = [*stopped, *(state for job_id in ended for state in states_of(rest.checkpoints(job_id)))]
    if last and not last.savepoint:
        if last.job_id not in ended:
            raise StateUnknown(last.job_id, state_folder(config))
        if last.restored:
            states.append(State(last.restored, 0))
    return states


def states_of(checkpoints: dict[str, Any]) -> list[State]:
    """What a job's checkpoints, as Flink's REST API tells them, leave to go on from."""
    newest = (checkpoints["latest"]["completed"], checkpoints["latest"]["savepoint"])
    return [State(one["external_path"], int(one["latest_ack_timestamp"])) for one in newest if one and not one["discarded"]]


def _may_be_there(location: str) -> bool:
    path = path_of(location)
    return path is None or (path / "_metadata").exists()


def _file(config: Config) -> Path:
    return config.stack.data_dir / "flink" / "last_job.json"
