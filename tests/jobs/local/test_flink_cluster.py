import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from jobs.config import Config
from jobs.config_load import load_config
from jobs.errors import AlreadyRunning
from jobs.local.flink_cluster import class_path, cluster_parts, unfinished_jobs
from jobs.local.parts import Part
from jobs.local.ports import free_ports
from jobs.local.run_folder import CLUSTER, STACK, RunFolder


@pytest.fixture
def config(tmp_path: Path, jars: Path) -> Config:
    rest = f"http://127.0.0.1:{free_ports(1)}"
    return load_config(None, {}, tmp_path, {"stack.jars": str(jars), "job.flink_rest": rest})


def value_after(argv: Sequence[str], option: str) -> list[str]:
    return [argv[index + 1] for index, word in enumerate(argv) if word == option]


def test_zookeeper_comes_first_and_each_taskmanager_has_a_name_of_its_own(config: Config) -> None:
    parts = cluster_parts(config, 2, os.environ, {})
    assert [part.name for part in parts] == ["zookeeper", "jobmanager", "taskmanager-1", "taskmanager-2"]
    for part in parts[2:]:
        assert f"taskmanager.resource-id={part.name}" in value_after(part.argv, "-D")
    assert len({main_class(part) for part in parts}) == 3


def main_class(part: Part) -> str:
    return next(word for word in part.argv if word.startswith("org.apache.flink."))


def test_nothing_is_ready_before_it_runs(config: Config) -> None:
    assert not any(part.ready() for part in cluster_parts(config, 1, os.environ, {}))


def test_what_a_job_needs_is_on_the_class_path_once(jars: Path) -> None:
    names = [Path(jar).name for jar in class_path(jars).split(":")]
    for stem in ("flink-dist-", "flink-python-", "flink-sql-connector-kafka-"):
        assert sum(name.startswith(stem) for name in names) == 1


def test_a_stack_in_the_folder_does_not_stand_in_the_way_and_another_cluster_does(config: Config) -> None:
    with RunFolder(config.stack.data_dir, STACK).claimed():
        assert cluster_parts(config, 1, os.environ, {})
    with RunFolder(config.stack.data_dir, CLUSTER).claimed(), pytest.raises(AlreadyRunning, match="a cluster is running") as error:
        cluster_parts(config, 1, os.environ, {})
    assert error.value.hint == "tickloom cluster down"


def test_a_cluster_that_does_not_answer_has_no_jobs_to_warn_of(config: Config) -> None:
    assert unfinished_jobs(config) == []
