"""Service discovery over the compacted topic `service_registry`: each service writes itself, whoever looks reads all of them."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

import msgspec
from confluent_kafka import KafkaException, Producer

from connectors.clients import KafkaConnection, librdkafka_options
from connectors.consumer import Record, read_topic
from connectors.topic_metadata import QUIET, partitions_of
from connectors.topics import Topics

INTERVAL_S = 5.0
"""How often a service writes itself."""
SILENT_AFTER_MS = 15_000
"""Without a record for this long, a service counts as gone."""
LEAVE_S = 2.0
"""How long a service that stops waits until that is known."""
_MESSAGE_TIMEOUT_MS = 10_000
"""A record that is older is of no use: the next one says more."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One running service, as its newest record has it. Instants are epoch ms by the service's own clock."""

    service: str
    """What it is: `gateway`."""
    instance: str
    """Which one of them: its name, unique among its like."""
    address: str
    """`host:port` where clients reach it."""
    version: str
    started_ms: int
    seen_ms: int
    """When it wrote this."""
    load: Mapping[str, float] = {}
    """What it has to do now, by names of its own."""

    @property
    def key(self) -> str:
        """Its record's key; the newest record of a key is the service."""
        return f"{self.service}/{self.instance}"

    def is_silent(self, now_ms: int) -> bool:
        """Whether it has not been heard of for so long that it counts as gone."""
        return now_ms - self.seen_ms > SILENT_AFTER_MS


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Service).decode


class Registration:
    """A service's own entry. Nothing blocks but `leave`; while Kafka is away, what could not be written is forgotten.

    Raises KafkaUnreachable, TopicMissing when made.
    """

    def __init__(self, connection: KafkaConnection, service: str, instance: str, address: str, version: str, started_ms: int) -> None:
        self._first = Service(
            service=service, instance=instance, address=address, version=version, started_ms=started_ms, seen_ms=started_ms
        )
        self._topic = Topics.of(connection).service_registry
        self._producer = Producer(
            {
                **librdkafka_options(connection),
                **QUIET,
                "acks": "all",
                "enable.idempotence": True,
                "message.timeout.ms": _MESSAGE_TIMEOUT_MS,
                "queue.buffering.max.messages": 100,
                "delivery.report.only.error": True,
            }
        )
        partitions_of(self._producer, connection, self._topic)

    def say(self, now_ms: int, load: Mapping[str, float]) -> None:
        """Write that the service is there, and what it has to do. To be called each `INTERVAL_S`."""
        self._write(_encode(msgspec.structs.replace(self._first, seen_ms=now_ms, load=dict(load))))

    def leave(self) -> None:
        """Take the entry out, and let go of the connection. Blocks for up to `LEAVE_S` when Kafka does not answer."""
        self._write(None)
        self._producer.flush(LEAVE_S)
        self._producer.purge()
        self._producer.close()

    def _write(self, value: bytes | None) -> None:
        self._producer.poll(0)
        try:
            self._producer.produce(self._topic, value, self._first.key.encode())
        except (BufferError, KafkaException):  # the next one says more
            self._producer.poll(0)


async def keep_registered(entry: Registration, load: Callable[[int], Mapping[str, float]], now_ms: Callable[[], int]) -> None:
    """Write the service and its load, which is told the time, each `INTERVAL_S`, until cancelled."""
    while True:
        at_ms = now_ms()
        entry.say(at_ms, load(at_ms))
        await asyncio.sleep(INTERVAL_S)


def read_services(connection: KafkaConnection) -> list[Service]:
    """Every service that has not taken itself out, by key; those gone silent too. Raises KafkaUnreachable, TopicMissing, ConsumeError."""
    return newest_services(read_topic(connection, Topics.of(connection).service_registry))


def newest_services(records: Iterable[Record]) -> list[Service]:
    """The services that `records` leave behind, by key; a record that is none is passed over."""
    directory = Directory()
    directory.update(records)
    return directory.services


class Directory:
    """The services that the registry's records leave behind, for those who go on reading it."""

    def __init__(self) -> None:
        self._found: dict[bytes | None, Service] = {}

    @property
    def services(self) -> list[Service]:
        """Every service that has not taken itself out, by key."""
        return sorted(self._found.values(), key=lambda service: service.key)

    def update(self, records: Iterable[Record]) -> None:
        """Take further records; one that is no service's is passed over."""
        for record in records:
            self._found.pop(record.key, None)
            if record.value is None:
                continue
            try:
                self._found[record.key] = _decode(record.value)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue


def discover(connection: KafkaConnection, service: str, now_ms: int) -> list[str]:
    """Addresses of every live `service` (such as "gateway"), the least loaded with connections first.

    Raises KafkaUnreachable, TopicMissing, ConsumeError.
    """
    live = [each for each in read_services(connection) if each.service == service and not each.is_silent(now_ms)]
    return [each.address for each in sorted(live, key=lambda each: each.load.get("connections", 0.0))]
