"""`tickloom symbols`: the symbols there are, and forgetting one."""

from typing import TYPE_CHECKING

import click

from jobs.cli.context import current_config, json_option, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.symbols import SeenSymbol


@click.group(name="symbols")
def command() -> None:
    """List the symbols, and drop one from a running job.

    \b
    Examples:
      tickloom symbols ls
      tickloom symbols ls --all --json
      tickloom symbols drop IBM
    """  # noqa: D301


@command.command()
@click.option("--all", "look_at_all", is_flag=True, help="Look at every record, not only at the newest ones of each partition.")
@json_option
@click.pass_context
def ls(ctx: click.Context, look_at_all: bool, as_json: bool) -> None:
    """List the symbols of the newest ticks and results: time of the last tick, partition, and whether it is split over several."""
    from jobs.symbols import NEWEST, scan_symbols

    seen = list(scan_symbols(current_config(ctx).kafka_connection(), None if look_at_all else NEWEST).values())
    if as_json:
        write_json([_row(symbol) for symbol in seen])
    else:
        _print_table(seen)
    looked = "all records" if look_at_all else f"the newest {NEWEST:,} records of each partition"
    split = sum(symbol.is_split for symbol in seen)
    click.echo(f"{len(seen):,} symbols{f', {split:,} split' if split else ''} in {looked}", err=True)


@command.command()
@click.argument("symbols", nargs=-1, required=True, metavar="SYMBOL...")
@json_option
@click.pass_context
def drop(ctx: click.Context, symbols: "Sequence[str]", as_json: bool) -> None:
    """Make the job forget SYMBOL: clock, bars, indicators. Its next tick is the first of a new symbol.

    Bars open at that moment are said as they stand. What was said stays in the results; when the symbol comes back, its
    new bars carry a higher run. A running job takes the drop up at once, one that is stopped when it runs again.
    """
    from jobs.symbols import drop_symbols

    written = drop_symbols(current_config(ctx).kafka_connection(), list(dict.fromkeys(symbols)))
    for symbol, place in zip(dict.fromkeys(symbols), written, strict=True):
        if as_json:
            write_json({"stock_id": symbol, "partition": place.partition, "offset": place.offset})
        else:
            click.echo(f"{symbol}: dropped by the record at partition {place.partition}, offset {place.offset}")


def _row(symbol: "SeenSymbol") -> dict[str, object]:
    return {
        "stock_id": symbol.stock_id,
        "last_tick_ms": symbol.last_tick_ms,
        "partitions": sorted(symbol.partitions),
        "split": symbol.is_split,
        "dropped": symbol.dropped,
    }


def _print_table(seen: "Sequence[SeenSymbol]") -> None:
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.table import Table

    table = Table("symbol", "last tick (UTC)", "partition", "", box=None, pad_edge=False)
    for symbol in seen:
        last = datetime.fromtimestamp(max(symbol.last_tick_ms, 0) // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        partitions = ", ".join(map(str, sorted(symbol.partitions))) or "-"
        table.add_row(symbol.stock_id, last, partitions, "dropped" if symbol.dropped else "split" if symbol.is_split else "")
    Console().print(table)
