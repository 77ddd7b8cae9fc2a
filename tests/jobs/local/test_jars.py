from pathlib import Path

import pytest

from jobs.errors import DependencyMissing
from jobs.local.jars import broker_classpath, connector_jar, install_jars, require_jars

NAMES = ("kafka_2.13-4.3.0.jar", "kafka-clients-4.3.0.jar", "log4j-slf4j-impl-2.25.4.jar", "flink-sql-connector-kafka-5.0.0-2.2.jar")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "usb"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_bytes(name.encode())
    return folder


def test_a_folder_of_jars_is_taken_over_and_then_complete(tmp_path: Path, source: Path) -> None:
    jars = tmp_path / "jars"
    assert install_jars(jars, source)
    assert sorted(file.name for file in jars.glob("*.jar")) == sorted(NAMES)
    assert not install_jars(jars)
    assert connector_jar(jars).name == NAMES[-1]
    assert "connector" not in broker_classpath(jars)


def test_an_incomplete_folder_is_refused_and_leaves_what_was_there(tmp_path: Path, source: Path) -> None:
    jars = tmp_path / "jars"
    install_jars(jars, source)
    (source / NAMES[0]).unlink()
    with pytest.raises(DependencyMissing, match=r"lacks kafka_2\.13"):
        install_jars(jars, source)
    assert require_jars(jars) == jars


def test_without_jars_the_command_to_get_them_is_named(tmp_path: Path) -> None:
    with pytest.raises(DependencyMissing) as error:
        require_jars(tmp_path / "nowhere")
    assert (error.value.hint, error.value.exit_code) == ("tickloom setup", 4)


def test_without_maven_the_command_to_install_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DependencyMissing) as error:
        install_jars(tmp_path / "jars")
    assert "apt-get install maven" in error.value.hint
