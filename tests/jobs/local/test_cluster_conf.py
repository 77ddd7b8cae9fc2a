import os
from pathlib import Path

import pytest

from jobs.config import Config
from jobs.config_load import load_config
from jobs.errors import ConfigError, JobsError
from jobs.local.cluster_conf import ClusterConf, rest_address, shipped_settings, write_conf
from jobs.local.jars import flink_distribution
from jobs.local.java import find_java
from jobs.local.resources import resource


def config_in(folder: Path, rest: str = "http://127.0.0.1:8099") -> Config:
    return load_config(None, {}, folder, {"stack.name": "mine", "job.flink_rest": rest})


@pytest.fixture
def conf(tmp_path: Path) -> ClusterConf:
    return write_conf(config_in(tmp_path), 2181, {})


def as_written(conf: ClusterConf) -> dict[str, str]:
    """The file, read as Flink's own scripts read flat keys: a line each."""
    pairs = [line.split(": ", 1) for line in (conf.folder / "config.yaml").read_text().splitlines() if not line.startswith("#")]
    return {name: value.strip('"') for name, value in pairs}


def test_the_shipped_file_is_flattened_to_full_names() -> None:
    shipped = shipped_settings()
    assert shipped["taskmanager.numberOfTaskSlots"] == "1"
    assert shipped["web.submit.enable"] == "false"
    assert "--add-opens=java.base/java.nio=ALL-UNNAMED" in shipped["env.java.opts.all"]


def test_the_shipped_file_asks_for_no_zookeeper_so_that_a_mini_cluster_starts_with_it() -> None:
    assert not {name for name in shipped_settings() if name.startswith(("high-availability.type", "high-availability.zookeeper.quorum"))}


def test_everything_shipped_is_in_the_copy_and_this_machine_is_filled_in(conf: ClusterConf, tmp_path: Path) -> None:
    written = as_written(conf)
    changed = {"rest.address", "rest.bind-address", "rest.bind-port"}
    assert {name: written[name] for name in shipped_settings().keys() - changed} == {
        name: value for name, value in shipped_settings().items() if name not in changed
    }
    assert (written["rest.port"], written["rest.bind-port"]) == ("8099", "8099")
    assert written["high-availability.type"] == "zookeeper"
    assert written["high-availability.zookeeper.quorum"] == "127.0.0.1:2181"
    assert written["high-availability.cluster-id"] == "/mine"
    inside = [value.removeprefix("file://") for name, value in written.items() if name.endswith(("storageDir", ".dir", "tmp.dirs"))]
    assert len(inside) == 3
    assert all(Path(folder).is_relative_to(tmp_path) for folder in inside)


def test_every_address_is_a_loopback_one(conf: ClusterConf) -> None:
    addresses = {name: value for name, value in as_written(conf).items() if name.endswith(("address", "host"))}
    assert len(addresses) >= 6
    assert set(addresses.values()) == {"127.0.0.1"}
    assert "clientPortAddress=127.0.0.1" in conf.zookeeper.read_text()


def test_more_settings_win(tmp_path: Path) -> None:
    assert as_written(write_conf(config_in(tmp_path), 2181, {"heartbeat.timeout": "3 s"}))["heartbeat.timeout"] == "3 s"


def test_flinks_own_tool_gives_the_sizes_that_the_file_asks_for(conf: ClusterConf) -> None:
    java, home = find_java(os.environ), flink_distribution()
    (dist,) = (home / "lib").glob("flink-dist-*.jar")
    sizes = conf.sizes(java, home / "bin" / "bash-java-utils.jar", dist, "taskmanager")
    assert [option[:4] for option in sizes.jvm[:2]] == ["-Xmx", "-Xms"]
    assert f"taskmanager.memory.task.off-heap.size={256 * 2**20}b" in sizes.settings
    (conf.folder / "config.yaml").write_text('taskmanager.memory.process.size: "10m"\n')
    with pytest.raises(JobsError, match=r"config\.yaml"):
        conf.sizes(java, home / "bin" / "bash-java-utils.jar", dist, "taskmanager")


def test_the_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"job\.flink_rest"):
        rest_address(config_in(tmp_path, "http://flink.example:8081"))


def test_the_logging_is_the_shipped_one(conf: ClusterConf) -> None:
    assert conf.logging.read_text() == (resource("flink-conf") / "log4j.properties").read_text()
