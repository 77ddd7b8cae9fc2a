import json
from pathlib import Path

import pytest

from connectors.keys import KeyRing, Scope
from jobs.cli.main import run


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_key_is_written_once_to_stdout_and_nowhere_else(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["keys", "add", "feed-a", "--scope", "ingest", "--scope", "read"]) == 0
    out, err = capsys.readouterr()
    text = out.strip()
    assert text not in err
    key = KeyRing(folder / ".tickloom" / "keys.json").find(text, Scope.INGEST)
    assert key is not None
    assert (key.name, key.scopes) == ("feed-a", ("ingest", "read"))
    for command in (["keys", "list"], ["keys", "list", "--json"], ["config", "show"], ["config", "show", "--json"]):
        assert run(command) == 0
        out, err = capsys.readouterr()
        assert text[14:] not in out + err
        assert key.hash not in out + err
    assert [file for file in folder.rglob("*") if file.is_file() and text.encode() in file.read_bytes()] == []


def test_keys_are_listed_and_revoked(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("feed-a", "feed-a", "charts"):
        run(["keys", "add", name, "--scope", "read"])
    capsys.readouterr()
    assert run(["keys", "list", "--json"]) == 0
    first, second, third = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in (first, second, third)] == ["feed-a", "feed-a", "charts"]
    assert run(["keys", "revoke", first["id"]]) == 0
    assert run(["keys", "revoke", "charts", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[1])[0]["id"] == third["id"]
    assert run(["keys", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [second]
    assert run(["keys", "revoke", "nobody"]) == 1
    assert "there is no key nobody" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["feed-a"], ["feed-a", "--scope", "write"], ["a b", "--scope", "read"]])
def test_a_key_needs_a_name_and_known_scopes(arguments: list[str], folder: Path) -> None:
    assert run(["keys", "add", *arguments]) == 2
    assert not (folder / ".tickloom").exists()


def test_a_file_that_is_none_of_keys_is_an_error_with_its_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "keys.json").write_text("nonsense")
    assert run(["--set", "stack.keys=keys.json", "keys", "list"]) == 3
    assert "keys.json" in capsys.readouterr().err
