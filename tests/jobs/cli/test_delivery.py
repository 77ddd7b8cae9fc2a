"""`tickloom delivery` where it cannot start: what it says, and the code it ends with."""

import socket
from pathlib import Path

import pytest

from jobs.cli.main import run


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_port_open_to_others_without_keys_is_exit_3(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "tickloom.toml").write_text('[delivery]\nlisten = "0.0.0.0:8080"\n')
    assert run(["delivery"]) == 3
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("tickloom: delivery.listen: 0.0.0.0:8080 is open to other machines")
    assert said[0].endswith("(tickloom.toml:2)")
    assert said[1].startswith('try: delivery.auth = "keys"')


def test_a_port_that_is_taken_is_exit_1_and_names_its_key(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert run(["--set", f"delivery.listen={address}", "delivery"]) == 1
    assert f"{address} is in use by another program (delivery.listen, --set delivery.listen)" in capsys.readouterr().err


def test_a_file_of_keys_that_cannot_be_read_is_exit_3(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "keys.json").write_text("{")
    assert run(["--set", "delivery.auth=keys", "--set", "stack.keys=keys.json", "delivery"]) == 3
    assert "keys.json" in capsys.readouterr().err
