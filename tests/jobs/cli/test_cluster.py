from pathlib import Path

import pytest

from jobs.cli.main import run


def options(folder: Path, **settings: str) -> list[str]:
    given = {"stack.data_dir": str(folder), **{key.replace("__", "."): value for key, value in settings.items()}}
    return [option for key, value in given.items() for option in ("--set", f"{key}={value}")]


def test_down_is_content_when_there_is_nothing_to_stop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*options(tmp_path), "cluster", "down"]) == 0
    assert capsys.readouterr().err == "nothing was running\n"


def test_a_cluster_of_another_machine_cannot_be_started_from_here(tmp_path: Path, jars: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = options(tmp_path, stack__jars=str(jars), job__flink_rest="http://flink.example:8081", job__metrics="")
    assert run([*settings, "cluster", "up"]) == 3
    assert "job.flink_rest" in capsys.readouterr().err
