"""`tickloom gateway`: take ticks in over TCP."""

from pathlib import Path

import click

from jobs.cli.context import current_config


@click.command()
@click.pass_context
def command(ctx: click.Context) -> int:
    """Take ticks in over TCP, one JSON object a line, and write them to Kafka.

    Runs until Ctrl-C or SIGTERM; then everything taken becomes durable, clients are told, and it ends with 0 within
    10 s. A second Ctrl-C ends it at once, with 130. Logs are JSON lines on stderr; health and metrics are served on
    gateway.admin.

    \b
    Examples:
      tickloom gateway
      tickloom --set gateway.listen=127.0.0.1:7000 gateway
      echo '{"stock_id":"IBM","price":184.05,"size":100}' | nc -q1 127.0.0.1 9999
    """  # noqa: D301 (\b is click's mark for a paragraph kept as it is)
    from jobs.cli.version import tickloom_version
    from jobs.gateway import run_gateway

    return run_gateway(current_config(ctx), tickloom_version(Path(__file__).parents[2]))
