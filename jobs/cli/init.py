"""`tickloom init`: a configuration to start from."""

from pathlib import Path

import click

from jobs.cli.context import invocation


@click.command(name="init")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default="tickloom.toml")
@click.option("--force", is_flag=True, help="Overwrite FILE if it is there.")
@click.pass_context
def command(ctx: click.Context, file: Path, force: bool) -> None:
    """Write FILE (tickloom.toml), in which every key stands at its default beside what it means.

    \b
    Examples:
      tickloom init
      tickloom init other.toml && tickloom --config other.toml config check
    """  # noqa: D301
    from jobs.config_file import starter_file
    from jobs.errors import JobsError

    target = invocation(ctx).cwd / file
    try:
        with target.open("w" if force else "x", encoding="utf-8") as output:
            output.write(starter_file())
    except FileExistsError as error:
        raise JobsError(f"{file} is there already", f"tickloom init --force {file}, which overwrites it") from error
    click.echo(f"wrote {file}; try: tickloom --config {file} config check", err=True)
