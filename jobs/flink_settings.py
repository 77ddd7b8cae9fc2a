"""Flink's own settings as the job needs them, from our configuration; a cluster's are in `flink-conf/config.yaml`."""

import json
import os
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from jobs.config import Config
from jobs.own_indicators import import_folders
from jobs.state_settings import settings_of

PROJECT = Path(__file__).resolve().parents[1]
"""The folder that holds `jobs`, `udfs` and `connectors`: the checkout, or site-packages."""
CHECKPOINTS, SAVEPOINTS, CHANGELOG = "checkpoints", "savepoints", "changelog"
TIME_FRAMES, INDICATORS, MADE_WITH = "tickloom.time_frames", "tickloom.indicators", "tickloom.made_with"
"""Parameters by which a running job says what it was configured with."""


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
        "execution.checkpointing.savepoint-dir": state_uri(config, SAVEPOINTS),
        "execution.checkpointing.dir": state_uri(config, CHECKPOINTS),
        "state.backend.type": "hashmap",
        "state.changelog.enabled": str(config.job.changelog).lower(),
        "state.changelog.storage": "filesystem",
        "state.changelog.dstl.dfs.base-path": state_uri(config, CHANGELOG),
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "500 ms",
        "restart-strategy.exponential-delay.max-backoff": "3 s",
        # By default an hour without a failure, so that the tenth kill of a day would wait the longest.
        "restart-strategy.exponential-delay.reset-backoff-threshold": "10 s",
        "table.exec.uid.generation": "ALWAYS",
        **python_settings(import_folders(config.indicators)),
    }


def restore_settings(config: Config, location: str) -> dict[str, str]:
    """What makes a job go on from the savepoint or checkpoint at `location`."""
    return {
        "execution.state-recovery.path": location,
        "execution.state-recovery.ignore-unclaimed-state": "false",
        # With a changelog Flink can only take the savepoint over: it is removed once later checkpoints stand in for it.
        "execution.state-recovery.claim-mode": "CLAIM" if config.job.changelog else "NO_CLAIM",
    }


def job_parameters(config: Config) -> dict[str, str]:
    """What a running job says of its configuration, over Flink's REST API."""
    return {
        TIME_FRAMES: json.dumps(config.bars.time_frames),
        INDICATORS: json.dumps(dict(config.indicators)),
        MADE_WITH: json.dumps(settings_of(config)),
    }


def python_settings(own: Sequence[Path] = ()) -> dict[str, str]:
    """Which Python the embedded interpreter is, and where it finds our packages and `own` folders: it reads no `.pth` file."""
    site_packages = sysconfig.get_paths()["purelib"]
    return {
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        "python.pythonpath": os.pathsep.join(dict.fromkeys([str(PROJECT), site_packages, *map(str, own)])),
    }


def state_uri(config: Config, kind: str) -> str:
    """The URI of the folder of `CHECKPOINTS`, `SAVEPOINTS` or `CHANGELOG`."""
    base = state_folder(config)
    return (base / kind).as_uri() if isinstance(base, Path) else f"{base}/{kind}"


def state_folder(config: Config) -> Path | str:
    """The folder that holds them: a path of this machine, or the URI of another file system."""
    place = config.job.state_dir
    if place is None:
        return config.stack.data_dir / "flink"
    return place / config.stack.name if isinstance(place, Path) else f"{place}/{config.stack.name}"


def checkpoints(config: Config) -> Path:
    """Where checkpoints are, if they are on this machine."""
    return _here(config) / CHECKPOINTS


def savepoints(config: Config) -> Path:
    """Where savepoints are put when the job is stopped, if that is on this machine."""
    return _here(config) / SAVEPOINTS


def settings_file(config: Config) -> Path:
    """Where it is kept what the state was made with: beside it, if it is on this machine, else in the data folder."""
    return _here(config) / "made_with.json"


def _here(config: Config) -> Path:
    place = state_folder(config)
    return place if isinstance(place, Path) else config.stack.data_dir / "flink"
