"""`tickloom job`: the Flink job itself, on a mini-cluster of this process or on any Flink cluster."""

import os
import time
from typing import TYPE_CHECKING

import click

from jobs.cli.context import current_config, json_option, write_json
from jobs.cli.job_start import beginning_here, kafka_at_hand

if TYPE_CHECKING:
    from jobs.cluster import ClusterJob, Replaced
    from jobs.config import Config
    from jobs.job_status import JobStatus

savepoint_option = click.option(
    "--savepoint-dir", metavar="DIR", help="Where to put the savepoint: a path or URI that the cluster reaches.  [default: job.state_dir]"
)
run_option = click.option("--run", "number", type=click.IntRange(1), help="The number of this computation.  [default: the time]")


@click.group()
def command() -> None:
    """Run the Flink job.

    \b
    Examples:
      tickloom job run             on a mini-cluster in this process, going on where it stopped
      tickloom job run --fresh     compute everything again, under a new run
      tickloom job submit          on the Flink cluster at job.flink_rest
      tickloom job upgrade         go on with changed code or configuration
      tickloom job rescale 4       go on with four subtasks
      tickloom job stop            stop with a savepoint, and print where it is
    """  # noqa: D301 (\b is click's mark for a paragraph kept as it is)


@command.command()
@click.option("--fresh", is_flag=True, help="Start without state: a new run, from the earliest tick (or job.start).")
@click.option("--bounded", is_flag=True, help="End at the ticks' present end instead of waiting for more.")
@click.pass_context
def run(ctx: click.Context, fresh: bool, bounded: bool) -> None:
    """Run the job on a mini-cluster in this process until Ctrl-C, which stops it with a savepoint.

    It goes on from the newest complete savepoint or checkpoint under stack.data_dir. Without one it refuses to start
    beside existing results, unless --fresh is given.
    """
    from jobs.flink_settings import settings_file
    from jobs.kafka_of_state import note_kafka
    from jobs.local import minicluster
    from jobs.local.metrics_server import metrics_server
    from jobs.resume import note_fresh_start
    from jobs.state_settings import keep_settings

    config = current_config(ctx)
    begin, kafka = beginning_here(config, fresh=fresh)
    click.echo(f"job {config.stack.name}: {begin}", err=True)
    minicluster.prepare(config, os.environ)
    serve = metrics_server(config.job.metrics, config.cite("job.metrics"), _say)
    with minicluster.stop_on_signals() as stopping, serve as reporter:
        if fresh:
            note_fresh_start(config, _now_ms())
        client = minicluster.start(config, begin, int(time.time()), reporter, bounded=bounded)
        keep_settings(config, settings_file(config))
        note_kafka(config, kafka)
        click.echo(f"job {config.stack.name}: running, {config.job.flink_rest}", err=True)
        minicluster.wait(config, client, stopping, _say)
    click.echo(f"job {config.stack.name}: stopped", err=True)


@command.command()
@click.option("--fresh", is_flag=True, help="Start without state: a new run, from the earliest tick (or job.start).")
@click.option(
    "--from", "restore", metavar="SAVEPOINT", help="Go on from this savepoint or checkpoint: a path or URI that the cluster reaches."
)
@run_option
@json_option
@click.pass_context
def submit(ctx: click.Context, fresh: bool, restore: str | None, number: int | None, as_json: bool) -> None:
    """Submit the job to the Flink cluster at job.flink_rest, with the code it needs, and return once it runs.

    It goes on from the newest complete savepoint or checkpoint: of job.state_dir when that is on this machine, else the
    one it was stopped with or that the cluster knows of. Without one it refuses to start beside existing results,
    unless --fresh is given.

    \b
    Examples:
      tickloom job submit
      tickloom job submit --from s3://bucket/savepoints/savepoint-1f2e3d-0a1b2c
      tickloom job submit --fresh
    """  # noqa: D301
    from jobs.found_in_kafka import found_in_results, partitions_of_ticks
    from jobs.kafka_of_state import note_kafka
    from jobs.resume import note_fresh_start

    if fresh and restore:
        raise click.UsageError("--fresh and --from exclude each other")
    config, now_ms = current_config(ctx), _now_ms()
    kafka = kafka_at_hand(config, whichever=fresh or restore is not None)
    done = _cluster_job(config).submit(
        number or int(time.time()), partitions_of_ticks(config), found_in_results(config), fresh=fresh, restore=restore
    )
    note_kafka(config, kafka)
    if fresh:
        note_fresh_start(config, now_ms)
    if as_json:
        write_json({"job_id": done.job_id, "restored": done.begin.restore, "parallelism": done.parallelism})
    else:
        _say(f"job {config.stack.name}: running as {done.job_id}, parallelism {done.parallelism}, {config.job.flink_rest}")


@command.command()
@json_option
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> int:
    """Show how the job on the cluster stands; exit 1 unless all of it runs.

    \b
    Examples:
      tickloom job status
      tickloom job status --json
    """  # noqa: D301
    from dataclasses import asdict

    from jobs.job_status import read_status

    config = current_config(ctx)
    job = _cluster_job(config)
    found = read_status(job.rest, config.stack.name)
    if found is None:
        job.find()  # says which jobs there are
        return 1
    if as_json:
        write_json(asdict(found))
    else:
        for name, value in job_lines(found).items():
            click.echo(f"{name:<16} {value}")
    return 0 if found.is_running else 1


@command.command()
@savepoint_option
@click.option("--cancel", is_flag=True, help="Without a savepoint, for a job that cannot make one; its newest checkpoint stays.")
@json_option
@click.pass_context
def stop(ctx: click.Context, savepoint_dir: str | None, cancel: bool, as_json: bool) -> None:
    """Stop the job with a savepoint and print where that is; open bars stay open in it.

    \b
    Examples:
      tickloom job stop
      tickloom job stop --savepoint-dir s3://bucket/savepoints
    """  # noqa: D301
    from jobs.resume import shown

    config = current_config(ctx)
    job = _cluster_job(config)
    job_id, savepoint = (job.cancel(), None) if cancel else job.stop(savepoint_dir)
    _say(f"job {config.stack.name}: stopped {job_id}")
    if as_json:
        write_json({"job_id": job_id, "savepoint": savepoint})
    elif savepoint:
        click.echo(shown(savepoint))


@command.command()
@savepoint_option
@run_option
@json_option
@click.pass_context
def upgrade(ctx: click.Context, savepoint_dir: str | None, number: int | None, as_json: bool) -> None:
    """Stop the job with a savepoint and go on from it with the present code and configuration.

    Says which time frames and indicators were added or removed. All that can be checked is checked before the job is
    stopped. Should the new one not run, the message says how to go back.

    \b
    Examples:
      tickloom job upgrade
      tickloom --set indicators.Slow='sma(200)' job upgrade
    """  # noqa: D301
    from jobs.found_in_kafka import partitions_of_ticks

    config = current_config(ctx)
    kafka_at_hand(config)
    done = _cluster_job(config).upgrade(number or int(time.time()), partitions_of_ticks(config), savepoint_dir)
    _report(config, done, as_json=as_json)


@command.command()
@click.argument("parallelism", type=click.IntRange(1, 256))
@savepoint_option
@run_option
@json_option
@click.pass_context
def rescale(ctx: click.Context, parallelism: int, savepoint_dir: str | None, number: int | None, as_json: bool) -> None:
    """Stop the job with a savepoint and go on from it with PARALLELISM subtasks, a free slot for each.

    The next submit or upgrade takes job.parallelism again: put the number there to keep it.

    \b
    Examples:
      tickloom job rescale 4
    """  # noqa: D301
    from jobs.found_in_kafka import partitions_of_ticks

    config = current_config(ctx)
    kafka_at_hand(config)
    done = _cluster_job(config).rescale(parallelism, number or int(time.time()), partitions_of_ticks(config), savepoint_dir)
    _report(config, done, as_json=as_json)
    if parallelism != config.job.parallelism:
        _say(f"job.parallelism is {config.job.parallelism} ({config.cite('job.parallelism')}): set it to {parallelism} to keep this")


def _cluster_job(config: "Config") -> "ClusterJob":
    from jobs.cluster import ClusterJob

    return ClusterJob(config, os.environ, _say, _now_ms)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _say(message: str) -> None:
    click.echo(message, err=True)


def _report(config: "Config", done: "Replaced", *, as_json: bool) -> None:
    from dataclasses import asdict

    from jobs.resume import shown

    if as_json:
        write_json(asdict(done))
        return
    _say(f"job {config.stack.name}: running as {done.job_id}, parallelism {done.parallelism}, from {shown(done.savepoint)}")
    for line in done.changes.lines():
        _say(f"  {line}")


def job_lines(job: "JobStatus") -> dict[str, str]:
    """What `tickloom job status` shows, name by name."""
    checkpoint = job.checkpoint
    saved = (
        f"{_span(checkpoint.age_ms)} ago, {checkpoint.bytes:,} bytes in {checkpoint.duration_ms} ms, {checkpoint.location}"
        if checkpoint
        else "none"
    )
    return {
        "job": f"{job.name}, {job.job_id}",
        "state": f"{job.state}, {job.tasks_running} of {job.tasks} tasks running, for {_span(job.running_ms)}",
        "restarts": _or_unknown(job.restarts),
        "parallelism": str(job.parallelism),
        "last checkpoint": saved,
        "records read": f"{job.records_read:,}",
        "records to read": _or_unknown(job.pending_records),
        "watermark": "none yet" if job.watermark_lag_ms is None else f"{_span(job.watermark_lag_ms)} behind",
        "time frames": " ".join(job.time_frames) if job.time_frames is not None else "unknown",
        "indicators": " ".join(job.indicators) if job.indicators is not None else "unknown",
    }


def _or_unknown(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"


def _span(millis: int) -> str:
    """Milliseconds as people read them: `1.2 s`, `3 min`, `5 h`, `2 d`."""
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000)):
        if abs(millis) >= 2 * length:
            return f"{millis // length:,} {unit}"
    return f"{millis / 1_000:.1f} s"
