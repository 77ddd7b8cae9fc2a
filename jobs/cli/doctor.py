"""`tickloom doctor`: what is wrong here, and what to try."""

import time
from typing import TYPE_CHECKING

import click

from jobs.cli.context import current_config, invocation, json_option, write_json

if TYPE_CHECKING:
    from jobs.doctor.findings import Finding

EXIT_WRONG = 6
_COLORS = {"ok": "green", "warning": "yellow", "wrong": "red"}


@click.command(name="doctor")
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> int:
    """Look at Python, Java, ports, disk, Kafka, topics, clocks and the job; exit 6 when something is wrong.

    Each check says ok, warning, wrong or not checked, and what to try. It changes nothing, and needs nothing to run.

    \b
    Examples:
      tickloom doctor
      tickloom doctor --json
    """  # noqa: D301
    from jobs.doctor.examination import examine

    findings = []
    for finding in examine(current_config(ctx), invocation(ctx).environ, time.time_ns() // 1_000_000):
        findings.append(finding)
        if not as_json:
            _show(finding)
    if as_json:
        write_json([{"check": each.check, "verdict": each.verdict, "said": each.said, "hint": each.hint} for each in findings])
    return EXIT_WRONG if any(finding.verdict == "wrong" for finding in findings) else 0


def _show(finding: "Finding") -> None:
    click.secho(f"{finding.verdict:<12}", fg=_COLORS.get(finding.verdict), nl=False)
    click.echo(f"{finding.check}: {finding.said}")
    if finding.hint:
        click.echo(f"{'':<12}try: {finding.hint}")
