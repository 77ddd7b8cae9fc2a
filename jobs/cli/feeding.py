"""What `simulate` and `replay` share: topics made ready, ticks sent until the end or Ctrl-C, a summary of what was sent."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from jobs.config import Config

if TYPE_CHECKING:
    from connectors.clients import KafkaConnection
    from connectors.publisher import Publisher


def make_topics(config: Config, connection: "KafkaConnection") -> tuple[str, ...]:
    """Make the topics of `connection`'s prefix that are missing; says which those were."""
    from connectors.topics import Topics, create_topics
    from jobs.topics import wanted_topics

    return create_topics(connection, wanted_topics(config, Topics.of(connection))).created


@contextmanager
def publishing(connection: "KafkaConnection") -> Iterator["Publisher"]:
    """A publisher that is closed, and so has everything durable, whatever ends the feed."""
    from connectors.kafka_publisher import KafkaPublisher

    publisher = KafkaPublisher(connection)
    try:
        yield publisher
    finally:
        publisher.close()


@contextmanager
def summarised(summary: Callable[[], Mapping[str, object]], *, as_json: bool) -> Iterator[None]:
    """Say at the end what a feed did, also when it is interrupted; not when it fails."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        _write(summary(), as_json=as_json)
        raise
    _write(summary(), as_json=as_json)


def _write(summary: Mapping[str, object], *, as_json: bool) -> None:
    """On stdout as JSON when that is asked for, else in one line on stderr."""
    from jobs.cli.context import write_json

    if as_json:
        write_json(summary)
        return
    shown = (f"{name.replace('_', ' ')} {value:,}" if isinstance(value, int) else f"{name} {value}" for name, value in summary.items())
    click.echo("; ".join(shown), err=True)
