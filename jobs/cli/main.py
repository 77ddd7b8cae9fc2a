"""main(): the `tickloom` command: its groups, loaded when they are called, and how an error becomes a message and an exit code."""

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, NoReturn

import click

from jobs.cli.context import Invocation, invocation


class Entry(NamedTuple):
    """Where a command lives (`module:attribute`) and its line in `tickloom --help`."""

    target: str
    summary: str


COMMANDS = {
    "init": Entry("jobs.cli.init:command", "Write a configuration to start from."),
    "setup": Entry("jobs.cli.stack:setup", "Fetch the jars and the chart library, check Java and Python, once."),
    "demo": Entry("jobs.cli.demo:command", "The whole stack with a simulated exchange and a live table."),
    "up": Entry("jobs.cli.stack:up", "Start the stack on this machine and keep it running."),
    "down": Entry("jobs.cli.stack:down", "Stop a stack started with `up --detach`."),
    "status": Entry("jobs.cli.stack:status", "What runs, since when, where."),
    "logs": Entry("jobs.cli.stack:logs", "The logs of the stack's parts."),
    "job": Entry("jobs.cli.job:command", "Run the Flink job."),
    "cluster": Entry("jobs.cli.cluster:command", "A real Flink cluster on this machine."),
    "gateway": Entry("jobs.cli.gateway:command", "Take ticks in over TCP."),
    "delivery": Entry("jobs.cli.delivery:command", "Serve bars and indicators over WebSocket and HTTP, with charts."),
    "simulate": Entry("jobs.cli.simulate:command", "Write the ticks of a simulated exchange."),
    "replay": Entry("jobs.cli.replay:command", "Write the ticks of files."),
    "tail": Entry("jobs.cli.tail:command", "Watch bars and indicators as they come."),
    "verify": Entry("jobs.cli.verify:command", "Prove the results equal to a batch recomputation."),
    "dlq": Entry("jobs.cli.dlq:command", "List and show dead letters, and send them again."),
    "symbols": Entry("jobs.cli.symbols:command", "List the symbols, and drop one from a running job."),
    "services": Entry("jobs.cli.services:command", "Which services are there, and which have gone silent."),
    "keys": Entry("jobs.cli.keys:command", "Make, list and revoke API keys."),
    "topics": Entry("jobs.cli.topics:command", "Create and list the topics."),
    "indicators": Entry("jobs.cli.indicators:command", "List the indicators, and check one of your own."),
    "config": Entry("jobs.cli.config:command", "Check and show the configuration."),
    "doctor": Entry("jobs.cli.doctor:command", "What is wrong here, and what to try."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called, so that `--help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name, in the order people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called `cmd_name`."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands and their lines without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` begins with; an unknown one is answered with the nearest."""
        from difflib import get_close_matches

        close = get_close_matches(args[0], COMMANDS, n=1)
        if args[0] not in COMMANDS and close:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {close[0]!r}?")
        return super().resolve_command(ctx, args)


def _overrides(ctx: click.Context, parameter: click.Parameter, settings: Sequence[str]) -> dict[str, object]:
    pairs = [setting.partition("=") for setting in settings]
    for key, separator, _ in pairs:
        if not separator or "." not in key:
            raise click.BadParameter(f"expected section.key=value, got {key!r}")
    return {key.strip(): value.strip() for key, _, value in pairs}


def _version(ctx: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        from jobs.cli.version import tickloom_version

        click.echo(f"tickloom {tickloom_version(Path(__file__).parents[2])}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version and exit.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="The TOML file to use.")
@click.option("--set", "settings", multiple=True, callback=_overrides, metavar="SECTION.KEY=VALUE", help="Set one key for this run.")
@click.pass_context
def tickloom(ctx: click.Context, config_file: Path | None, settings: dict[str, object]) -> None:
    """OHLCV bars and indicators from live trade ticks, exactly once.

    \b
    Examples:
      tickloom demo                          everything, with a simulated exchange
      tickloom up --detach                   the stack in the background
      tickloom replay ticks.ndjson.gz        write a file's ticks
      tickloom tail IBM --time-frame 1min    watch one symbol
      tickloom verify                        prove the results right
    """  # noqa: D301 (\b is click's mark for a paragraph kept as it is)
    this_run = invocation(ctx)
    this_run.config_file = config_file
    this_run.overrides = settings


def main() -> NoReturn:
    """Run the command line and exit with its code.

    0 ok, 1 failure, 2 usage, 3 configuration, 4 missing or unreachable, 5 auth, 6 a check failed, 130 Ctrl-C, 143 SIGTERM.
    """
    signal.signal(signal.SIGTERM, _on_terminate)
    sys.path.append(str(Path.cwd()))  # where indicators of one's own are looked for last
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run `tickloom ARGUMENTS`; errors become messages on stderr. Returns the exit code."""
    this_run = Invocation(os.environ, Path.cwd())
    try:
        result = tickloom.main(list(arguments), prog_name="tickloom", standalone_mode=False, obj=this_run)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return 130
    except Exception as error:
        return _report(error, this_run)
    return result if isinstance(result, int) else 0


def _report(error: Exception, this_run: Invocation) -> int:
    from jobs.cli.failures import describe

    failure = describe(error, this_run.config)
    if failure is None:
        raise error
    click.echo(f"tickloom: {failure.message}", err=True)
    if failure.hint:
        click.echo(f"try: {failure.hint}", err=True)
    return failure.exit_code


def _on_terminate(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
