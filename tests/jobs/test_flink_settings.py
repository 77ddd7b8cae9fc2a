"""Flink's settings of a job: where its state goes, and how it is taken up again."""

from pathlib import Path

import pytest

from jobs.config import Config
from jobs.config_load import load_config
from jobs.flink_settings import CHECKPOINTS, SAVEPOINTS, checkpoints, job_settings, restore_settings, savepoints, state_uri


def config(folder: Path, **settings: object) -> Config:
    return load_config(None, {}, folder, {"stack.name": "blue", **{key.replace("__", "."): value for key, value in settings.items()}})


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (None, "file://{here}/.tickloom/flink/checkpoints"),
        ("shared", "file://{here}/shared/blue/checkpoints"),
        ("file:///mnt/flink", "file:///mnt/flink/blue/checkpoints"),
        ("s3://bucket/flink/", "s3://bucket/flink/blue/checkpoints"),
    ],
)
def test_state_goes_into_the_data_folder_or_a_folder_of_the_stacks_name(tmp_path: Path, place: str | None, expected: str) -> None:
    found = config(tmp_path, **({} if place is None else {"job__state_dir": place}))
    assert state_uri(found, CHECKPOINTS) == expected.format(here=tmp_path)
    assert job_settings(found)["execution.checkpointing.dir"] == expected.format(here=tmp_path)
    assert job_settings(found)["execution.checkpointing.savepoint-dir"] == state_uri(found, SAVEPOINTS)


def test_checkpoints_and_savepoints_on_this_machine_are_where_the_job_puts_them(tmp_path: Path) -> None:
    here = config(tmp_path, job__state_dir="shared")
    assert checkpoints(here).as_uri() == state_uri(here, CHECKPOINTS)
    assert savepoints(here).as_uri() == state_uri(here, SAVEPOINTS)


@pytest.mark.parametrize(("changelog", "mode"), [(False, "NO_CLAIM"), (True, "CLAIM")])
def test_only_with_a_changelog_flink_takes_a_savepoint_over(tmp_path: Path, changelog: bool, mode: str) -> None:
    found = config(tmp_path, job__changelog=changelog)
    assert job_settings(found)["state.changelog.enabled"] == str(changelog).lower()
    assert restore_settings(found, "/s/savepoint-1") == {
        "execution.state-recovery.path": "/s/savepoint-1",
        "execution.state-recovery.ignore-unclaimed-state": "false",
        "execution.state-recovery.claim-mode": mode,
    }
