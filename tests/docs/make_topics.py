"""docs/reference/topics.md, from the topics' own settings: `python -m tests.docs.make_topics` writes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from connectors.topics import AHEAD_MARGIN_MS, DAY_MS, FOREVER, HOUR_MS, TopicSpec
from jobs.config_load import load_config
from jobs.topics import wanted_topics

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "topics.md"


class About(NamedTuple):
    """What a reader of the page wants to know of a topic besides its settings."""

    what: str
    key: str
    time: str
    delivery: str
    read_with: str


ABOUT = {
    "stock_data": About(
        "Ticks in: a value is one or more lines of JSON of **one** symbol, each a tick. Heartbeats have an empty key and no value; "
        "a line that is no tick may [drop its symbol](../explanation/meaning.md#dropping-a-symbol).",
        "the symbol, partitioned by murmur2 (librdkafka: `partitioner=murmur2_random`); without a key, the first line's symbol is taken",
        "event time of its newest tick",
        "as the producer makes it; repeats with `id` or `seq` are recognized",
        "`tickloom verify` proves results from it",
    ),
    "indicator_results": About(
        "Final and revised bars with their indicators, one JSON object a record: [what a bar means](../explanation/meaning.md).",
        "the symbol",
        "when the broker got it",
        "exactly once: visible with the checkpoint that follows (`job.checkpoint_interval`)",
        "`isolation.level=read_committed`; the newest record of a bar is the one of the highest `(run, revision)`",
    ),
    "indicator_live": About(
        "Forming bars, at most one a symbol and time frame in `live.interval`.",
        "the symbol",
        "when the broker got it",
        "at least once; a burst leaves out what is outdated before it is shown",
        "drop a forming record once its bar has a final, and an older `as_of_ms` of the same `run`",
    ),
    "dead_letters": About(
        "Lines that do not count: `reason` ([all of them](reasons.md)), `detail`, `stage`, where the line was, and the line in base64 in "
        '`original` (above 256 KiB cut: `original_size`, `truncated`). A value that begins with `{"replayed":` is a note of letters '
        "[sent again](../how-to/send-dead-letters-again.md).",
        "the symbol the job read it under",
        "when the broker got it",
        "at least once: the same `(topic, partition, offset, line)` may come twice",
        "`tickloom dlq ls`, `tickloom dlq show`, `tickloom dlq replay`",
    ),
    "service_registry": About(
        "Which services run where: `service`, `instance`, `address`, `version`, `started_ms`, `seen_ms`, `load`. "
        "Each writes itself every 5 s, and a null value when it stops.",
        "`service/instance`",
        "when it was written",
        "at least once; of each key the newest record counts",
        "`tickloom services`; one whose `seen_ms` is 15 s old is gone",
    ),
}
HEAD = """\
# Topics

<!-- made by `python -m tests.docs.make_topics`; a test compares -->

`tickloom topics create` makes them, on your own Kafka too; an existing topic with other settings is named (`tickloom topics ls`), and
changed by `tickloom topics alter` only. `kafka.topic_prefix` stands before every name. Settings are those of the default configuration.

Two of them have a reason one easily forgets. Kafka deletes by record time, so a topic with an age would lose a replay at once: `stock_data`
and `indicator_results` are capped by bytes (`retention`). And Kafka refuses a whole batch for one record far in the future, so it is laxer
than `ticks.max_future`, and the job does the strict check line by line.
"""
NOTES = {
    ("retention.ms", "-1"): "no age",
    ("retention.ms", str(HOUR_MS)): "1 h",
    ("retention.ms", str(30 * DAY_MS)): "30 d",
    ("segment.ms", FOREVER): "segments by size only",
    ("segment.ms", str(DAY_MS)): "1 d",
    ("segment.ms", str(HOUR_MS)): "1 h",
    ("segment.ms", str(HOUR_MS // 6)): "10 min",
    ("message.timestamp.before.max.ms", FOREVER): "any age",
    ("message.timestamp.after.max.ms", str(5_000 + AHEAD_MARGIN_MS)): "`ticks.max_future` + 60 s",
}


def page() -> str:
    """The page as it should be."""
    specs = wanted_topics(load_config(None, {}, Path("/"), {}))
    return "\n".join([HEAD, *(line for spec in specs for line in _topic(spec, ABOUT[spec.name]))])


def _topic(spec: TopicSpec, about: About) -> Iterator[str]:
    yield from (f"## {spec.name}", "", about.what, "", "| | |", "|---|---|")
    yield f"| key | {about.key} |"
    yield f"| record time | {about.time} |"
    yield f"| delivery | {about.delivery} |"
    yield f"| reading | {about.read_with} |"
    yield f"| partitions | {spec.partitions} |"
    for name, value in spec.settings.items():
        yield f"| `{name}` | `{value}`{_note(name, value)} |"
    yield ""


def _note(name: str, value: str) -> str:
    if name in ("retention.bytes", "segment.bytes", "max.message.bytes"):
        return f", {int(value) // 2**20:,} MiB" + (" a partition" if name == "retention.bytes" else "")
    return f", {NOTES[name, value]}" if (name, value) in NOTES else ""


if __name__ == "__main__":
    PAGE.write_text(page())
    print(PAGE)
