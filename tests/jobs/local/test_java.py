import os
from pathlib import Path

import pytest

from jobs.errors import DependencyMissing
from jobs.local.java import find_java, java_version


def fake_java(home: Path, version: str) -> Path:
    """A `java` that says it is `version`, as an installation of another version would."""
    command = home / "bin" / "java"
    command.parent.mkdir(parents=True)
    command.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2024-01-01' >&2\n")
    command.chmod(0o755)
    return home


def test_a_supported_java_is_found_here() -> None:
    found = find_java(os.environ)
    assert found.version in (17, 21)
    assert java_version(found.executable) == found.version


def test_java_home_comes_first_and_an_unsupported_one_is_passed_over(tmp_path: Path) -> None:
    old = fake_java(tmp_path / "old", "1.8.0_412")
    new = fake_java(tmp_path / "new", "21.0.2")
    assert find_java({"JAVA_HOME": str(old), "PATH": str(new / "bin")}) == (new, 21)
    assert find_java({"JAVA_HOME": str(new), "PATH": str(old / "bin")}) == (new, 21)


def test_without_any_the_one_of_the_package_serves() -> None:
    assert find_java({"PATH": ""}).version == 21


def test_when_there_is_none_it_says_what_was_found_and_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DependencyMissing, match="version 11") as error:
        find_java({"JAVA_HOME": str(fake_java(tmp_path, "11.0.2")), "PATH": ""})
    assert "openjdk-17" in error.value.hint
