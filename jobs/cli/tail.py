"""`tickloom tail`: bars and indicators as they come, as a live table or as JSON."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from jobs.cli.context import current_config

if TYPE_CHECKING:
    from jobs.feed import Clock
    from jobs.result_stream import ResultStream, Start

_REFRESH_S = 0.25


def _frames(ctx: click.Context, parameter: click.Parameter, labels: Sequence[str]) -> frozenset[str]:
    from udfs.errors import FrameError
    from udfs.frames import parse_frame

    try:
        return frozenset(parse_frame(label.strip()).label for text in labels for label in text.split(","))
    except FrameError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.argument("symbols", nargs=-1, metavar="[SYMBOL]...")
@click.option(
    "--time-frame",
    "--frames",
    "frames",
    multiple=True,
    callback=_frames,
    metavar="FRAME",
    help="Only this one; again, or with commas, for several.",
)
@click.option("--final-only", is_flag=True, help="Final and revised bars only, no forming ones.")
@click.option(
    "--from-beginning", is_flag=True, help="Everything there is, first.  [default: the newest for the table, what is to come with --json]"
)
@click.option("--until-end", is_flag=True, help="End when all has been read that was there at the start.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="End after N records.")
@click.option("--json", "as_json", is_flag=True, help="Write the records to stdout as they are, one a line.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    symbols: Sequence[str],
    frames: frozenset[str],
    final_only: bool,
    from_beginning: bool,
    until_end: bool,
    count: int | None,
    as_json: bool,
) -> None:
    """Watch bars and indicators as they come, until Ctrl-C. Results are read committed.

    \b
    Examples:
      tickloom tail                                     a live table of all symbols
      tickloom tail IBM AAPL --time-frame 1min,1hour
      tickloom tail IBM --json --final-only --count 10
      tickloom tail --json --from-beginning --until-end > results.ndjson
    """  # noqa: D301 (\b is click's mark for a paragraph kept as it is)
    from jobs.feed import WallClock
    from jobs.result_stream import ResultStream, Wanted

    config = current_config(ctx)
    if not (as_json or until_end or sys.stdout.isatty()):
        raise click.UsageError("the live table needs a terminal; use --json, or --until-end to print it once")
    start: Start = "beginning" if from_beginning else "end" if as_json else "lately"
    wanted = Wanted(frozenset(symbols), frames, forming=not final_only)
    with ResultStream(config.kafka_connection(), wanted, start) as stream:
        if as_json:
            _write_records(stream, count, until_end=until_end)
        else:
            _show_table(stream, count, WallClock(), until_end=until_end)
        if stream.unreadable:
            click.echo(f"{stream.unreadable:,} records are no results and were passed over", err=True)


def _write_records(stream: "ResultStream", count: int | None, *, until_end: bool) -> None:
    left = sys.maxsize if count is None else count
    output = sys.stdout.buffer
    while left and not (until_end and stream.at_end):
        received = stream.read(_REFRESH_S)[:left]
        left -= len(received)
        output.writelines(each.value + b"\n" for each in received)
        output.flush()


def _show_table(stream: "ResultStream", count: int | None, clock: "Clock", *, until_end: bool) -> None:
    from rich.console import Console
    from rich.live import Live

    from jobs.tail import LiveTable

    table, left, console = LiveTable(), sys.maxsize if count is None else count, Console()
    with Live(table.render(clock.now_ms()), console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while left and not (until_end and stream.at_end):
            received = stream.read(_REFRESH_S / 2)[:left]
            left -= len(received)
            for each in received:
                table.update(each.result)
            live.update(table.render(clock.now_ms()), refresh=console.is_terminal)
