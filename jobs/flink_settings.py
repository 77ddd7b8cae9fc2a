"""Flink's own settings as the job needs them, from our configuration; a cluster's are in `flink-conf/config.yaml`."""

import os
import sys
import sysconfig
from pathlib import Path

from jobs.config import Config

PROJECT = Path(__file__).resolve().parents[1]
"""The folder that holds `jobs`, `udfs` and `connectors`: the checkout, or site-packages."""


def job_settings(config: Config) -> dict[str, str]:
    """Settings that belong to the job wherever it runs."""
    return {
        "pipeline.name": config.stack.name,
        "parallelism.default": str(config.job.parallelism),
        # One embedded interpreter in the TaskManager's JVM: ten times the throughput of a Python process beside it.
        "python.execution-mode": "thread",
        "pipeline.object-reuse": "true",
        "execution.buffer-timeout.interval": "5 ms",
        "execution.checkpointing.interval": f"{config.job.checkpoint_interval} ms",
        "execution.checkpointing.mode": "EXACTLY_ONCE",
        "execution.checkpointing.timeout": "5 min",
        "execution.checkpointing.tolerable-failed-checkpoints": "10",
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "execution.checkpointing.num-retained": "2",
        "execution.checkpointing.savepoint-dir": savepoints(config).as_uri(),
        "execution.checkpointing.dir": checkpoints(config).as_uri(),
        "state.backend.type": "hashmap",
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "500 ms",
        "restart-strategy.exponential-delay.max-backoff": "10 s",
        "table.exec.uid.generation": "ALWAYS",
        **python_settings(),
    }


def python_settings() -> dict[str, str]:
    """Which Python the embedded interpreter is, and where it finds our packages: it reads no `.pth` file."""
    site_packages = sysconfig.get_paths()["purelib"]
    return {
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        "python.pythonpath": os.pathsep.join(dict.fromkeys([str(PROJECT), site_packages])),
    }


def checkpoints(config: Config) -> Path:
    """Where the job's checkpoints are."""
    return config.stack.data_dir / "flink" / "checkpoints"


def savepoints(config: Config) -> Path:
    """Where savepoints are put when the job is stopped."""
    return config.stack.data_dir / "flink" / "savepoints"
