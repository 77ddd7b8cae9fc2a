"""`tickloom config`: check the configuration, and show what is in force and who said so."""

import re

import click

from jobs.cli.context import current_config, json_option, write_json
from jobs.config import Config
from jobs.config_file import toml_text

MASK = "********"
_SECRET = re.compile(r"password|secret|jaas|token|\bkey$|\.pem$|keystore\.key", re.IGNORECASE)


@click.group(name="config")
def config_command() -> None:
    """Check and show the configuration.

    \b
    Examples:
      tickloom config check
      tickloom config show --origin
      TICKLOOM__BARS__ALLOWED_LATENESS=30min tickloom config show --json
    """  # noqa: D301


@config_command.command()
@click.pass_context
def check(ctx: click.Context) -> None:
    """Say whether the configuration is valid; exit 3 when it is not."""
    config = current_config(ctx)
    changed = len(config.origins)
    click.echo(f"the configuration is valid: {changed} key{'' if changed == 1 else 's'} set, the others by default", err=True)


@config_command.command()
@click.option("--origin", "with_origin", is_flag=True, help="Say of each key where it was set.")
@json_option
@click.pass_context
def show(ctx: click.Context, with_origin: bool, as_json: bool) -> None:
    """Show every key and its value as TOML; secrets are masked."""
    config = current_config(ctx)
    values = masked(config)
    if as_json:
        write_json({key: {"value": value, "origin": _origin(config, key)} for key, value in values.items()} if with_origin else values)
        return
    section = ""
    for key, value in values.items():
        if key.partition(".")[0] != section:
            click.echo(f"{'' if not section else chr(10)}[{(section := key.partition('.')[0])}]")
        line = f"{key.partition('.')[2]} = {toml_text(value)}" if value is not None else f"# {key.partition('.')[2]} is not set"
        click.echo(f"{line:<56} # {_origin(config, key)}" if with_origin and value is not None else line)


def masked(config: Config) -> dict[str, object]:
    """Every key and its value, with what is secret replaced by a mask: secret options, and whatever a secret's file said."""
    values = config.values()
    options = values["kafka.options"]
    if isinstance(options, dict):
        values["kafka.options"] = {name: MASK if _SECRET.search(name) else value for name, value in options.items()}
    return {key: MASK if key in config.secrets else value for key, value in values.items()}


def _origin(config: Config, key: str) -> str:
    if key.startswith("indicators."):
        return config.origins.get(key, "default")
    return config.origin(key)


command = config_command
