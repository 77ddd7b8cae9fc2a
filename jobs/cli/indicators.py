"""`tickloom indicators`: what is computed, and whether an indicator of one's own keeps its promises."""

from typing import TYPE_CHECKING

import click

from jobs.cli.context import current_config, json_option, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udfs.indicators.contract import Finding
    from udfs.indicators.descriptions import Description

EXIT_BROKEN = 6


@click.group(name="indicators")
def command() -> None:
    """List the configured indicators, and check one of your own.

    \b
    Examples:
      tickloom indicators ls
      tickloom indicators check mypkg.mine:Mine
      tickloom indicators check "mypkg.mine:Mine(5)" "rsi(2)" --json
    """  # noqa: D301


@command.command()
@json_option
@click.pass_context
def ls(ctx: click.Context, as_json: bool) -> None:
    """List what is computed: label, spec, outputs, bars until the first value, and how it is drawn."""
    from udfs.indicators.descriptions import describe

    descriptions = describe(current_config(ctx).indicators)
    if as_json:
        write_json([description._asdict() for description in descriptions])
    else:
        _print_table(descriptions)


@command.command()
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...")
@json_option
def check(specs: tuple[str, ...], as_json: bool) -> int:
    """Try every promise of an indicator on SPEC: `package.module:Class`, with parameters or without; exit 6 when one is broken.

    The module is looked for in the current directory too. What the promises are: docs/how-to/your-own-indicator.md.
    """
    from udfs.indicators.contract import CHECKS

    findings = {spec: _findings(spec) for spec in specs}
    if as_json:
        write_json({spec: [finding._asdict() for finding in found] for spec, found in findings.items()})
    else:
        for spec, found in findings.items():
            _print_findings(spec, tuple(CHECKS), found)
    return EXIT_BROKEN if any(findings.values()) else 0


def _findings(spec: str) -> "list[Finding]":
    from udfs.errors import SpecError
    from udfs.indicators import parse_spec
    from udfs.indicators.contract import Finding, check_indicator

    try:
        return check_indicator(parse_spec(spec))
    except SpecError as error:
        return [Finding("spec", error.why)]


def _print_findings(spec: str, checks: "Sequence[str]", found: "Sequence[Finding]") -> None:
    click.echo(spec)
    for name in checks:
        details = [finding.detail for finding in found if finding.check == name]
        click.echo(f"  {'broken' if details else 'ok':<7} {name}")
        for detail in details:
            click.echo(f"          {detail}")


def _print_table(descriptions: "Sequence[Description]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("label", "spec", "outputs", "bars needed", "pane", "levels", box=None, pad_edge=False)
    for each in descriptions:
        levels = ", ".join(f"{level:g}" for level in each.levels)
        table.add_row(each.label, each.spec, ", ".join(each.outputs) or "one value", str(each.bars_needed), each.pane, levels)
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table)
