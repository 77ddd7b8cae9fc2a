"""`tickloom job`: the Flink job itself."""

import os
import time

import click

from jobs.cli.context import current_config


@click.group()
def command() -> None:
    """Run the Flink job.

    \b
    Examples:
      tickloom job run             on a mini-cluster in this process, going on where it stopped
      tickloom job run --fresh     compute everything again, under a new run
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
    from connectors.topic_metadata import end_offsets
    from connectors.topics import Topics
    from jobs.local import minicluster
    from jobs.local.resume import beginning

    config = current_config(ctx)
    results = Topics(config.kafka.topic_prefix).indicator_results
    has_results = sum(end_offsets(config.kafka_connection(), results).values()) > 0
    begin = beginning(config, fresh=fresh, results_topic=results, has_results=has_results)
    click.echo(f"job {config.stack.name}: " + (f"going on from {begin.restore}" if begin.restore else f"from {begin.start}"), err=True)
    minicluster.prepare(config, os.environ)
    with minicluster.stop_on_signals() as stopping:
        client = minicluster.start(config, begin, int(time.time()), bounded=bounded)
        click.echo(f"job {config.stack.name}: running, {config.job.flink_rest}", err=True)
        minicluster.wait(config, client, stopping)
    click.echo(f"job {config.stack.name}: stopped", err=True)
