"""Our job running on ticks as they come: started, waited for, under load, ended."""

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil

from benchmarks.flink_view import FlinkView
from benchmarks.load import start_load
from benchmarks.processes import ContenderFailed
from benchmarks.stack import Stack, child_environ, job_argv, read_config
from connectors.consumer import end_offsets
from connectors.errors import ConnectorError
from connectors.topics import Topics
from jobs.config import Config
from jobs.errors import JobsError
from jobs.flink_rest import FlinkRest
from jobs.local.logs import last_lines
from jobs.local.process import kill_group, spawn
from jobs.verify.kafka_topics import CommittedOffsets

_START_TIMEOUT_S = 180
_LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class LiveJob:
    """The job of `config`, running in the process `pid`."""

    config: Config
    settings: Mapping[str, object]
    view: FlinkView
    process: psutil.Process

    def load(self, symbols: int, rate: float, seconds: float, gateway: tuple[str, int] | None = None) -> "subprocess.Popen[bytes]":
        """A load generator, started, on the job's topics or through a gateway that writes to them; its summary is on its stdout."""
        return start_load(self.settings, symbols, rate, seconds, gateway)

    def wait_for_ticks(self, timeout_s: float) -> None:
        """Until a checkpoint covers every tick there is now. Raises ContenderFailed."""
        connection = self.config.kafka_connection()
        topic = Topics(connection.topic_prefix).stock_data
        ends = {partition: end for partition, end in end_offsets(connection, topic).items() if end}
        committed = CommittedOffsets(connection, topic, self.config.consumer_group)
        deadline_s = time.monotonic() + timeout_s
        try:
            while not _has_come_to(ends, committed):
                if time.monotonic() > deadline_s or not self.process.is_running():
                    raise ContenderFailed(f"the ticks were not read within {timeout_s:.0f} s")
                self.view.require_sound()
                time.sleep(_LOOK_EVERY_S)
        finally:
            committed.close()


@contextmanager
def running_job(
    stack: Stack, settings: Mapping[str, object], *, restore: str | None = None, flink: Mapping[str, str] | None = None
) -> Iterator[LiveJob]:
    """The job until the block ends, where it is killed if it still runs. Raises ContenderFailed when it does not come up."""
    config = read_config(settings)
    log = stack.log(f"job-{config.stack.name}")
    process = spawn(job_argv(settings, restore=restore, flink=flink), log, child_environ())
    rest = FlinkRest(config.job.flink_rest, "benchmark")
    try:
        deadline_s = time.monotonic() + _START_TIMEOUT_S
        while not _is_running(rest, config.stack.name):
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise ContenderFailed(f"the job did not come up: {' | '.join(last_lines(log, 3))}")
            time.sleep(_LOOK_EVERY_S)
        yield LiveJob(config, settings, FlinkView(config.job.flink_rest), psutil.Process(process.pid))
    finally:
        kill_group(process)


def _has_come_to(ends: Mapping[int, int], committed: CommittedOffsets) -> bool:
    """A broker that has just started may not know yet who coordinates the group: that is no answer."""
    with suppress(ConnectorError):
        found = committed()
        return all(found.get(partition, 0) >= end for partition, end in ends.items())
    return False


def _is_running(rest: FlinkRest, name: str) -> bool:
    try:
        return rest.is_running(name)
    except JobsError:
        return False
