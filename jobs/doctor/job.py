"""What Flink says of the job: whether it runs, how far it has come, how often it failed."""

from collections.abc import Iterator
from typing import Any

from connectors.consumer import read_topic
from connectors.errors import ConnectorError
from connectors.topic_metadata import begin_offsets, end_offsets
from connectors.topics import Topics
from jobs.config import Config
from jobs.doctor.findings import Finding, not_checked, ok, warning, wrong
from jobs.errors import JobsError, Unreachable
from jobs.flink_rest import FlinkRest, root_cause
from jobs.local.run_folder import RunFolder
from jobs.verify.kafka_topics import CommittedOffsets

MOST_BEHIND = 100_000
"""Records between the ticks' end and the newest checkpoint that are no cause for worry."""
LAG_MS = 60_000
"""How far the watermark may be behind the newest record, beyond out-of-orderness."""
_NO_WATERMARK = -(2**62)


def job(config: Config) -> Iterator[Finding]:
    """Everything about the job; without one, that alone."""
    rest = FlinkRest(config.job.flink_rest, config.cite("job.flink_rest"))
    try:
        found = rest.unfinished(config.stack.name)
    except Unreachable as error:
        yield _nobody(config, str(error))
        return
    except JobsError as error:
        yield warning("job", str(error))
        return
    if found is None:
        yield warning(
            "job", f"Flink at {config.job.flink_rest} runs no job called {config.stack.name}", "tickloom job submit, or tickloom up"
        )
        return
    yield running(rest, found)
    yield from _progress(config, rest, found)


def _nobody(config: Config, why: str) -> Finding:
    if RunFolder(config.stack.data_dir).stack_pid() is not None:
        return wrong("job", f"the stack runs, but {why}", "tickloom status; tickloom logs job")
    return not_checked("job", f"no job is running: {why}", "tickloom up")


def running(rest: FlinkRest, found: dict[str, Any]) -> Finding:
    """Whether every task runs, and what failed before."""
    tasks = found["tasks"]
    said = f"{found['state'].lower()}, {tasks['running']} of {tasks['total']} tasks"
    if found["state"] != "RUNNING" or tasks["running"] < tasks["total"]:
        return wrong("job", said, "tickloom logs job")
    failures = rest.failures(found["jid"])
    if failures:
        return warning("job", f"{said}; it failed {len(failures)} time(s), last by {root_cause(failures[0])[:200]}", "tickloom logs job")
    return ok("job", said)


def _progress(config: Config, rest: FlinkRest, found: dict[str, Any]) -> Iterator[Finding]:
    try:
        yield behind(config)
        yield watermark(config, rest, found["jid"])
    except (ConnectorError, JobsError) as error:
        yield not_checked("progress", str(error))


def behind(config: Config) -> Finding:
    """How many records the newest checkpoint has not taken in."""
    connection = config.kafka_connection()
    topic = Topics.of(connection).stock_data
    committed = CommittedOffsets(connection, topic, config.consumer_group)
    try:
        reached = committed()
    finally:
        committed.close()
    begins = begin_offsets(connection, topic)
    left = sum(end - reached.get(each, begins[each]) for each, end in end_offsets(connection, topic).items())
    said = f"{left:,} records behind the end of {topic}, by its newest checkpoint"
    if left > MOST_BEHIND:
        return warning("backlog", said, "wait if it is catching up; else more job.parallelism, or look at tickloom logs job")
    return ok("backlog", said)


def watermark(config: Config, rest: FlinkRest, job_id: str) -> Finding:
    """How far the watermark is behind the newest record of any partition."""
    newest_ms = _newest_ms(config)
    found = [each for vertex in rest.job(job_id)["vertices"] for each in rest.watermarks(job_id, vertex["id"]) if each > _NO_WATERMARK]
    if newest_ms is None or not found:
        return not_checked("watermark", "there is none yet" if newest_ms is not None else "there are no ticks yet")
    lag_ms = newest_ms - min(found)
    said = f"{max(0, lag_ms) / 1000:.1f} s behind the newest record"
    if lag_ms > config.bars.out_of_orderness + LAG_MS:
        hint = "quiet symbols' bars close late: a partition without ticks needs heartbeats, or the job is catching up"
        return warning("watermark", said, hint)
    return ok("watermark", said)


def _newest_ms(config: Config) -> int | None:
    connection = config.kafka_connection()
    topic = Topics.of(connection).stock_data
    begins = begin_offsets(connection, topic)
    last = {each: max(begins[each], end - 1) for each, end in end_offsets(connection, topic).items()}
    return max((record.timestamp_ms for record in read_topic(connection, topic, from_offsets=last)), default=None)
