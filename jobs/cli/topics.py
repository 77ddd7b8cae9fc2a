"""`tickloom topics`: create the topics, and list what they are."""

import click

from jobs.cli.context import current_config, json_option, write_json


@click.group(name="topics")
def topics_command() -> None:
    """Create and list the topics, and give existing ones the settings of the configuration.

    \b
    Examples:
      tickloom topics create
      tickloom topics alter
      tickloom topics ls --json
    """  # noqa: D301


@topics_command.command()
@click.pass_context
def create(ctx: click.Context) -> None:
    """Create the topics that are missing; exit 6 when an existing one has other settings (it is not changed)."""
    from jobs.topics import make_topics

    created = make_topics(current_config(ctx)).created
    click.echo(f"created {', '.join(created)}" if created else "every topic was there already", err=True)


@topics_command.command()
@click.pass_context
def alter(ctx: click.Context) -> None:
    """Give existing topics the settings that the configuration wants: after a change of retention or ticks.max_future.

    A smaller retention deletes the oldest records. The number of partitions is never changed: keys would move to others.
    """
    from jobs.topics import align_topics

    for each in (altered := align_topics(current_config(ctx))):
        click.echo(f"{each.topic}: {each.setting} is {each.wanted} now, was {each.found}", err=True)
    if not altered:
        click.echo("every setting was as it should be", err=True)


@topics_command.command()
@json_option
@click.pass_context
def ls(ctx: click.Context, as_json: bool) -> None:
    """List the topics, what is wanted of each, and how an existing one differs."""
    from jobs.topics import wanted_topics, wrong_topics

    config = current_config(ctx)
    differences = wrong_topics(config)
    rows = [
        {
            "topic": spec.name,
            "partitions": spec.partitions,
            "settings": dict(spec.settings),
            "differences": [f"{one.setting} is {one.found}, wanted {one.wanted}" for one in differences if one.topic == spec.name],
        }
        for spec in wanted_topics(config)
    ]
    if as_json:
        write_json(rows)
    else:
        _print_table(rows)


def _print_table(rows: list[dict[str, object]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("topic", "partitions", "settings", "differs in", box=None)
    for row in rows:
        settings, differences = row["settings"], row["differences"]
        assert isinstance(settings, dict)
        assert isinstance(differences, list)
        listed = "\n".join(f"{name}={value}" for name, value in settings.items())
        table.add_row(str(row["topic"]), str(row["partitions"]), listed, "\n".join(differences))
    Console().print(table)


command = topics_command
