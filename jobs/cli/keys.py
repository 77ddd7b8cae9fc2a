"""`tickloom keys`: API keys, made, listed and revoked."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from jobs.cli.context import current_config, json_option, write_json

if TYPE_CHECKING:
    from connectors.keys import Key

SCOPES = ("ingest", "read", "admin")


@click.group()
def command() -> None:
    """Make, list and revoke the API keys of this stack's services.

    A service takes up a change within a second or so, without a restart; connections of a revoked key are cut. Only
    hashes are kept, in stack.keys.

    \b
    Examples:
      tickloom keys add feed-a --scope ingest
      tickloom keys add charts --scope read > charts.key
      tickloom keys list
      tickloom keys revoke feed-a
    """  # noqa: D301


@command.command()
@click.argument("name", metavar="NAME")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    required=True,
    help="What it is good for: ingest sends ticks, read reads results and metrics, admin dead letters too. May be repeated.",
)
@json_option
@click.pass_context
def add(ctx: click.Context, name: str, scopes: Sequence[str], as_json: bool) -> None:
    """Make a key for NAME and write it to stdout: this once, it is kept nowhere.

    A NAME may have several keys, each good until it is revoked: make the next one, give it to the client, revoke the old one by its id.
    """
    from connectors.keys import Scope, add_key, is_name
    from jobs.feed import WallClock

    if not is_name(name):
        raise click.BadParameter(f"{name!r}: expected 1 to 64 of A-Za-z0-9._:/=^+@-", param_hint="NAME")
    file = current_config(ctx).keys_file
    made = add_key(file, name, [Scope(scope) for scope in scopes], WallClock().now_ms())
    if as_json:
        write_json({**_row(made.key), "key": made.text})
    else:
        click.echo(made.text)
    click.echo(f"key {made.key.id} of {name}, for {', '.join(made.key.scopes)}; it is not shown again (hash in {file})", err=True)


@command.command("list")
@json_option
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """List the keys: whose, what for, since when; never the keys themselves."""
    from connectors.keys import read_keys

    keys = read_keys(current_config(ctx).keys_file)
    if as_json:
        write_json([_row(key) for key in keys])
    elif keys:
        _print_table(keys)
    click.echo(f"{len(keys):,} key{'' if len(keys) == 1 else 's'}", err=True)


@command.command()
@click.argument("which", metavar="ID|NAME")
@json_option
@click.pass_context
def revoke(ctx: click.Context, which: str, as_json: bool) -> None:
    """Revoke one key by its ID, or every key of NAME."""
    from connectors.keys import revoke_keys

    gone = revoke_keys(current_config(ctx).keys_file, which)
    if not gone:
        raise click.ClickException(f"there is no key {which}; tickloom keys list shows them")
    if as_json:
        write_json([_row(key) for key in gone])
        return
    for key in gone:
        click.echo(f"{key.id} of {key.name}: revoked")


def _row(key: "Key") -> dict[str, object]:
    return {"id": key.id, "name": key.name, "scopes": list(key.scopes), "created_ms": key.created_ms}


def _print_table(keys: Sequence["Key"]) -> None:
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.table import Table

    table = Table("id", "name", "scopes", "created (UTC)", box=None, pad_edge=False)
    for key in keys:
        created = datetime.fromtimestamp(key.created_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(key.id, key.name, ", ".join(key.scopes), created)
    Console().print(table)
