"""docs/reference/commands.md, from the help of the commands: `python -m tests.docs.make_commands` writes it."""

import os
from collections.abc import Iterator
from pathlib import Path

import click

from jobs.cli.context import Invocation
from jobs.cli.main import tickloom

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"
WIDTH = 120
HEAD = """\
# Commands

<!-- made by `python -m tests.docs.make_commands`; a test compares -->

What `--help` says of each command. Results go to stdout, messages to stderr; `--json` writes JSON where a command has it.

| exit code | means |
|---|---|
| 0 | done; the stack was stopped with Ctrl-C or SIGTERM |
| 1 | failure |
| 2 | wrong usage |
| 3 | wrong configuration, or a start that needs a decision (`--fresh`) |
| 4 | something is missing or cannot be reached |
| 5 | a gateway does not take the key |
| 6 | a check failed (`verify`, `doctor`, `indicators check`, `topics create`), or `up` found topics that would make numbers wrong |
| 130, 143 | ended by Ctrl-C or SIGTERM before it was done |
"""


def page() -> str:
    """The page as it should be."""
    return "\n".join([HEAD, *(line for name, text in helps() for line in (f"## {name}", "", "```text", text, "```", ""))])


def helps() -> Iterator[tuple[str, str]]:
    """Each command by its full name, groups included, and its help as a terminal of `WIDTH` columns shows it."""
    return _helps("tickloom", tickloom, None)


def _helps(name: str, command: click.Command, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    # A context made by hand: its width must not depend on the terminal the page is made in.
    settings = {**tickloom.context_settings, "max_content_width": WIDTH, "terminal_width": WIDTH, "obj": Invocation(os.environ, Path.cwd())}
    ctx = click.Context(command, info_name=name.rpartition(" ")[2], parent=parent, **settings)
    yield name, command.get_help(ctx)
    if isinstance(command, click.Group):
        for child in command.list_commands(ctx):
            found = command.get_command(ctx, child)
            assert found is not None
            yield from _helps(f"{name} {child}", found, ctx)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(PAGE)
