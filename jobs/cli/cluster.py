"""`tickloom cluster`: a real Flink cluster on this machine."""

from functools import partial
from typing import TYPE_CHECKING

import click

from jobs.cli.context import current_config, invocation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.config import Config
    from jobs.local.parts import PartStatus
    from jobs.local.supervisor import Watcher


@click.group()
def command() -> None:
    """A real Flink cluster on this machine: ZooKeeper, a JobManager, one-slot TaskManagers.

    \b
    Examples:
      tickloom cluster up --detach && tickloom job submit
      tickloom cluster up --taskmanagers 4
      tickloom cluster down
    """  # noqa: D301 (\b is click's mark for a paragraph kept as it is)


@command.command()
@click.option("--detach", is_flag=True, help="Return once everything runs; `tickloom cluster down` stops it.")
@click.option("--taskmanagers", type=click.IntRange(1, 256), help="How many, with one slot each.  [default: job.parallelism]")
@click.pass_context
def up(ctx: click.Context, detach: bool, taskmanagers: int | None) -> None:
    """Start the cluster and keep its processes running until Ctrl-C.

    A process that is killed is started again; a killed JobManager takes its jobs up where their last checkpoint was. Jobs that
    were running when the cluster was stopped go on, too. Its REST API listens at job.flink_rest; everything is on 127.0.0.1.

    \b
    Examples:
      tickloom cluster up
      tickloom cluster up --detach --taskmanagers 2
    """  # noqa: D301
    from jobs.local.flink_cluster import cluster_parts
    from jobs.local.metrics_server import metrics_server
    from jobs.local.run_folder import CLUSTER
    from jobs.local.running import announcing, run_detached, supervise

    config, run = current_config(ctx), invocation(ctx)
    count = taskmanagers or config.job.parallelism
    if detach:
        run_detached(config, run.command_line("cluster", "up", "--taskmanagers", str(count)), run.environ, _announce, CLUSTER)
    else:
        watch = _warning(config, announcing(_announce))
        with metrics_server(config.job.metrics, config.cite("job.metrics"), partial(click.echo, err=True)) as reporter:
            supervise(config, cluster_parts(config, count, run.environ, reporter), watch, CLUSTER)


@command.command()
@click.pass_context
def down(ctx: click.Context) -> None:
    """Stop the cluster that runs in this data folder, if there is one.

    Jobs that still run are interrupted, not ended: the next `tickloom cluster up` goes on with them from their last checkpoint.
    Stop them first with `tickloom job stop`, which makes a savepoint.

    \b
    Examples:
      tickloom job stop && tickloom cluster down
    """  # noqa: D301
    from jobs.local.run_folder import CLUSTER, RunFolder
    from jobs.local.running import stop_stack

    config = current_config(ctx)
    if RunFolder(config.stack.data_dir, CLUSTER).stack_pid() is not None:
        _warn_of_jobs(config)
    click.echo("stopped" if stop_stack(config, CLUSTER) else "nothing was running", err=True)


def _warning(config: "Config", watch: "Watcher") -> "Watcher":
    """`watch`, and a warning when the cluster is stopped under its jobs."""
    from jobs.local.parts import PartState

    stopping = False

    def watch_and_warn(statuses: "Sequence[PartStatus]") -> None:
        nonlocal stopping
        if not stopping and any(part.state is PartState.STOPPING for part in statuses):
            stopping = True
            _warn_of_jobs(config)
        watch(statuses)

    return watch_and_warn


def _warn_of_jobs(config: "Config") -> None:
    from jobs.local.flink_cluster import unfinished_jobs

    for name in unfinished_jobs(config):
        click.echo(f"job {name}: still running; it goes on when the cluster is started again (tickloom job stop ends it)", err=True)


def _announce(part: "PartStatus") -> None:
    click.echo(f"{part.name:<14} {part.state:<10} {part.address}".rstrip(), err=True)
