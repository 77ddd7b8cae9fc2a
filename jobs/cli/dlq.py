"""`tickloom dlq`: dead letters, listed and shown."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from jobs.cli.context import current_config, json_option, write_json
from udfs.model import Reason

if TYPE_CHECKING:
    from jobs.dead_letter_box import Entry, Listing

_PIPE_WIDTH = 200


@click.group()
def command() -> None:
    """List and show dead letters: lines that do not count, each with its reason.

    \b
    Examples:
      tickloom dlq ls --reason bad_price --limit 10
      tickloom dlq show 0:17
    """  # noqa: D301 (\b is click's mark for a paragraph kept as it is)


@command.command()
@click.option(
    "--reason",
    "reasons",
    multiple=True,
    type=click.Choice([reason.value for reason in Reason]),
    metavar="REASON",
    help="Only these; may be repeated.",
)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, metavar="N", help="The newest N.")
@json_option
@click.pass_context
def ls(ctx: click.Context, reasons: Sequence[str], limit: int, as_json: bool) -> None:
    """List the newest dead letters, and count all of them by reason."""
    from connectors.consumer import read_topic
    from connectors.topics import Topics
    from jobs.dead_letter_box import list_letters
    from jobs.feed import WallClock

    connection = current_config(ctx).kafka_connection()
    records = read_topic(connection, Topics.of(connection).dead_letters)
    listing = list_letters(records, {Reason(reason) for reason in reasons}, limit)
    if as_json:
        for entry in listing.entries:
            write_json(_record(entry))
    else:
        _print_table(listing, WallClock().now_ms())
    _print_counts(listing)


@command.command()
@click.argument("letter_id", metavar="ID")
@json_option
@click.pass_context
def show(ctx: click.Context, letter_id: str, as_json: bool) -> None:
    """Show the dead letter ID (partition:offset, as `ls` names it) with its original line."""
    from jobs.dead_letter_box import safe_text

    entry = _entry(ctx, letter_id)
    if as_json:
        write_json(_record(entry))
        return
    record = _record(entry)
    record.pop("original")
    for name, value in record.items():
        click.echo(f"{name:<14} {safe_text(str(value).encode())}")
    original = entry.letter.original
    click.echo(f"original       {len(original):,} bytes" + (f" of {entry.letter.original_size:,}" if entry.letter.truncated else ""))
    click.echo(safe_text(original))


def _entry(ctx: click.Context, letter_id: str) -> "Entry":
    from connectors.consumer import end_offsets, read_topic
    from connectors.topics import Topics
    from jobs.dead_letter_box import list_letters, parse_id

    try:
        partition, offset = parse_id(letter_id)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    connection = current_config(ctx).kafka_connection()
    topic = Topics.of(connection).dead_letters
    if offset < end_offsets(connection, topic).get(partition, 0):
        record = next(read_topic(connection, topic, partitions=[partition], from_offsets={partition: offset}), None)
        entries = list_letters([record], (), 1).entries if record is not None and record.offset == offset else ()
        for entry in entries:
            return entry
    raise click.ClickException(f"there is no dead letter {letter_id} in {topic}")


def _record(entry: "Entry") -> dict[str, object]:
    """The envelope with its id; what does not apply is left out."""
    import orjson

    from connectors.codec import encode_dead_letter

    return {"id": entry.id, **orjson.loads(encode_dead_letter(entry.letter))}


def _print_table(listing: "Listing", now_ms: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from jobs.dead_letter_box import age, safe_text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("id", "reason", "age", "stage", "origin"):
        table.add_column(name, no_wrap=True)
    table.add_column("detail", overflow="fold")
    for entry in listing.entries:
        letter = entry.letter
        cells = (entry.id, letter.reason, age(letter.received_ms, now_ms), letter.stage, entry.origin, letter.detail)
        table.add_row(*(Text(safe_text(cell.encode())) for cell in cells))
    console = Console()
    if listing.entries:
        (console if console.is_terminal else Console(width=_PIPE_WIDTH)).print(table)


def _print_counts(listing: "Listing") -> None:
    counts = ", ".join(f"{count:,} {reason}" for reason, count in listing.counts.most_common())
    total = listing.counts.total()
    shown = f", the newest {len(listing.entries):,} listed" if len(listing.entries) < total else ""
    click.echo(f"{total:,} dead letters{': ' + counts if counts else ''}{shown}", err=True)
    if listing.unreadable:
        click.echo(f"{listing.unreadable:,} records of the topic are no dead letters", err=True)
