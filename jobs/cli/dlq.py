"""`tickloom dlq`: dead letters, listed, shown and sent again."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from jobs.cli.context import current_config, json_option, write_json
from jobs.cli.parameters import moment_ms
from udfs.model import Reason

if TYPE_CHECKING:
    from jobs.dead_letter_box import Entry, Listing
    from jobs.dead_letter_replay import Edit, Fate

_PIPE_WIDTH = 200
_reasons = click.option(
    "--reason",
    "reasons",
    multiple=True,
    type=click.Choice([reason.value for reason in Reason]),
    metavar="REASON",
    help="Only these; may be repeated.",
)


@click.group()
def command() -> None:
    """List and show dead letters, lines that do not count, each with its reason; and send them again.

    \b
    Examples:
      tickloom dlq ls --reason bad_price --limit 10
      tickloom dlq show 0:17
      tickloom dlq replay --dry-run --reason bad_type --edit "jq -c '.price |= tonumber'"
    """  # noqa: D301 (\b is click's mark for a paragraph kept as it is)


@command.command()
@_reasons
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
    from connectors.safe_text import safe_text

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


@command.command()
@click.argument("letter_ids", nargs=-1, metavar="[ID...]")
@_reasons
@click.option("--since", type=moment_ms, metavar="TIME", help="Only those received at TIME or later: RFC 3339 with an offset, or epoch ms.")
@click.option("--edit", metavar="COMMAND", help="Pipe each original line through COMMAND; what it writes is sent, nothing if it is empty.")
@click.option("--max-attempts", type=click.IntRange(1, 100), default=3, show_default=True, help="Leave out what was sent this often.")
@click.option("--again", is_flag=True, help="Also those that an earlier replay has sent.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent; send nothing.")
@json_option
@click.pass_context
def replay(
    ctx: click.Context,
    letter_ids: Sequence[str],
    reasons: Sequence[str],
    since: int | None,
    edit: str | None,
    max_attempts: int,
    again: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Send dead letters again, mended or acceptable by now: all of them, or those of the given IDs, reasons, times.

    Only lines that are ticks now go to the ticks topic; the others are counted with their reason and stay where they
    are, and so does a line of which only a part was kept. What was sent is noted in the same transaction: the next
    replay passes over it. A line carries how often it was sent in its field dlq_attempt, so that none circles for ever.
    """
    from contextlib import closing, nullcontext

    from connectors.replay_publisher import ReplayPublisher
    from jobs.dead_letter_replay import Mender, Selection
    from jobs.feed import WallClock
    from jobs.replay_letters import replay_letters
    from udfs.model import Scales

    for letter_id in letter_ids:
        _parsed(letter_id)
    mend = None if edit is None else _edit(edit)
    config = current_config(ctx)
    connection, ticks = config.kafka_connection(), config.ticks
    scales = Scales(ticks.price_decimals, ticks.size_decimals)
    mender = Mender(scales, ticks.max_future, edit=mend, max_attempts=max_attempts)
    selection = Selection({Reason(reason) for reason in reasons}, since, set(letter_ids))
    sending = nullcontext() if dry_run else closing(ReplayPublisher(connection, f"{config.consumer_group}-dlq-replay"))
    with sending as publisher:
        fates = replay_letters(connection, mender, selection, publisher, WallClock().now_ms, again=again)
        _tell_fates(fates, as_json=as_json, dry_run=dry_run)


def _entry(ctx: click.Context, letter_id: str) -> "Entry":
    from connectors.consumer import end_offsets, read_topic
    from connectors.topics import Topics
    from jobs.dead_letter_box import list_letters

    partition, offset = _parsed(letter_id)
    connection = current_config(ctx).kafka_connection()
    topic = Topics.of(connection).dead_letters
    if offset < end_offsets(connection, topic).get(partition, 0):
        record = next(read_topic(connection, topic, partitions=[partition], from_offsets={partition: offset}), None)
        entries = list_letters([record], (), 1).entries if record is not None and record.offset == offset else ()
        for entry in entries:
            return entry
    raise click.ClickException(f"there is no dead letter {letter_id} in {topic}")


def _parsed(letter_id: str) -> tuple[int, int]:
    from jobs.dead_letter_box import parse_id

    try:
        return parse_id(letter_id)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _edit(command: str) -> "Edit":
    from jobs.dead_letter_replay import edit_by

    try:
        return edit_by(command)
    except ValueError as error:
        raise click.BadParameter(f"{command!r}: {error}", param_hint="--edit") from error


def _record(entry: "Entry") -> dict[str, object]:
    """The envelope with its id; what does not apply is left out."""
    import orjson

    from connectors.codec import encode_dead_letter

    return {"id": entry.id, **orjson.loads(encode_dead_letter(entry.letter))}


def _print_table(listing: "Listing", now_ms: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from connectors.safe_text import safe_text
    from jobs.dead_letter_box import age

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
    if listing.replayed:
        click.echo(f"{len(listing.replayed):,} of the topic's dead letters were sent again", err=True)
    if listing.unreadable:
        click.echo(f"{listing.unreadable:,} records of the topic are no dead letters", err=True)


def _tell_fates(fates: "Iterable[Fate]", *, as_json: bool, dry_run: bool) -> None:
    """Each fate as JSON, or in a dry run as a line; then how many of each there were."""
    from collections import Counter

    from connectors.safe_text import safe_text

    counts: Counter[str] = Counter()
    for fate in fates:
        outcome = "would be sent" if dry_run and fate.line else fate.outcome.value
        counts[outcome] += 1
        line = fate.line.value.decode() if fate.line else None
        if as_json:
            record = {"id": fate.entry.id, "reason": fate.entry.letter.reason, "outcome": outcome, "detail": fate.detail, "line": line}
            write_json({name: value for name, value in record.items() if value})
        elif dry_run:
            shown = safe_text(line.encode()) if line else fate.detail
            click.echo(f"{fate.entry.id:<10} {fate.entry.letter.reason:<18} {outcome:<14} {shown}".rstrip())
    click.echo(", ".join(f"{count:,} {outcome}" for outcome, count in counts.most_common()) or "no dead letters to send again", err=True)
