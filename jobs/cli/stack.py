"""`tickloom setup | up | down | status | logs`: the local stack."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.cli.context import current_config, invocation, json_option, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.config import Config
    from jobs.local.parts import PartStatus
    from jobs.local.running import Announce


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option("--jars", type=_FOLDER, help="Copy the jars from this folder instead.")
@click.option("--assets", type=_FOLDER, help="Copy the chart library from this folder instead.")
@click.pass_context
def setup(ctx: click.Context, jars: Path | None, assets: Path | None) -> None:
    """Fetch the jars by Maven and the chart library by npm, once, and check Java and Python.

    \b
    Examples:
      tickloom setup
      tickloom setup --jars /media/usb/jars --assets /media/usb/assets
    """  # noqa: D301
    from jobs.local.assets import install_assets
    from jobs.local.jars import install_jars
    from jobs.local.java import find_java
    from jobs.local.setup import check_python

    config = current_config(ctx)
    python = check_python()
    java = find_java(invocation(ctx).environ)
    fetched = {
        "jars": (install_jars(config.stack.jars, jars), config.stack.jars),
        "chart library": (install_assets(config.assets, assets), config.assets),
    }
    done = ", ".join(f"{what} {'fetched into' if new else 'complete in'} {folder}" for what, (new, folder) in fetched.items())
    click.echo(f"Python {python}, Java {java.version} ({java.home}), {done}", err=True)


@click.command()
@click.option("--detach", is_flag=True, help="Return once everything runs; `tickloom down` stops it.")
@click.option("--fresh", is_flag=True, help="Begin a new run from the earliest tick instead of resuming.")
@click.option("--job/--no-job", default=True, help="Whether the job runs here too, on a mini-cluster; without it, submit it to a cluster.")
@click.pass_context
def up(ctx: click.Context, detach: bool, fresh: bool, job: bool) -> None:
    """Start the stack on this machine and keep it running until Ctrl-C.

    \b
    Examples:
      tickloom up
      tickloom up --detach && tickloom status
      tickloom up --no-job                     broker, gateway and delivery
    """  # noqa: D301
    from jobs.local.running import run_detached, run_stack

    config = current_config(ctx)
    announce = _announcer(config)
    if detach:
        flags = [*(["--fresh"] if fresh else []), *([] if job else ["--no-job"])]
        run_detached(config, invocation(ctx).command_line("up", *flags), invocation(ctx).environ, announce)
    else:
        say = partial(click.echo, err=True)
        run_stack(config, invocation(ctx).command_line, invocation(ctx).environ, announce, say, fresh=fresh, job=job)


@click.command()
@click.pass_context
def down(ctx: click.Context) -> None:
    """Stop the stack that runs in this data folder, if there is one.

    \b
    Examples:
      tickloom down
    """  # noqa: D301
    from jobs.local.running import stop_stack

    stopped = stop_stack(current_config(ctx))
    click.echo("stopped" if stopped else "nothing was running", err=True)


@click.command()
@json_option
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> int:
    """Show what runs of the stack and of a local cluster, since when and where; exit 1 unless every part is running.

    \b
    Examples:
      tickloom status
      tickloom status --json
    """  # noqa: D301
    from dataclasses import asdict

    from jobs.local.parts import PartState
    from jobs.local.run_folder import CLUSTER, STACK, RunFolder

    folders = {what: RunFolder(current_config(ctx).stack.data_dir, what) for what in (STACK, CLUSTER)}
    pids = {what: folder.stack_pid() for what, folder in folders.items()}
    parts = [part for folder in folders.values() for part in folder.read()]
    if as_json:
        write_json({"pid": pids[STACK], "cluster_pid": pids[CLUSTER], "parts": [asdict(part) for part in parts]})
    elif not any(pids.values()):
        click.echo("nothing is running; try: tickloom up", err=True)
    else:
        _print_table(parts)
    return 0 if parts and all(part.state is PartState.RUNNING for part in parts) else 1


@click.command()
@click.argument("part", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on as lines are written, until Ctrl-C.")
@click.option("-n", "--lines", default=50, show_default=True, help="How many of each log's last lines to begin with.")
@click.pass_context
def logs(ctx: click.Context, part: str | None, follow: bool, lines: int) -> None:
    """Show the last lines of a part's log, or of every log.

    \b
    Examples:
      tickloom logs job
      tickloom logs -f
    """  # noqa: D301
    from jobs.local.logs import follow_logs, last_lines, log_files

    files = log_files(current_config(ctx).stack.data_dir / "logs")
    if part is not None and part not in files:
        raise click.BadParameter(f"there is no log of {part!r}; there are: {', '.join(files) or 'none yet'}", param_hint="PART")
    chosen = {part: files[part]} if part else files
    for name, file in chosen.items():
        for line in last_lines(file, lines):
            click.echo(line if part else f"{name:<8} {line}")
    if follow:
        for name, line in follow_logs(chosen):
            click.echo(line if part else f"{name:<8} {line}")


def _announcer(config: "Config") -> "Announce":
    """Says on stderr that a part has come into a state, and of the chart page where it is."""
    from jobs.exposure import charts_line
    from jobs.local.stack import serves_charts

    def announce(part: "PartStatus") -> None:
        click.echo(f"{part.name:<10} {part.state:<10} {part.address}".rstrip(), err=True)
        if serves_charts(part):
            click.echo(charts_line(config), err=True)

    return announce


def _print_table(parts: "Sequence[PartStatus]") -> None:
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.table import Table

    table = Table("part", "state", "pid", "since (UTC)", "restarts", "address", box=None)
    for part in parts:
        since = datetime.fromtimestamp(part.since_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S") if part.since_ms else "-"
        table.add_row(part.name, part.state, str(part.pid or "-"), since, str(part.restarts), part.address)
    Console().print(table)
