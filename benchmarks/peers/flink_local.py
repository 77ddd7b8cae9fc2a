"""A mini-cluster for the peers written in Flink: the jars, Java, Python and checkpoints of our own job."""

import os
from urllib.parse import urlsplit

import orjson
from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment

from benchmarks.stack import read_config
from jobs.config import Config
from jobs.flink_settings import checkpoints, python_settings
from jobs.local import minicluster


def prepared(settings: str) -> Config:
    """The configuration in the JSON object `settings`, with the environment ready for PyFlink's first use."""
    config = read_config(orjson.loads(settings))
    minicluster.prepare(config, os.environ)
    return config


def environment(config: Config) -> StreamExecutionEnvironment:
    """One slot, parallelism 1, exactly-once checkpoints at the interval of our job; the rest as Flink has it."""
    address = urlsplit(config.job.flink_rest)
    settings = {
        "rest.address": str(address.hostname),
        "rest.bind-address": str(address.hostname),
        "rest.port": str(address.port),
        "rest.bind-port": str(address.port),
        "taskmanager.numberOfTaskSlots": "1",
        "parallelism.default": "1",
        "metrics.fetcher.update-interval": "1000",
        "pipeline.object-reuse": "true",
        "execution.checkpointing.interval": f"{config.job.checkpoint_interval} ms",
        "execution.checkpointing.mode": "EXACTLY_ONCE",
        "execution.checkpointing.dir": checkpoints(config).as_uri(),
        **python_settings(),
    }
    configuration = Configuration()
    for name, value in settings.items():
        configuration.set_string(name, value)
    return StreamExecutionEnvironment.get_execution_environment(configuration)
