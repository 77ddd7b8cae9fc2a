"""`tickloom services`: who is there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from jobs.cli.context import current_config, json_option, write_json

if TYPE_CHECKING:
    from connectors.registry import Service


@click.command()
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the services that have written themselves into the registry: address, version, load, and who has gone silent.

    A service writes itself each 5 s, and takes itself out when it stops; one that was not heard of for 15 s is silent.

    \b
    Examples:
      tickloom services
      tickloom services --json
    """  # noqa: D301
    from connectors.registry import read_services
    from jobs.feed import WallClock

    now_ms = WallClock().now_ms()
    services = read_services(current_config(ctx).kafka_connection())
    if as_json:
        write_json([_row(service, now_ms) for service in services])
    elif services:
        _print_table(services, now_ms)
    silent = sum(service.is_silent(now_ms) for service in services)
    click.echo(f"{len(services) - silent:,} here, {silent:,} silent", err=True)


def _row(service: "Service", now_ms: int) -> dict[str, object]:
    from msgspec.structs import asdict

    return {**asdict(service), "silent": service.is_silent(now_ms)}


def _print_table(services: Sequence["Service"], now_ms: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from connectors.safe_text import safe_text
    from jobs.dead_letter_box import age

    table = Table("service", "instance", "address", "version", "up for", "heard", "", "load", box=None, pad_edge=False)
    for service in services:
        load = ", ".join(f"{name} {value:,g}" for name, value in service.load.items())
        silent = service.is_silent(now_ms)
        cells = [service.service, service.instance, service.address, service.version, age(service.started_ms, service.seen_ms)]
        cells += [f"{age(service.seen_ms, now_ms)} ago", "silent" if silent else "here", "" if silent else load]
        table.add_row(*(Text(safe_text(cell.encode())) for cell in cells))
    Console().print(table)
