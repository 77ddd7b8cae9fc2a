"""Temporary files of JVMs stay inside the data folder, and do not grow with each start."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from jobs.config_load import load_config
from jobs.local import minicluster, scratch
from jobs.local.broker import Broker
from jobs.local.flink_cluster import cluster_parts
from jobs.local.java import find_java
from jobs.local.ports import free_ports


def temporary_folder(options: Sequence[str], environ: dict[str, str]) -> Path:
    """Where a JVM with `options` would put temporary files, by its own account."""
    command = [find_java(os.environ).executable, *options, "-XshowSettings:properties", "-version"]
    told = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stderr
    (line,) = [line for line in told.splitlines() if "java.io.tmpdir = " in line]
    return Path(line.partition(" = ")[2])


@pytest.mark.parametrize("name", ["data", "data of mine"])
def test_the_jobs_jvm_writes_into_the_data_folder_only(tmp_path: Path, jars: Path, name: str) -> None:
    environ = {"PATH": os.environ["PATH"], "JVM_ARGS": "-Xmx64m", "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1"}
    minicluster.prepare(load_config(None, {}, tmp_path, {"stack.data_dir": name, "stack.jars": str(jars)}), environ)
    assert {"-Xmx64m", "-XX:-UsePerfData"} <= set(environ["JVM_ARGS"].split())
    folder = temporary_folder(environ["JVM_ARGS"].split(), environ)
    assert folder.is_relative_to(tmp_path / name)
    assert folder.is_dir()


def test_every_jvm_of_a_cluster_and_the_broker_writes_into_the_data_folder_only(tmp_path: Path, jars: Path) -> None:
    rest = f"http://127.0.0.1:{free_ports(1)}"
    config = load_config(None, {}, tmp_path, {"stack.jars": str(jars), "job.flink_rest": rest})
    broker = Broker("127.0.0.1:1", config.stack.data_dir / "broker", jars, Path("java"))
    left = config.stack.data_dir / "flink" / "tmp" / "flink-table-planner_1.jar"
    left.parent.mkdir(parents=True)
    left.touch()
    for argv in (broker.argv, *(part.argv for part in cluster_parts(config, 1, os.environ, {}))):
        (option,) = [word for word in argv if word.startswith("-Djava.io.tmpdir=")]
        assert Path(option.partition("=")[2]).is_relative_to(config.stack.data_dir)
        assert "-XX:-UsePerfData" in argv
    assert not left.exists()


def test_what_ended_processes_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    with subprocess.Popen(["sleep", "60"]) as living:
        for process in (ended, living):
            (tmp_path / str(process.pid)).mkdir()
            (tmp_path / str(process.pid) / "flink-rpc-akka_1.jar").touch()
        own = scratch.of_this_process(tmp_path)
        assert {folder.name for folder in tmp_path.iterdir()} == {str(living.pid), str(os.getpid())}
        assert own == tmp_path / str(os.getpid())
        living.kill()


def test_an_emptied_folder_is_there(tmp_path: Path) -> None:
    folder = scratch.emptied(tmp_path / "a" / "b")
    (folder / "x").touch()
    assert list(scratch.emptied(folder).iterdir()) == []
