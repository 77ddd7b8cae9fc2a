from pathlib import Path

import pytest

from jobs.cli.main import run


@pytest.mark.parametrize(("command", "why"), [("jq 'x", "No closing quotation"), (" ", "no command"), ("", "no command")])
def test_a_command_that_is_none_cannot_edit(
    command: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["dlq", "replay", "--dry-run", "--edit", command]) == 2
    err = capsys.readouterr().err
    assert "--edit" in err
    assert why in err
