import json
import sys
from pathlib import Path

import pytest

from jobs.cli.main import run
from tests.docs.markdown import ROOT
from udfs.indicators import DEFAULT_LABELS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_the_configured_indicators_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["indicators", "ls"]) == 0
    table = capsys.readouterr().out
    assert [line.split()[0] for line in table.splitlines()[1:]] == list(DEFAULT_LABELS)
    assert run(["--set", "indicators.RSI=rsi( 21 )", "indicators", "ls", "--json"]) == 0
    listed = {each["label"]: each for each in json.loads(capsys.readouterr().out)}
    rsi = {"label": "RSI", "spec": "rsi(21)", "outputs": [], "bars_needed": 22, "pane": "own", "levels": [30.0, 70.0]}
    assert listed["RSI"] == rsi
    assert listed["MACD"]["outputs"] == ["macd", "signal", "histogram"]


def test_an_indicator_that_keeps_every_promise_is_exit_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["indicators", "check", "rsi(3)"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "rsi(3)"
    assert len(said) > 5
    assert all(line.startswith("  ok ") for line in said[1:])


def test_a_broken_promise_is_exit_6_and_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    early = "tests.udfs.indicators.test_contract:Early(3)"
    assert run(["indicators", "check", "rsi(3)", early]) == 6
    said = capsys.readouterr().out
    assert "  broken  warm-up\n          bar 2 of an ordinary series gives None, bars_needed is 2\n" in said
    assert run(["indicators", "check", early, "--json"]) == 6
    (finding,) = json.loads(capsys.readouterr().out)[early]
    assert finding["check"] == "warm-up"


def test_one_that_cannot_be_made_breaks_the_promise_of_its_spec(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["indicators", "check", "udfs.model:Bar"]) == 6
    assert "  broken  spec\n          udfs.model:Bar is no indicator: it has no outputs" in capsys.readouterr().out


def test_the_module_is_found_in_the_current_directory(folder: Path) -> None:
    """As the installed command, whose own folder stands first on the Python path, finds it."""
    from subprocess import run as run_process

    page = (ROOT / "docs" / "how-to" / "your-own-indicator.md").read_text()
    (folder / "mypkg").mkdir()
    (folder / "mypkg" / "mine.py").write_text(page.partition("```python\n")[2].partition("```")[0])
    command = [str(Path(sys.executable).with_name("tickloom")), "indicators", "check", "mypkg.mine:Mine"]
    done = run_process(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
