"""Where a job goes on from: the newest complete state, and never silently from the beginning beside results."""

import os
from pathlib import Path

import pytest

from jobs.config import Config
from jobs.config_load import load_config
from jobs.local.resume import Beginning, WouldRecompute, beginning, newest_state


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return stack(tmp_path)


def stack(folder: Path, start: str = "resume") -> Config:
    return load_config(None, {}, folder, {"stack.data_dir": str(folder), "job.start": start})


def save(folder: Path, name: str, at_s: int, metadata: bytes = b"x") -> Path:
    place = folder / "flink" / name
    place.mkdir(parents=True)
    (place / "_metadata").write_bytes(metadata)
    os.utime(place / "_metadata", (at_s, at_s))
    return place


def test_without_any_state_there_is_nothing_to_go_on_from(config: Config) -> None:
    assert newest_state(config) is None
    assert beginning(config, fresh=False, results_topic="r", has_results=False) == Beginning(None, "earliest")


def test_the_newest_of_savepoints_and_checkpoints_counts(config: Config, tmp_path: Path) -> None:
    save(tmp_path, "checkpoints/a/chk-7", 100)
    newest = save(tmp_path, "savepoints/savepoint-1", 300)
    save(tmp_path, "checkpoints/b/chk-1", 200)
    assert newest_state(config) == newest
    assert beginning(config, fresh=False, results_topic="r", has_results=True).restore == newest


def test_state_that_was_never_finished_does_not_count(config: Config, tmp_path: Path) -> None:
    complete = save(tmp_path, "checkpoints/a/chk-7", 100)
    save(tmp_path, "checkpoints/a/chk-8", 200, metadata=b"")
    (tmp_path / "flink/checkpoints/a/chk-9").mkdir()
    assert newest_state(config) == complete


def test_results_without_state_are_not_said_again_by_accident(config: Config, tmp_path: Path) -> None:
    with pytest.raises(WouldRecompute, match="indicator_results") as refused:
        beginning(config, fresh=False, results_topic="indicator_results", has_results=True)
    assert str(tmp_path) in str(refused.value)
    assert "--fresh" in refused.value.hint


def test_a_fresh_start_leaves_the_state_aside(config: Config, tmp_path: Path) -> None:
    save(tmp_path, "checkpoints/a/chk-7", 100)
    assert beginning(config, fresh=True, results_topic="r", has_results=True) == Beginning(None, "earliest")


@pytest.mark.parametrize("start", ["earliest", "latest", "2026-11-02T14:30:00Z"])
def test_a_start_asked_for_is_where_a_job_without_state_begins(tmp_path: Path, start: str) -> None:
    config = stack(tmp_path, start)
    assert beginning(config, fresh=False, results_topic="r", has_results=False) == Beginning(None, config.job.start)
    assert beginning(config, fresh=True, results_topic="r", has_results=True) == Beginning(None, config.job.start)
