"""Where a job goes on from: the newest complete state, and never silently from the beginning beside results."""

import os
from pathlib import Path

import pytest

from jobs.config import Config
from jobs.config_load import load_config
from jobs.errors import ConfigError
from jobs.flink_settings import settings_file
from jobs.resume import Beginning, State, WouldRecompute, beginning, newest_state, note_fresh_start, path_of, shown
from jobs.state_settings import keep_settings


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return stack(tmp_path)


def stack(folder: Path, start: str = "resume", **settings: str) -> Config:
    given = {key.replace("__", "."): value for key, value in settings.items()}
    return load_config(None, {}, folder, {"stack.data_dir": str(folder), "job.start": start, **given})


def save(folder: Path, name: str, at_s: int, metadata: bytes = b"x") -> State:
    """A savepoint or checkpoint in the data folder."""
    place = folder / "flink" / name
    place.mkdir(parents=True)
    (place / "_metadata").write_bytes(metadata)
    os.utime(place / "_metadata", (at_s, at_s))
    return State(place.as_uri(), at_s * 1_000)


def test_without_any_state_there_is_nothing_to_go_on_from(config: Config) -> None:
    assert newest_state(config) is None
    assert beginning(config, fresh=False, results_topic="r", has_results=False) == Beginning(None, "earliest")


def test_the_newest_of_savepoints_and_checkpoints_counts(config: Config, tmp_path: Path) -> None:
    save(tmp_path, "checkpoints/a/chk-7", 100)
    newest = save(tmp_path, "savepoints/savepoint-1", 300)
    save(tmp_path, "checkpoints/b/chk-1", 200)
    assert newest_state(config) == newest
    assert beginning(config, fresh=False, results_topic="r", has_results=True) == Beginning(newest.location, "earliest")


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


def test_what_was_saved_before_a_fresh_start_is_not_gone_on_from_though_the_new_run_saved_nothing_yet(
    config: Config, tmp_path: Path
) -> None:
    save(tmp_path, "checkpoints/a/chk-7", 100)
    note_fresh_start(config, 200_000)
    assert newest_state(config, [State("s3://bucket/older", 199_999)]) is None
    with pytest.raises(WouldRecompute, match="made since the last fresh start"):
        beginning(config, fresh=False, results_topic="r", has_results=True)
    newer = save(tmp_path, "checkpoints/b/chk-1", 201)
    assert beginning(config, fresh=False, results_topic="r", has_results=True) == Beginning(newer.location, "earliest")


def test_a_state_that_cannot_be_read_as_configured_is_refused_and_other_rules_of_counting_are_told(config: Config, tmp_path: Path) -> None:
    saved = save(tmp_path, "checkpoints/a/chk-7", 100)
    keep_settings(config, settings_file(config))
    with pytest.raises(ConfigError, match=r"ticks\.price_decimals: it is 4, and the state was made with 8"):
        beginning(stack(tmp_path, ticks__price_decimals="4"), fresh=False, results_topic="r", has_results=True)
    assert beginning(stack(tmp_path, ticks__price_decimals="4"), fresh=True, results_topic="r", has_results=True).restore is None
    begin = beginning(stack(tmp_path, ticks__max_future="9s"), fresh=False, results_topic="r", has_results=True)
    assert begin == Beginning(saved.location, "earliest", ("ticks.max_future",))
    assert str(begin).startswith(f"going on from {shown(saved.location)}; ticks.max_future changed: tickloom verify")


@pytest.mark.parametrize(("start", "begins"), [("earliest", "earliest"), ("latest", "latest"), ("2026-11-02T14:30:00Z", "1793629800000")])
def test_a_start_asked_for_is_where_a_job_without_state_begins(tmp_path: Path, start: str, begins: str) -> None:
    config = stack(tmp_path, start)
    assert beginning(config, fresh=False, results_topic="r", has_results=False) == Beginning(None, begins)
    assert beginning(config, fresh=True, results_topic="r", has_results=True) == Beginning(None, begins)


def test_state_known_from_elsewhere_counts_by_its_age(config: Config, tmp_path: Path) -> None:
    here = save(tmp_path, "savepoints/savepoint-1", 300)
    older, newer = State("s3://bucket/older", 299_999), State("s3://bucket/newer", 300_001)
    assert newest_state(config, [older]) == here
    assert newest_state(config, [older, newer]) == newer


def test_state_in_another_file_system_is_not_looked_for_on_this_machine(tmp_path: Path) -> None:
    save(tmp_path, "savepoints/savepoint-1", 300)
    config = stack(tmp_path, job__state_dir="s3://bucket/tickloom")
    assert newest_state(config) is None
    with pytest.raises(WouldRecompute, match="s3://bucket/tickloom/default holds no checkpoint"):
        beginning(config, fresh=False, results_topic="r", has_results=True)


def test_state_in_a_folder_of_this_machine_is_kept_apart_by_the_stacks_name(tmp_path: Path) -> None:
    saved = save(tmp_path, "../shared/blue/savepoints/savepoint-1", 300)
    given = {"job__state_dir": str(tmp_path / "shared")}
    (tmp_path / "flink").mkdir(exist_ok=True)
    assert newest_state(stack(tmp_path, stack__name="blue", **given)) == State(
        (tmp_path / "shared/blue/savepoints/savepoint-1").as_uri(), saved.made_ms
    )
    assert newest_state(stack(tmp_path, stack__name="green", **given)) is None


def test_locations_of_this_machine_are_shown_as_paths_and_others_as_they_are() -> None:
    assert [shown(each) for each in ("file:/a/b", "file:///a/b%20c", "/a", "s3://b/c")] == ["/a/b", "/a/b c", "/a", "s3://b/c"]
    assert (path_of("hdfs://host:1/a"), path_of("file:/a")) == (None, Path("/a"))
