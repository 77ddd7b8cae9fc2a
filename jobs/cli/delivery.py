"""`tickloom delivery`: serve bars and indicators."""

import sys
from pathlib import Path

import click

from jobs.cli.context import current_config


@click.command()
@click.pass_context
def command(ctx: click.Context) -> int:
    """Serve bars and indicators over WebSocket and HTTP, with a page of charts.

    Runs until Ctrl-C or SIGTERM; then clients are told, and it ends with 0 within 10 s. A second Ctrl-C ends it at once,
    with 130. It keeps a cache of the results in delivery.store, which it makes anew when that is deleted. Logs are JSON
    lines on stderr.

    \b
    Examples:
      tickloom delivery                  then open http://127.0.0.1:8080/
      tickloom --set delivery.name=d2 --set delivery.listen=127.0.0.1:8090 delivery
      curl 'http://127.0.0.1:8080/v1/bars?symbols=IBM&time_frame=1min&limit=10'
    """  # noqa: D301 (\b is click's mark for a paragraph kept as it is)
    from jobs.cli.version import tickloom_version
    from jobs.delivery import run_delivery

    return run_delivery(current_config(ctx), tickloom_version(Path(__file__).parents[2]), terminal=sys.stderr.isatty())
