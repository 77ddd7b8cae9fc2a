"""The topics as data: their names and the settings that matter; and making the ones that are missing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.clients import KafkaConnection, kafka_python_options
from connectors.errors import ConnectorError, KafkaUnreachable

if TYPE_CHECKING:
    from kafka.admin import KafkaAdminClient

MIB = 1024 * 1024
SECOND_MS = 1_000
HOUR_MS = 3600 * SECOND_MS
DAY_MS = 24 * HOUR_MS
AHEAD_MARGIN_MS = 60 * SECOND_MS
"""How much further than `max_future` the broker lets a tick's timestamp be ahead: its refusal takes the whole batch."""
FOREVER = str(2**63 - 1)


@dataclass(frozen=True, slots=True)
class Topics:
    """The full names of the topics of one prefix; `ticks`, where given, is another stack's topic of ticks."""

    prefix: str = ""
    ticks: str = ""

    @classmethod
    def of(cls, connection: KafkaConnection) -> "Topics":
        """The topics that `connection` leads to."""
        own = cls(connection.topic_prefix)
        return own if connection.ticks_topic in ("", own.stock_data) else cls(own.prefix, connection.ticks_topic)

    @property
    def stock_data(self) -> str:
        """Ticks in, and heartbeats."""
        return self.ticks or f"{self.prefix}stock_data"

    @property
    def indicator_results(self) -> str:
        """Final and revised bars, exactly once."""
        return f"{self.prefix}indicator_results"

    @property
    def indicator_live(self) -> str:
        """Forming bars."""
        return f"{self.prefix}indicator_live"

    @property
    def dead_letters(self) -> str:
        """Lines that do not count."""
        return f"{self.prefix}dead_letters"

    @property
    def service_registry(self) -> str:
        """Which services run where."""
        return f"{self.prefix}service_registry"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """What a topic should be. `settings` are Kafka's topic settings, by Kafka's names."""

    name: str
    partitions: int
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """An existing topic that is not what its spec says: one setting, or `partitions`."""

    topic: str
    setting: str
    wanted: str
    found: str

    def __str__(self) -> str:
        if (self.setting, self.found) == ("partitions", "0"):
            return f"topic {self.topic!r} does not exist"
        return f"topic {self.topic!r}: {self.setting} is {self.found}, wanted {self.wanted}"


@dataclass(frozen=True, slots=True)
class TopicsReport:
    """What `create_topics` did: the topics it made, and how existing ones differ from their specs."""

    created: tuple[str, ...]
    differences: tuple[Difference, ...]


def topic_specs(
    topics: Topics, *, partitions: int, stock_data_bytes: int, indicator_results_bytes: int, max_future_ms: int
) -> tuple[TopicSpec, ...]:
    """All five topics. The byte caps are for a whole topic; Kafka's `retention.bytes` is for a partition of it."""
    ahead_ms = max_future_ms + AHEAD_MARGIN_MS
    event_time = {"message.timestamp.type": "CreateTime", "message.timestamp.before.max.ms": FOREVER}
    # Kafka also rolls segments by record time: a replay would leave thousands of tiny ones.
    event_time |= {"message.timestamp.after.max.ms": str(ahead_ms), "segment.ms": FOREVER}
    arrival = {"cleanup.policy": "delete", "message.timestamp.type": "LogAppendTime"}
    return (
        TopicSpec(topics.stock_data, partitions, {"cleanup.policy": "delete", **event_time, **_capped(stock_data_bytes, partitions)}),
        TopicSpec(topics.indicator_results, partitions, {**arrival, **_capped(indicator_results_bytes, partitions)}),
        TopicSpec(topics.indicator_live, partitions, {**arrival, **_for(HOUR_MS)}),
        TopicSpec(topics.dead_letters, 1, {**arrival, **_for(30 * DAY_MS), "max.message.bytes": str(4 * MIB)}),
        TopicSpec(topics.service_registry, 1, {"cleanup.policy": "compact", "segment.ms": str(HOUR_MS)}),
    )


def _capped(topic_bytes: int, partitions: int) -> dict[str, str]:
    """Kept whatever their age, up to a size; only whole segments are deleted, so these are a quarter of it at most."""
    partition_bytes = max(topic_bytes // partitions, 4 * MIB)
    segment_bytes = min(max(partition_bytes // 4, MIB), 1024 * MIB)
    return {"retention.ms": "-1", "retention.bytes": str(partition_bytes), "segment.bytes": str(segment_bytes)}


def _for(age_ms: int) -> dict[str, str]:
    """Kept for `age_ms`, in whole segments of at most a sixth of it."""
    return {"retention.ms": str(age_ms), "segment.ms": str(min(age_ms // 6, DAY_MS))}


def create_topics(
    connection: KafkaConnection, specs: Sequence[TopicSpec], *, replication: int = -1, timeout_ms: int = 30_000
) -> TopicsReport:
    """Make the topics that are missing and compare the others with their specs; an existing one is never changed.

    Doing it again makes nothing new. `replication` -1 is the broker's default. Raises KafkaUnreachable, ConnectorError.
    """
    from kafka.errors import KafkaError, TopicAlreadyExistsError

    admin = _admin(connection, timeout_ms)
    try:
        existing = set(admin.list_topics())
        missing = {spec.name: _new_topic(spec, replication) for spec in specs if spec.name not in existing}
        if missing:
            with suppress(TopicAlreadyExistsError):  # made by somebody else in between
                admin.create_topics(missing, timeout_ms=timeout_ms)
            admin.wait_for_topics(list(missing))
            _wait_for_leaders(connection, missing, timeout_ms / 1_000)
        return TopicsReport(tuple(missing), tuple(_differences(admin, specs)))
    except KafkaError as error:
        raise ConnectorError(f"topics at {connection.bootstrap}: {error}") from error
    finally:
        admin.close()


def _wait_for_leaders(connection: KafkaConnection, names: Iterable[str], timeout_s: float) -> None:
    """Wait until every partition answers: what is written before that may be refused, and taken for a repeat when sent again."""
    from connectors.topic_metadata import end_offsets

    for name in names:
        end_offsets(connection, name, timeout_s=timeout_s)


def _new_topic(spec: TopicSpec, replication: int) -> dict[str, object]:
    return {"num_partitions": spec.partitions, "replication_factor": replication, "configs": dict(spec.settings)}


def topic_differences(connection: KafkaConnection, specs: Sequence[TopicSpec], *, timeout_ms: int = 30_000) -> tuple[Difference, ...]:
    """How the existing topics differ from their specs; a missing one differs in `partitions`, found 0."""
    from kafka.errors import KafkaError

    admin = _admin(connection, timeout_ms)
    try:
        return tuple(_differences(admin, specs))
    except KafkaError as error:
        raise ConnectorError(f"topics at {connection.bootstrap}: {error}") from error
    finally:
        admin.close()


def alter_topics(connection: KafkaConnection, differences: Sequence[Difference], *, timeout_ms: int = 30_000) -> None:
    """Give topics the settings that `differences`, none of them in `partitions`, want. Raises KafkaUnreachable, ConnectorError."""
    from kafka.admin import ConfigResource, ConfigResourceType
    from kafka.errors import KafkaError

    wanted: dict[str, dict[str, str]] = {}
    for each in differences:
        wanted.setdefault(each.topic, {})[each.setting] = each.wanted
    admin = _admin(connection, timeout_ms)
    try:
        resources = [ConfigResource(ConfigResourceType.TOPIC, name, settings) for name, settings in wanted.items()]
        answers = admin.alter_configs(resources, incremental=True) if resources else {}
    except KafkaError as error:
        raise ConnectorError(f"topics at {connection.bootstrap}: {error}") from error
    finally:
        admin.close()
    if refused := {name: answer for name, answer in answers.get("topic", {}).items() if answer != "OK"}:
        raise ConnectorError(f"topics at {connection.bootstrap}: {refused}")


def _admin(connection: KafkaConnection, timeout_ms: int) -> "KafkaAdminClient":
    # Imported here: most users of this module want names only, and Kafka's Python client takes a quarter of a second.
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        return KafkaAdminClient(**kafka_python_options(connection), bootstrap_timeout_ms=timeout_ms, request_timeout_ms=timeout_ms)
    except (KafkaError, OSError) as error:
        raise KafkaUnreachable(connection.bootstrap, str(error)) from error


def _differences(admin: "KafkaAdminClient", specs: Sequence[TopicSpec]) -> Iterator[Difference]:
    from kafka.admin import ConfigResource, ConfigResourceType

    partitions = {each["name"]: len(each["partitions"]) for each in admin.describe_topics([spec.name for spec in specs])}
    asked = [ConfigResource(ConfigResourceType.TOPIC, spec.name, None) for spec in specs if partitions.get(spec.name)]
    described = admin.describe_configs(asked, config_filter="all").get("topic", {}) if asked else {}
    for spec in specs:
        found = {name: str(setting["value"]) for name, setting in described.get(spec.name, {}).items()}
        yield from _differences_of(spec, {"partitions": str(partitions.get(spec.name, 0)), **found})


def _differences_of(spec: TopicSpec, found: Mapping[str, str]) -> Iterator[Difference]:
    if found["partitions"] == "0":
        yield Difference(spec.name, "partitions", str(spec.partitions), "0")
        return
    for setting, wanted in {"partitions": str(spec.partitions), **spec.settings}.items():
        if found.get(setting) != wanted:
            yield Difference(spec.name, setting, wanted, found.get(setting, "unknown"))
