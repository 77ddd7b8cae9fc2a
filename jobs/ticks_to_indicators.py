"""main(): what `flink run` runs; `tickloom job run` calls it on a mini-cluster of its own."""

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyflink.common import Configuration, JobClient
from pyflink.datastream import StreamExecutionEnvironment

from jobs.config import Config
from jobs.config_load import load_config
from jobs.dataflow import build
from jobs.flink_settings import job_parameters, job_settings


def submit(config: Config, settings: Mapping[str, str], run: int, start: str, *, bounded: bool = False) -> JobClient:
    """Build the job and hand it to the cluster of the environment at hand; does not wait for its end."""
    configuration = Configuration()
    for name, value in {**job_settings(config), **settings}.items():
        configuration.set_string(name, value)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.get_config().set_global_job_parameters(job_parameters(config))
    build(env, config, run, start=start, bounded=bounded)
    return env.execute_async(config.stack.name)


def main(arguments: Sequence[str] | None = None) -> None:
    """Submit the job as `flink run` does: --config FILE, --run NUMBER, --start earliest|latest|MILLISECONDS."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--run", type=int, help="number of this computation; results of a higher one win")
    parser.add_argument("--start", default="earliest", help="where to read from without a savepoint")
    options = parser.parse_args(arguments)
    config = load_config(options.config, os.environ, Path.cwd(), {})
    submit(config, {}, options.run or int(time.time()), options.start)


if __name__ == "__main__":
    main()
