"""One Flink mini-cluster for a whole test session: a JVM started once, to which each test submits its job."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from pyflink.common import Configuration, JobClient
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway

from jobs.config import Config
from jobs.config_load import load_config
from jobs.dataflow import build
from jobs.flink_rest import FlinkRest
from jobs.flink_settings import job_settings
from jobs.local import minicluster

HOST = "127.0.0.1"
QUICK_JVM = "-Xmx1g -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
"""Starts in half the time: tests are over before a better compiler pays."""


@cache
def gateway(jars: Path) -> Any:
    """The session's JVM, with the class path and the Flink configuration that `tickloom job run` gives it."""
    folder = Path(tempfile.mkdtemp(prefix="tickloom-flink-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    config = load_config(None, {}, folder, {"stack.data_dir": str(folder), "stack.jars": str(jars)})
    before = dict(os.environ)
    try:
        os.environ["JVM_ARGS"] = QUICK_JVM
        minicluster.prepare(config, os.environ)
        return get_gateway()
    finally:
        os.environ.clear()
        os.environ.update(before)


class MiniCluster:
    """A mini-cluster of two slots; its REST API is at `rest`."""

    def __init__(self, jvm: Any, address: str) -> None:
        self._jvm = jvm
        self.address = address
        self.rest = FlinkRest(address, "test")

    def environment(self, config: Config, restore: Path | None = None) -> StreamExecutionEnvironment:
        """An environment whose jobs run here, with the settings `config` gives a job; they go on from the savepoint `restore`."""
        configuration = Configuration()
        restored = {"execution.state-recovery.path": restore.as_uri()} if restore else {}
        for name, value in {**job_settings(config), **restored}.items():
            configuration.set_string(name, value)
        host, _, port = self.address.removeprefix("http://").partition(":")
        remote = self._jvm.org.apache.flink.streaming.api.environment.StreamExecutionEnvironment
        no_jars = get_gateway().new_array(self._jvm.String, 0)
        return StreamExecutionEnvironment(remote.createRemoteEnvironment(host, int(port), configuration._j_configuration, no_jars))

    def submit(self, config: Config, run: int, *, start: str = "earliest", bounded: bool = True, restore: Path | None = None) -> JobClient:
        """The job of `jobs.dataflow`, running."""
        env = self.environment(config, restore)
        build(env, config, run, start=start, bounded=bounded)
        return env.execute_async(config.stack.name)


@contextmanager
def mini_cluster(jars: Path) -> Iterator[MiniCluster]:
    """The cluster, until the block ends; the JVM goes with it."""
    java = gateway(jars)
    settings = Configuration()
    for name in ("rest.address", "rest.bind-address", "jobmanager.bind-host"):
        settings.set_string(name, HOST)
    for name in ("rest.port", "rest.bind-port"):
        settings.set_string(name, "0")
    package = java.jvm.org.apache.flink.runtime.minicluster
    wanted = (
        package.MiniClusterConfiguration.Builder()
        .setConfiguration(settings._j_configuration)
        .setNumTaskManagers(1)
        .setNumSlotsPerTaskManager(2)
        .build()
    )
    cluster = package.MiniCluster(wanted)
    cluster.start()
    try:
        port = cluster.getRestAddress().get().getPort()
        yield MiniCluster(java.jvm, f"http://{HOST}:{port}")
    finally:
        with suppress(Exception):
            cluster.close()
