"""What every command of `tickloom` shares: the global options, the configuration they lead to, and output as JSON."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from jobs.config import Config

F = TypeVar("F", bound=Callable[..., Any])

json_option: Callable[[F], F] = click.option("--json", "as_json", is_flag=True, help="Write JSON instead of a table.")


@dataclass(slots=True)
class Invocation:
    """One run of the command: where it was called and with which global options."""

    environ: Mapping[str, str]
    cwd: Path
    config_file: Path | None = None
    overrides: dict[str, object] = field(default_factory=dict)
    config: "Config | None" = None

    def command_line(self, *arguments: str) -> list[str]:
        """The command that runs `tickloom ARGUMENTS` with the same configuration, in a process of its own."""
        options = ["--config", str(self.cwd / self.config_file)] if self.config_file else []
        for key, value in self.overrides.items():
            options += ["--set", f"{key}={value}"]
        return [sys.executable, "-m", "jobs.cli.main", *options, *arguments]


def invocation(ctx: click.Context) -> Invocation:
    """The run that `ctx` belongs to."""
    found = ctx.find_object(Invocation)
    if found is None:
        found = ctx.obj = Invocation(os.environ, Path.cwd())
    return found


def current_config(ctx: click.Context) -> "Config":
    """The configuration of this run, loaded once. Raises ConfigError."""
    from jobs.config_load import load_config

    run = invocation(ctx)
    if run.config is None:
        run.config = load_config(run.config_file, run.environ, run.cwd, run.overrides)
    return run.config


def write_json(value: object) -> None:
    """Write `value` to stdout as one line of JSON."""
    import orjson

    click.echo(orjson.dumps(value, default=str).decode())
