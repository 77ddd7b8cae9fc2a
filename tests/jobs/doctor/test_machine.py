import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.config import Config
from jobs.config_load import load_config
from jobs.doctor.findings import Finding, Verdict
from jobs.doctor.machine import addresses, charts, disk, jars, java, port, python
from jobs.local.assets import REQUIRED
from jobs.local.run_folder import RunFolder


def config_of(folder: Path, **settings: object) -> Config:
    return load_config(None, {}, folder, {key.replace("__", "."): str(value) for key, value in settings.items()})


@pytest.fixture
def held() -> Iterator[str]:
    """An address that this process listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def look(config: Config, address: str) -> Finding:
    return port(config, "job.flink_rest", address)


def test_this_python_can_run_the_job() -> None:
    assert python().verdict is Verdict.OK, python()


def test_java_is_named_with_its_version() -> None:
    found = java(os.environ)
    assert (found.verdict, found.said[:2]) == (Verdict.OK, found.said.split()[0])


def test_jars_that_are_missing_are_wrong_and_set_up_helps(tmp_path: Path, jars: Path) -> None:
    missing = _jars(tmp_path, tmp_path / "none")
    assert (missing.verdict, missing.hint) == (Verdict.WRONG, "tickloom setup")
    assert _jars(tmp_path, jars).verdict is Verdict.OK


def _jars(folder: Path, place: Path) -> Finding:
    return jars(config_of(folder, stack__jars=place))


def test_a_chart_library_that_is_missing_is_a_warning(tmp_path: Path) -> None:
    missing = charts(config_of(tmp_path))
    assert (missing.verdict, missing.hint) == (Verdict.WARNING, "tickloom setup")
    assert "lightweight-charts" in missing.said
    (tmp_path / ".assets").mkdir()
    for name in REQUIRED:
        (tmp_path / ".assets" / name).touch()
    assert charts(config_of(tmp_path)).verdict is Verdict.OK


def test_a_port_held_by_somebody_else_is_wrong_and_he_is_named(tmp_path: Path, held: str) -> None:
    found = look(config_of(tmp_path), held)
    assert found.verdict is Verdict.WRONG
    assert f"held by process {os.getpid()}" in found.said
    assert "(job.flink_rest, default)" in found.said


def test_a_port_held_by_this_stack_is_fine(tmp_path: Path, held: str) -> None:
    config = config_of(tmp_path)
    with RunFolder(config.stack.data_dir).claimed():
        assert look(config, held).verdict is Verdict.OK


def test_a_free_port_is_fine(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        free = f"127.0.0.1:{server.getsockname()[1]}"
    assert look(config_of(tmp_path), free).verdict is Verdict.OK


def test_the_embedded_brokers_ports_are_looked_at_and_a_foreign_ones_are_not(tmp_path: Path) -> None:
    embedded = addresses(config_of(tmp_path, kafka__listen="127.0.0.1:19092"))
    assert {"127.0.0.1:19092", "127.0.0.1:19093", "127.0.0.1:8081"} <= set(embedded.values())
    elsewhere = addresses(config_of(tmp_path, kafka__bootstrap="elsewhere:9092", job__flink_rest="http://192.0.2.1:8081", job__metrics=""))
    assert set(elsewhere) == {"gateway.listen", "gateway.admin", "delivery.listen"}


def test_a_disk_that_what_is_kept_does_not_fit_on_is_a_warning(tmp_path: Path) -> None:
    assert disk(config_of(tmp_path, retention__stock_data="1MiB", retention__indicator_results="1MiB")).verdict is Verdict.OK
    full = disk(config_of(tmp_path, retention__stock_data="1000TiB"))
    assert full.verdict is Verdict.WARNING
    assert "topics may grow by" in full.said
    assert disk(config_of(tmp_path, retention__stock_data="1000TiB", kafka__bootstrap="elsewhere:9092")).verdict is Verdict.OK
