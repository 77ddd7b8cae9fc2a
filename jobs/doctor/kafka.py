"""What Kafka says: the broker, the topics, its clock, what was refused, which symbols are split."""

from collections import Counter
from collections.abc import Iterator

from connectors.broker_facts import BrokerFacts, broker_facts
from connectors.codec import decode_dead_letter, decode_result
from connectors.consumer import Record, begin_offsets, end_offsets, read_topic
from connectors.errors import ConnectorError, DecodeError, KafkaUnreachable, TopicMissing
from connectors.replay_notes import is_replay_note
from connectors.topic_metadata import offsets_at
from connectors.topics import Difference, Topics
from jobs.config import Config
from jobs.doctor.findings import Finding, not_checked, ok, warning, wrong
from jobs.local.run_folder import RunFolder
from jobs.symbols import scan_symbols
from jobs.topics import is_alterable, is_missing, is_tuning, wrong_topics

OLDEST = (3, 0)
"""Exactly-once sinks and the clients' requests are tried from here on."""
HOUR_MS = 3_600_000
MOST_LETTERS = 100_000
SYMBOL_RECORDS = 20_000
"""Newest records of each partition that split symbols are looked for in."""
CLOCK_MS = 2_000


def kafka(config: Config, now_ms: int) -> Iterator[Finding]:
    """Everything the brokers can be asked; with none to ask, that alone."""
    facts = _reach(config)
    if isinstance(facts, Finding):
        yield facts
        return
    shown = ".".join(map(str, facts.version))
    said = f"{facts.brokers} broker{'s' if facts.brokers > 1 else ''} at {config.bootstrap}, version {shown}"
    oldest = ".".join(map(str, OLDEST))
    yield ok("Kafka", said) if facts.version >= OLDEST else warning("Kafka", said, f"use {oldest} or newer: older ones are not tried")
    yield transactions(config, facts)
    differences = wrong_topics(config)
    yield from topics(differences)
    if not any(map(is_missing, differences)):
        yield clock(config)
        yield dead_letters(config, now_ms)
        yield split_symbols(config)


def _reach(config: Config) -> BrokerFacts | Finding:
    try:
        return broker_facts(config.kafka_connection())
    except KafkaUnreachable as error:
        if config.embedded and RunFolder(config.stack.data_dir).stack_pid() is None:
            return not_checked("Kafka", f"the embedded broker is not running ({config.cite('kafka.listen')})", "tickloom up")
        hint = "tickloom logs broker" if config.embedded else "check the address, the network, and kafka.options"
        return wrong("Kafka", f"{error} ({config.cite('kafka.bootstrap')})", hint)
    except ConnectorError as error:
        return warning("Kafka", str(error))


def transactions(config: Config, facts: BrokerFacts) -> Finding:
    """Whether the broker allows transactions as long as the job's."""
    try:
        from jobs.dataflow import transaction_timeout_ms
    except ImportError:
        return not_checked("transactions", "PyFlink is not installed")
    asked, allowed = transaction_timeout_ms(config), facts.transaction_max_timeout_ms
    if asked > allowed:
        said = f"the job asks for {_minutes(asked)}, the broker allows {_minutes(allowed)} at most: no final can be written"
        return wrong("transactions", said, f"lower job.transaction_timeout, or set the broker's transaction.max.timeout.ms to {asked}")
    return ok("transactions", f"time out after {_minutes(asked)}; the broker allows {_minutes(allowed)}")


def topics(differences: tuple[Difference, ...]) -> Iterator[Finding]:
    """Whether the topics are what they should be."""
    if not differences:
        yield ok("topics", "all are there, with the settings that matter")
    missing = [difference.topic for difference in differences if is_missing(difference)]
    if missing:
        yield warning("topics", f"there is no {', '.join(missing)}", "tickloom topics create")
    for difference in differences:
        if is_missing(difference):
            continue
        hint = "tickloom topics alter" if is_alterable(difference) else "change the topic, or kafka.partitions"
        yield (warning if is_tuning(difference) else wrong)("topics", str(difference), hint)


def clock(config: Config) -> Finding:
    """Whether the job's clock and the broker's agree, by the newest forming and final bars: one wrote them, the other noted when."""
    names = Topics.of(config.kafka_connection())
    apart = [
        record.timestamp_ms - emitted_ms
        for topic in (names.indicator_live, names.indicator_results)
        for record in _newest(config, topic)
        if (emitted_ms := _emitted_ms(record)) is not None
    ]
    if not apart:
        return not_checked("clock", "there is no result yet by which the job's clock and the broker's could be compared")
    behind, ahead = min(apart), -min(apart)
    if ahead > CLOCK_MS:
        return warning("clock", f"the job's clock is {ahead / 1000:.1f} s ahead of the broker's", "let NTP set both clocks")
    if behind > CLOCK_MS:
        said = f"results reach the broker {behind / 1000:.1f} s after the job made them: its clock is behind, or the way is long"
        return warning("clock", said, "let NTP set both clocks")
    return ok("clock", f"the job's and the broker's agree within {CLOCK_MS / 1000:.0f} s")


def dead_letters(config: Config, now_ms: int) -> Finding:
    """What was refused in the last hour, by reason."""
    connection = config.kafka_connection()
    topic = Topics.of(connection).dead_letters
    starts, ends = offsets_at(connection, topic, now_ms - HOUR_MS), end_offsets(connection, topic)
    starts = {partition: max(start, ends[partition] - MOST_LETTERS) for partition, start in starts.items()}
    counts: Counter[str] = Counter()
    for record in read_topic(connection, topic, from_offsets=starts):
        if is_replay_note(record.value or b""):
            continue
        try:
            counts[decode_dead_letter(record.value or b"").reason.value] += 1
        except DecodeError:
            counts["unreadable"] += 1
    if not counts:
        return ok("dead letters", "none in the last hour")
    listed = ", ".join(f"{count:,} {reason}" for reason, count in counts.most_common())
    return warning("dead letters", f"in the last hour: {listed}", "tickloom dlq ls")


def split_symbols(config: Config) -> Finding:
    """Symbols whose newest ticks lie in several partitions."""
    seen = scan_symbols(config.kafka_connection(), SYMBOL_RECORDS)
    split = [symbol.stock_id for symbol in seen.values() if symbol.is_split]
    if split:
        named = ", ".join(split[:5]) + (f" and {len(split) - 5:,} more" if len(split) > 5 else "")
        hint = "let every producer partition by the key with murmur2 (librdkafka: partitioner=murmur2_random), then `tickloom symbols drop`"
        return warning("split symbols", f"{named}: ticks in several partitions, so that their order is nobody's", hint)
    return ok("split symbols", f"none among {len(seen):,} symbols in the newest ticks")


def _newest(config: Config, topic: str) -> list[Record]:
    """The last records of each partition that still has some."""
    connection = config.kafka_connection()
    try:
        begins, ends = begin_offsets(connection, topic), end_offsets(connection, topic)
        return list(read_topic(connection, topic, from_offsets={each: max(begins.get(each, 0), end - 3) for each, end in ends.items()}))
    except TopicMissing:
        return []


def _emitted_ms(record: Record) -> int | None:
    try:
        return decode_result(record.value or b"").emitted_ms
    except DecodeError:
        return None


def _minutes(ms: int) -> str:
    return f"{ms / 3_600_000:g} h" if ms >= HOUR_MS else f"{ms / 60_000:g} min"
