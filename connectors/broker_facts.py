"""What brokers say of themselves: version, number, limits."""

import socket
from dataclasses import dataclass

from connectors.clients import KafkaConnection, kafka_python_options
from connectors.errors import ConnectorError, KafkaUnreachable


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """One look at a cluster."""

    brokers: int
    version: tuple[int, ...]
    """The newest release whose requests the first broker answers."""
    transaction_max_timeout_ms: int
    """The longest transaction it lets a producer ask for."""


def broker_facts(connection: KafkaConnection, *, timeout_ms: int = 10_000) -> BrokerFacts:
    """Ask the brokers at `connection`. Raises KafkaUnreachable, ConnectorError."""
    # Imported here: Kafka's Python client takes a quarter of a second.
    from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
    from kafka.errors import KafkaError

    _require_listener(connection.bootstrap, timeout_ms / 1000)
    try:
        admin = KafkaAdminClient(**kafka_python_options(connection), bootstrap_timeout_ms=timeout_ms, request_timeout_ms=timeout_ms)
    except (KafkaError, OSError) as error:
        raise KafkaUnreachable(connection.bootstrap, str(error)) from error
    try:
        brokers = admin.describe_cluster()["brokers"]
        first = brokers[0]["broker_id"]
        version = admin.get_broker_version_data(first).broker_version
        settings = admin.describe_configs([ConfigResource(ConfigResourceType.BROKER, str(first), None)], config_filter="all")
        longest = settings["broker"][str(first)]["transaction.max.timeout.ms"]["value"]
        return BrokerFacts(len(brokers), tuple(version), int(longest))
    except (KafkaError, KeyError, IndexError) as error:
        raise ConnectorError(f"the brokers at {connection.bootstrap}: {error}") from error
    finally:
        admin.close()


def _require_listener(bootstrap: str, timeout_s: float) -> None:
    """Raise KafkaUnreachable at once when nobody listens at any of the addresses; the client would try until its time is up."""
    whys = []
    for address in bootstrap.split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout_s).close()
        except OSError as error:
            whys.append(error.strerror or str(error))
        else:
            return
    raise KafkaUnreachable(bootstrap, "; ".join(dict.fromkeys(whys)))
