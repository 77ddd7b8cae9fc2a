"""Our job in a process of its own: `python -m benchmarks.job_process ASKED`, a JSON object as `stack.job_argv` writes it."""

import os
import sys
import time

import orjson

from benchmarks.stack import read_config
from jobs.local import minicluster
from jobs.resume import Beginning


def main(text: str) -> None:
    asked = orjson.loads(text)
    config = read_config(asked["settings"])
    minicluster.prepare(config, os.environ)
    begin = Beginning(asked["restore"], "earliest")
    client = minicluster.start(config, begin, int(time.time()), asked["flink"], bounded=asked["bounded"])
    client.get_job_execution_result().result()


if __name__ == "__main__":
    main(sys.argv[1])
