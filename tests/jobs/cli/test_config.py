import json
import tomllib
from pathlib import Path

import pytest

from jobs.cli.main import run

TOML = (
    '[kafka]\noptions = {"security.protocol" = "SASL_SSL", "sasl.mechanism" = "PLAIN", "sasl.username" = "me", "sasl.password" = "hush"}\n'
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tickloom.toml").write_text(TOML)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_show_is_toml_with_every_key_and_no_secret(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "show", "--origin"]) == 0
    said = capsys.readouterr().out
    shown = tomllib.loads(said)
    assert shown["bars"]["time_frames"] == ["1min", "5min", "15min", "1hour", "1day"]
    assert shown["kafka"]["options"]["sasl.username"] == "me"
    assert "hush" not in said
    assert any(line.startswith("options") and line.endswith("# tickloom.toml:2") for line in said.splitlines())


def test_show_as_json_says_who_set_what(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKLOOM__LIVE__ENABLED", "false")
    assert run(["--set", "job.parallelism=2", "config", "show", "--origin", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["live.enabled"] == {"value": False, "origin": "TICKLOOM__LIVE__ENABLED"}
    assert said["job.parallelism"] == {"value": 2, "origin": "--set job.parallelism"}
    assert said["kafka.options"]["value"]["sasl.password"] == "********"


def test_a_secret_out_of_a_file_is_masked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "secret").write_text("hush")
    assert run(["--set", "kafka.topic_prefix_file=secret", "config", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kafka.topic_prefix"] == "********"


def test_check_is_content_with_a_valid_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "check"]) == 0
    assert "valid: 1 key set" in capsys.readouterr().err
