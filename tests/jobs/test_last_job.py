"""What is known of state that lies out of this machine's sight, and when too little is known to go on."""

from pathlib import Path
from typing import Any

import pytest

from jobs.config import Config
from jobs.config_load import load_config
from jobs.flink_rest import FlinkRest
from jobs.last_job import (
    JobUnfinished,
    LastJob,
    StateUnknown,
    known_states,
    note_cancelled,
    read_last_job,
    require_ended,
    states_left,
    states_of,
    write_last_job,
)
from jobs.resume import State


class Cluster(FlinkRest):
    """A cluster that knows `jobs`: id -> (state, the answer of its checkpoints)."""

    def __init__(self, jobs: dict[str, tuple[str, dict[str, Any]]]) -> None:
        super().__init__("http://127.0.0.1:1", "test")
        self._jobs = jobs

    def jobs(self) -> list[dict[str, Any]]:
        return [{"jid": job_id, "name": "default", "state": state} for job_id, (state, _) in self._jobs.items()]

    def checkpoints(self, job_id: str) -> dict[str, Any]:
        return self._jobs[job_id][1]


def saved(location: str, at_ms: int, *, discarded: bool = False) -> dict[str, Any]:
    return {"external_path": location, "latest_ack_timestamp": at_ms, "discarded": discarded}


def latest(completed: dict[str, Any] | None, savepoint: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"latest": {"completed": completed, "savepoint": savepoint}}


@pytest.fixture
def remote(tmp_path: Path) -> Config:
    return load_config(None, {}, tmp_path, {"stack.data_dir": str(tmp_path), "job.state_dir": "s3://bucket"})


def test_a_job_is_remembered_as_it_was(remote: Config) -> None:
    assert read_last_job(remote) is None
    last = LastJob("a1", 5, "s3://bucket/x", "s3://bucket/y", 7)
    write_last_job(remote, last)
    assert read_last_job(remote) == last


def test_a_jobs_newest_checkpoint_and_savepoint_can_be_gone_on_from_unless_they_were_discarded() -> None:
    assert states_of(latest(None)) == []
    assert states_of(latest(saved("s3://c", 4), saved("s3://s", 9))) == [State("s3://c", 4), State("s3://s", 9)]
    assert states_of(latest(saved("s3://c", 4, discarded=True))) == []


def test_the_savepoint_of_the_last_stop_is_known_without_the_cluster(remote: Config) -> None:
    write_last_job(remote, LastJob("a1", 5, None, "s3://bucket/y", 7))
    assert known_states(remote, Cluster({})) == [State("s3://bucket/y", 7)]


def test_what_the_cluster_knows_of_jobs_that_ended_is_known_and_nothing_of_one_that_runs(remote: Config) -> None:
    jobs = {"a1": ("CANCELED", latest(saved("s3://a", 3))), "a2": ("RUNNING", latest(saved("s3://b", 9)))}
    assert known_states(remote, Cluster(jobs)) == [State("s3://a", 3)]


def test_a_last_job_of_unknown_end_is_no_reason_to_go_on_from_older_state(remote: Config) -> None:
    write_last_job(remote, LastJob("a9", 5, "s3://bucket/before"))
    with pytest.raises(StateUnknown, match="a9") as refused:
        known_states(remote, Cluster({"a1": ("CANCELED", latest(saved("s3://a", 3)))}))
    assert (refused.value.exit_code, "--from" in refused.value.hint) == (3, True)


def test_a_last_job_that_ended_before_its_first_checkpoint_leaves_what_it_began_with(remote: Config) -> None:
    write_last_job(remote, LastJob("a9", 5, "s3://bucket/before"))
    assert known_states(remote, Cluster({"a9": ("FAILED", latest(None))})) == [State("s3://bucket/before", 5)]


def test_on_this_machine_only_a_savepoint_put_elsewhere_has_to_be_remembered_and_only_while_it_is_there(tmp_path: Path) -> None:
    here = load_config(None, {}, tmp_path, {"stack.data_dir": str(tmp_path)})
    place = tmp_path / "elsewhere"
    write_last_job(here, LastJob("a1", 5, None, place.as_uri(), 7))
    assert known_states(here, Cluster({})) == []
    place.mkdir()
    (place / "_metadata").write_bytes(b"x")
    assert known_states(here, Cluster({})) == states_left(here) == [State(place.as_uri(), 7)]


def test_a_job_that_never_saved_anything_leaves_the_savepoint_elsewhere_that_it_began_with(tmp_path: Path) -> None:
    here, place = load_config(None, {}, tmp_path, {"stack.data_dir": str(tmp_path)}), tmp_path / "elsewhere"
    place.mkdir()
    (place / "_metadata").write_bytes(b"x")
    write_last_job(here, LastJob("a2", 9, place.as_uri(), is_cancelled=True))
    assert known_states(here, Cluster({})) == states_left(here) == [State(place.as_uri(), 9)]


def test_beside_a_job_that_may_go_on_on_its_cluster_none_is_started(remote: Config) -> None:
    require_ended(remote)
    write_last_job(remote, LastJob("a9", 5, None))
    with pytest.raises(JobUnfinished, match="a9") as refused:
        require_ended(remote)
    assert (refused.value.exit_code, "tickloom job stop" in refused.value.hint) == (3, True)
    write_last_job(remote, LastJob("a9", 5, None, "s3://bucket/y", 7))
    require_ended(remote)


def test_a_cancelled_job_has_ended(remote: Config) -> None:
    write_last_job(remote, LastJob("a9", 5, "s3://bucket/before"))
    note_cancelled(remote, "a9")
    require_ended(remote)
    assert read_last_job(remote) == LastJob("a9", 5, "s3://bucket/before", is_cancelled=True)
