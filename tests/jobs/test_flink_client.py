"""What a submission tells Flink's client: where the cluster is, which Python runs there, and what goes with the job."""

import sys
import sysconfig
from pathlib import Path

import pytest

from jobs.config import Config
from jobs.config_load import load_config
from jobs.errors import DependencyMissing
from jobs.flink_client import client_settings, cluster_python, missing_jars
from jobs.shipping import Shipment

SHIPMENT = Shipment(Path("/out/tickloom-1.zip"), ("udfs",))


def config(folder: Path, **settings: str) -> Config:
    return load_config(None, {}, folder, {key.replace("__", "."): value for key, value in settings.items()})


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://flink:8081", {"rest.address": "flink", "rest.port": "8081"}),
        ("http://flink", {"rest.address": "flink", "rest.port": "80"}),
        ("https://flink/blue", {"rest.port": "443", "rest.path": "/blue", "security.ssl.rest.enabled": "true"}),
    ],
)
def test_the_cluster_is_where_flink_rest_says(tmp_path: Path, address: str, expected: dict[str, str]) -> None:
    settings = client_settings(config(tmp_path, job__flink_rest=address), SHIPMENT, [])
    assert expected.items() <= settings.items()
    assert (settings["execution.target"], settings["python.files"]) == ("remote", "/out/tickloom-1.zip")
    assert {"rest.path", "security.ssl.rest.enabled", "pipeline.jars"} & settings.keys() == expected.keys() - {"rest.address", "rest.port"}


def test_our_own_packages_come_with_the_job_and_from_nowhere_else(tmp_path: Path) -> None:
    here = cluster_python(config(tmp_path))
    assert here == {"python.executable": sys.executable, "python.pythonpath": sysconfig.get_paths()["purelib"]}


def test_a_python_of_the_clusters_machines_brings_the_packages_beside_it(tmp_path: Path) -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    there = cluster_python(config(tmp_path, job__python="/opt/tickloom/bin/python"))
    assert there == {"python.executable": "/opt/tickloom/bin/python", "python.pythonpath": f"/opt/tickloom/lib/{version}/site-packages"}
    assert cluster_python(config(tmp_path, job__python="python3")) == {"python.executable": "python3", "python.pythonpath": ""}


def test_only_jars_that_the_cluster_lacks_go_with_the_job(tmp_path: Path, jars: Path) -> None:
    ours = config(tmp_path, stack__jars=str(jars))
    python, kafka = "/lib/flink-python-2.3.0.jar", "lib/flink-sql-connector-kafka-5.0.0-2.2.jar"
    assert missing_jars(ours, ["/lib/flink-dist-2.3.0.jar", python, kafka]) == []
    (missing,) = missing_jars(ours, [python])
    assert missing.name.startswith("flink-sql-connector-kafka")
    assert len(missing_jars(ours, [])) == 2
    assert client_settings(ours, SHIPMENT, [missing])["pipeline.jars"] == missing.as_uri()


def test_jars_that_are_needed_and_not_there_are_a_missing_dependency(tmp_path: Path) -> None:
    with pytest.raises(DependencyMissing, match="flink-sql-connector-kafka"):
        missing_jars(config(tmp_path, stack__jars=str(tmp_path)), [])
