"""What `simulate` and `replay` share: the way ticks take, topics made ready, ticks sent until the end or Ctrl-C, a summary."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    import ssl

    from connectors.clients import KafkaConnection
    from connectors.publisher import Publisher
    from jobs.config import Config

F = TypeVar("F", bound=Callable[..., Any])
KAFKA, GATEWAY = "kafka", "gateway"


def way_options(command: F) -> F:
    """The options that say which way ticks take; `way_asked` makes a Way of them."""
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    for option in (
        click.option("--tls-ca", type=file, metavar="FILE", help="The gateway speaks TLS, and this authority (PEM) knows it."),
        click.option("--key-file", type=file, metavar="FILE", help="Holds the API key for the gateway."),
        click.option("--gateway", metavar="HOST:PORT", help="Through this gateway.  [default: gateway.listen]"),
        click.option(
            "--via",
            type=click.Choice([KAFKA, GATEWAY]),
            help="Straight into Kafka, or through a gateway.  [default: kafka, unless --gateway is given]",
        ),
    ):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Way:
    """The way ticks take into `stock_data`: straight, or through the gateway at `gateway`."""

    gateway: str | None = None
    key: str | None = None
    tls: "ssl.SSLContext | None" = None


def way_asked(config: "Config", asked: Mapping[str, Any]) -> Way:
    """The way that the options of `way_options` say."""
    from jobs.config_terms import dialled

    if asked["via"] == KAFKA or (asked["via"] is None and asked["gateway"] is None):
        if asked["gateway"] or asked["key_file"] or asked["tls_ca"]:
            raise click.UsageError("--gateway, --key-file and --tls-ca need --via gateway")
        return Way()
    address = asked["gateway"] or dialled(config.gateway.listen)
    key = asked["key_file"].read_text().strip() if asked["key_file"] else None
    return Way(address, key, _tls(asked["tls_ca"]) if asked["tls_ca"] else None)


def _tls(authority: Path) -> "ssl.SSLContext":
    import ssl

    try:
        return ssl.create_default_context(cafile=authority)
    except ssl.SSLError as error:
        raise click.BadParameter(f"{authority} is no PEM file of certificates", param_hint="--tls-ca") from error


def make_topics(config: "Config", connection: "KafkaConnection") -> tuple[str, ...]:
    """Make the topics of `connection`'s prefix that are missing; says which those were."""
    from connectors.topics import Topics, create_topics
    from jobs.topics import wanted_topics

    return create_topics(connection, wanted_topics(config, Topics.of(connection))).created


@contextmanager
def publishing(connection: "KafkaConnection", way: Way, client: str, *, replay: bool) -> Iterator["Publisher"]:
    """A publisher that is closed, and so has everything durable, whatever ends the feed.

    `client` is its name to a gateway, `replay` says that its ticks are of the past.
    """
    publisher = _publisher(connection, way, client, replay=replay)
    try:
        yield publisher
    finally:
        publisher.close()


def _publisher(connection: "KafkaConnection", way: Way, client: str, *, replay: bool) -> "Publisher":
    if way.gateway is None:
        from connectors.kafka_publisher import KafkaPublisher

        return KafkaPublisher(connection)
    from connectors.tcp_publisher import TcpPublisher

    try:
        return TcpPublisher(way.gateway, client=client, replay=replay, key=way.key, tls=way.tls)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--gateway") from error


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
