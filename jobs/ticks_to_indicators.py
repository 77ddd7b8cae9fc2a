"""main(): what `flink run` runs; `tickloom job run` calls it on a mini-cluster of its own."""

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyflink.common import Configuration, JobClient
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.util.java_utils import get_j_env_configuration

from jobs.cluster import require_partitions
from jobs.config import Config
from jobs.config_load import load_config
from jobs.dataflow import build
from jobs.errors import JobsError
from jobs.flink_settings import job_parameters, job_settings
from jobs.found_in_kafka import found_in_results, partitions_of_ticks
from jobs.resume import WouldRecompute


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
    """Submit the job as `flink run` does: --config FILE, --run NUMBER, --start earliest|latest|MILLISECONDS, --fresh.

    Exits with 3, and says why, without a savepoint (`flink run -s`) beside results unless --fresh is given, and for more subtasks
    than the topic of ticks has partitions.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--run", type=int, help="number of this computation; results of a higher one win")
    parser.add_argument("--start", default="earliest", help="where to read from without a savepoint")
    parser.add_argument("--fresh", action="store_true", help="without a savepoint, beside results: a new run")
    options = parser.parse_args(arguments)
    config = load_config(options.config, os.environ, Path.cwd(), {})
    try:
        _look_before(config, is_decided=options.fresh or _restores())
    except JobsError as error:
        parser.exit(error.exit_code, f"tickloom: {error}\ntry: {error.hint}\n")
    submit(config, {}, options.run or int(time.time()), options.start)


def _look_before(config: Config, *, is_decided: bool) -> None:
    """Raise what stands in the way of the job: ConfigError, WouldRecompute; KafkaUnreachable, TopicMissing."""
    require_partitions(config, partitions_of_ticks(config))
    if not is_decided and (found := found_in_results(config)).has_results:
        raise WouldRecompute(found.topic, "the command line (flink run -s)")


def _restores() -> bool:
    """Whether `flink run` was given a savepoint: it hands its options over in the environment's configuration."""
    env = StreamExecutionEnvironment.get_execution_environment()
    given = Configuration(j_configuration=get_j_env_configuration(env._j_stream_execution_environment))
    return bool(given.get_string("execution.state-recovery.path", ""))


if __name__ == "__main__":
    main()
