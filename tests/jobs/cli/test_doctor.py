import json
from pathlib import Path

import pytest

from jobs.cli.main import run


def test_what_is_wrong_is_exit_6_and_says_what_to_try(
    tmp_path: Path, jars: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--set", f"stack.jars={jars}", "--set", "job.flink_rest=http://127.0.0.1:1", "--set"]
    assert run([*options, "kafka.bootstrap=127.0.0.1:1", "doctor"]) == 6
    said = capsys.readouterr().out
    assert "wrong       Kafka: cannot reach Kafka at 127.0.0.1:1" in said
    assert "            try: check the address" in said
    assert "not checked job: no job is running" in said


def test_it_can_be_read_by_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["--set", "kafka.bootstrap=127.0.0.1:1", "doctor", "--json"]) == 6
    findings = json.loads(capsys.readouterr().out)
    jars = next(finding for finding in findings if finding["check"] == "jars")
    assert (jars["verdict"], jars["hint"]) == ("wrong", "tickloom setup")
