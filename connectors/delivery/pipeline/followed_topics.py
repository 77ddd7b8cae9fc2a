"""Two topics of which a delivery shows the newest: the registry of services, and the dead letters."""

from collections.abc import Iterator

from connectors.clients import KafkaConnection
from connectors.consumer import WAIT_S, Record, TopicReader, begin_offsets, end_offsets
from connectors.delivery.pipeline.dead_letter_book import KEPT, DeadLetterBook, LetterPage
from connectors.registry import Directory, Service
from connectors.topics import Topics

FETCH_WAIT_MS = 1_000
"""Nobody is in a hurry."""


def follow_services(connection: KafkaConnection) -> Iterator[tuple[Service, ...]]:
    """At each step the services that have not taken themselves out, by key. Raises KafkaUnreachable, TopicMissing, ConsumeError."""
    directory = Directory()
    with TopicReader(connection, Topics.of(connection).service_registry, fetch_wait_ms=FETCH_WAIT_MS) as reader:
        while True:
            directory.update(_all_there_is(reader))
            yield tuple(directory.services)


def follow_dead_letters(connection: KafkaConnection) -> Iterator[LetterPage]:
    """At each step the newest dead letters. Raises KafkaUnreachable, TopicMissing, ConsumeError."""
    topic = Topics.of(connection).dead_letters
    with TopicReader(connection, topic, from_offsets=_newest_offsets(connection, topic), fetch_wait_ms=FETCH_WAIT_MS) as reader:
        yield from letter_pages(reader, DeadLetterBook())


def letter_pages(reader: TopicReader, book: DeadLetterBook) -> Iterator[LetterPage]:
    """The same, as `reader` comes to them: each goes into the book at once, as many whole lines would fill the memory."""
    page = book.page()
    while True:
        if book.update(_all_there_is(reader)):
            page = book.page()
        yield page


def _all_there_is(reader: TopicReader) -> Iterator[Record]:
    """What has come in since the last time; at the first time, everything that there was."""
    while not reader.at_end:
        yield from reader.read(WAIT_S)
    while records := reader.read(0):
        yield from records


def _newest_offsets(connection: KafkaConnection, topic: str) -> dict[int, int]:
    """Where the newest records begin, so many that `KEPT` letters can be among them."""
    begins, ends = begin_offsets(connection, topic), end_offsets(connection, topic)
    return {partition: max(begin, ends[partition] - KEPT) for partition, begin in begins.items()}
