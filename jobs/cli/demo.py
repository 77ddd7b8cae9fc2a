"""`tickloom demo`: everything on one machine, with a simulated exchange."""

import click

from jobs.cli.context import current_config, invocation


@click.command()
@click.option("--symbols", type=click.IntRange(1, 100_000), default=200, show_default=True, help="How many symbols trade.")
@click.option("--rate", type=click.FloatRange(0.01), default=2000.0, show_default=True, help="Ticks a second, all symbols together.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the simulation.")
@click.pass_context
def command(ctx: click.Context, symbols: int, rate: float, seed: int) -> None:
    """Run the whole stack with a simulated exchange and a live table, until Ctrl-C.

    The exchange first writes 40 days of history, so that every indicator of every time frame has a value.

    \b
    Examples:
      tickloom demo
      tickloom demo --symbols 1000 --rate 5000
      tickloom demo > demo.log &        without a terminal it says now and then how it stands
    """  # noqa: D301 (\b is click's mark for a paragraph kept as it is)
    from jobs.feed import WallClock
    from jobs.local.assets import install_assets
    from jobs.local.demo import run_demo
    from jobs.local.jars import install_jars

    config = current_config(ctx)
    install_jars(config.stack.jars)
    if config.delivery.enabled:
        install_assets(config.assets)
    run = invocation(ctx)
    run_demo(config, run.command_line, run.environ, WallClock(), ["--symbols", str(symbols), "--rate", str(rate), "--seed", str(seed)])
