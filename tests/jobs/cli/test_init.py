from pathlib import Path

import pytest

from jobs.cli.main import run


def test_a_file_is_written_once_and_overwritten_on_request_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init"]) == 0
    assert run(["config", "check"]) == 0
    (tmp_path / "tickloom.toml").write_text("[kafka]\npartitions = 3\n")
    assert run(["init"]) == 1
    said = capsys.readouterr().err
    assert "tickloom: tickloom.toml is there already\ntry: tickloom init --force tickloom.toml" in said
    assert "partitions = 3" in (tmp_path / "tickloom.toml").read_text()
    assert run(["init", "--force"]) == 0
    assert "partitions = 8" in (tmp_path / "tickloom.toml").read_text()


def test_another_file_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "other.toml"]) == 0
    assert run(["--config", "other.toml", "config", "check"]) == 0
    assert not (tmp_path / "tickloom.toml").exists()
