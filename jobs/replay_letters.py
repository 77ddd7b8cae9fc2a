"""The shell of `tickloom dlq replay`: reads dead letters, lets each have its fate, and sends those that are ticks now."""

from collections.abc import Callable, Iterator

from connectors.clients import KafkaConnection
from connectors.consumer import read_topic
from connectors.replay_publisher import ReplayedLine, ReplayPublisher
from connectors.topics import Topics
from jobs.dead_letter_replay import Fate, Mender, Selection, replayed_before, selected

LINES_PER_TRANSACTION = 1_000
_FATES_AT_ONCE = 10_000


def replay_letters(
    connection: KafkaConnection,
    mender: Mender,
    selection: Selection,
    publisher: ReplayPublisher | None,
    now_ms: Callable[[], int],
    *,
    again: bool = False,
) -> Iterator[Fate]:
    """The fate of each letter selected, in their order; without `publisher` nothing is sent.

    What was replayed before is passed over, unless `again`. A line is durable when its fate is told.
    Raises KafkaUnreachable, TopicMissing, ConsumeError, PublishError.
    """
    topic = Topics.of(connection).dead_letters
    before = set() if again else replayed_before(read_topic(connection, topic))
    fates: list[Fate] = []
    lines: list[ReplayedLine] = []

    def told() -> list[Fate]:
        if publisher is not None and lines:
            publisher.send(lines, now_ms())
        done = list(fates)
        fates.clear()
        lines.clear()
        return done

    for entry in selected(read_topic(connection, topic), selection, before):
        fates.append(mender.fate(entry, now_ms()))
        if (line := fates[-1].line) is not None:
            lines.append(line)
        if len(lines) >= LINES_PER_TRANSACTION or len(fates) >= _FATES_AT_ONCE:
            yield from told()
    yield from told()
