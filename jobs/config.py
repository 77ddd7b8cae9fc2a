"""Config: every setting as frozen dataclasses, one attribute a TOML key, with its kind, its default and its line of reference."""

# ruff: noqa: RUF009 (`key` makes a dataclass field)

from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from connectors.clients import KafkaConnection
from jobs.config_services import DeliveryConfig, GatewayConfig
from jobs.config_setting import Change, Setting, key
from jobs.config_terms import Address, Folder, Frames, Options, Place, StartPoint, Url
from jobs.config_values import Share, Switch, Text, Whole, duration, size

EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class StackConfig:
    """What sets this stack apart from another one on the same machine or the same Kafka."""

    name: str = key("default", Text(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", "letters, digits, - and _ (at most 64)"),
                     "names the job, its consumer groups and its transactions", Change.FIXED)  # fmt: skip
    data_dir: Path = key(".tickloom", Place(), "broker log, checkpoints, stores, keys and logs; nothing is written elsewhere", Change.FIXED)
    jars: Path = key(".jars", Place(), "where `tickloom setup` puts the broker's and the connector's jars")
    assets: Path | None = key(None, Place(), "where `tickloom setup` puts the chart page's library; default: .assets beside stack.jars")
    keys: Path | None = key(None, Place(), "the file with the hashes of API keys, see `tickloom keys`; default: stack.data_dir/keys.json")


@dataclass(frozen=True, slots=True)
class KafkaConfig:
    """Which Kafka, and how clients reach it."""

    bootstrap: str = key(EMBEDDED, Text(r"embedded|[^\s,:]+:[0-9]{1,5}(,[^\s,:]+:[0-9]{1,5})*", '"embedded" or "host:9092,..."'),
                          "the broker to use: one of our own, or yours; another address of the same Kafka is no change",
                          Change.FIXED)  # fmt: skip
    listen: str = key(
        "127.0.0.1:9092", Address(loopback_only=True), "where the embedded broker listens; its controller takes the next port"
    )
    topic_prefix: str = key(
        "", Text(r"[A-Za-z0-9._-]{0,100}", "letters, digits, . _ and - (at most 100)"), "put before every topic's name", Change.FIXED
    )
    ticks_topic: str = key(
        "", Text(r"[A-Za-z0-9._-]{0,249}", "letters, digits, . _ and - (at most 249)"),
        "the full name of a topic of ticks that another stack keeps; default: this stack's own stock_data", Change.FIXED,
    )  # fmt: skip
    partitions: int = key(8, Whole(1, 256), "partitions of the topics that `tickloom topics create` makes", Change.FIXED)
    options: Mapping[str, str] = key(
        {}, Options(), "client options by librdkafka's names (security.protocol, sasl.*, ssl.*), translated for every client", shown=False
    )
    options_file: Path | None = key(None, Place(), "a client.properties file with more options; secrets belong there")


@dataclass(frozen=True, slots=True)
class RetentionConfig:
    """How many bytes a topic keeps. There is no age: records carry event time, and old ticks would go at once."""

    stock_data: int = key(
        "20GiB", size("1MiB", "1000TiB"), "bytes kept of the ticks, over all partitions; of an existing topic after `tickloom topics alter`"
    )
    indicator_results: int = key(
        "20GiB",
        size("1MiB", "1000TiB"),
        "bytes kept of the results, over all partitions; of an existing topic after `tickloom topics alter`",
    )


@dataclass(frozen=True, slots=True)
class TicksConfig:
    """Which ticks count, and how exactly they are kept."""

    price_decimals: int = key(8, Whole(0, 12), "decimals kept of a price; further ones are rounded half to even", Change.FIXED)
    size_decimals: int = key(8, Whole(0, 12), "decimals kept of a size; further ones are rounded half to even", Change.FIXED)
    max_future: int = key(
        "5s",
        duration("0s", "30min"),
        "how far a tick may be ahead of its record's timestamp; Kafka lets more through after `tickloom topics alter`",
        Change.SAVEPOINT_SAFE,
    )
    max_age: int = key("24h", duration("1s", "3650d"), "how old a tick may be on a live connection; a replaying client lifts it")
    deduplicate: bool = key(
        True, Switch(), "drop ticks whose source, event time and id (or seq) were counted already", Change.SAVEPOINT_SAFE
    )
    deduplicate_window: int = key(
        "2min", duration("1s", "24h"), "how far before the symbol's clock duplicates are looked for", Change.SAVEPOINT_SAFE
    )


@dataclass(frozen=True, slots=True)
class BarsConfig:
    """Which bars are built, and when they close."""

    time_frames: tuple[str, ...] = key(
        ["1min", "5min", "15min", "1hour", "1day"], Frames(), "time frames of the bars", Change.SAVEPOINT_SAFE
    )
    out_of_orderness: int = key(
        "1s", duration("0s", "5min"), "how long a closed bar's end waits for ticks in disorder", Change.SAVEPOINT_SAFE
    )
    allowed_lateness: int = key("15min", duration("0s", "24h"), "how late a tick may be and still revise its bar", Change.SAVEPOINT_SAFE)
    revision_interval: int = key("1s", duration("50ms", "1h"), "how often late ticks become revisions", Change.SAVEPOINT_SAFE)
    warm_bars: int = key(64, Whole(1, 5000), "closed bars kept a frame to warm up an indicator added later", Change.SAVEPOINT_SAFE)


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """Forming bars."""

    enabled: bool = key(True, Switch(), "publish forming bars to indicator_live", Change.SAVEPOINT_SAFE)
    interval: int = key("1s", duration("250ms", "1h"), "at most one forming record a symbol and frame in this time", Change.SAVEPOINT_SAFE)
    budget: float = key(
        0.2,
        Share(),
        "share of the job's time that forming records may take; less when other work leaves less, down to a quarter of it",
        Change.SAVEPOINT_SAFE,
    )


@dataclass(frozen=True, slots=True)
class JobConfig:
    """How the Flink job runs."""

    start: str = key("resume", StartPoint(), "where the job begins: its savepoint, an end of the topic, or a time")
    parallelism: int = key(1, Whole(1, 256), "subtasks of the job; at most the partitions of the ticks", Change.SAVEPOINT_SAFE)
    checkpoint_interval: int = key(
        "1s", duration("100ms", "10min"), "time between checkpoints; finals become visible with each", Change.SAVEPOINT_SAFE
    )
    transaction_timeout: int | None = key(
        None, duration("1s", "24h"), "how long the job may be down between a crash and its restart before Kafka drops the finals of its "
        "last moment; default: 24h on the embedded broker, 15min on another, whose transaction.max.timeout.ms it may not exceed",
        Change.SAVEPOINT_SAFE,
    )  # fmt: skip
    flink_rest: str = key("http://127.0.0.1:8081", Url(), "Flink's REST address; the mini-cluster listens there")
    state_dir: Path | str | None = key(
        None,
        Folder(),
        "checkpoints and savepoints, in a folder by stack.name; default: stack.data_dir/flink; a cluster's machines must reach it",
        Change.FIXED,
    )
    changelog: bool = key(
        False,
        Switch(),
        "write changes of the state as they come, so that a checkpoint stays small: for many symbols; switch it over a savepoint",
        Change.SAVEPOINT_SAFE,
    )
    python: str = key(
        "", Text(r"[^\s]*", "the path of a Python"), "the interpreter on the cluster's machines; default: the one that runs this command"
    )
    metrics: str = key(
        "127.0.0.1:9249", Address(loopback_only=True, optional=True), "where the job's metrics are served for Prometheus, at /metrics"
    )


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration. Durations are milliseconds, sizes bytes, paths absolute once loaded.

    `indicators` maps a label to its spec. `origins` says for every key that is not a default where it was set.
    """

    indicators: Mapping[str, str]
    stack: StackConfig = field(default_factory=StackConfig)
    kafka: KafkaConfig = field(default_factory=KafkaConfig)
    retention: RetentionConfig = field(default_factory=RetentionConfig)
    ticks: TicksConfig = field(default_factory=TicksConfig)
    bars: BarsConfig = field(default_factory=BarsConfig)
    live: LiveConfig = field(default_factory=LiveConfig)
    job: JobConfig = field(default_factory=JobConfig)
    gateway: GatewayConfig = field(default_factory=GatewayConfig)
    delivery: DeliveryConfig = field(default_factory=DeliveryConfig)
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    secrets: frozenset[str] = field(default_factory=frozenset, compare=False, repr=False)
    """Keys whose value came out of a `KEY_file`."""

    def origin(self, key: str) -> str:
        """Where `key` was set: `tickloom.toml:6`, an environment variable, a flag, or `default`."""
        return self.origins.get(key, "default")

    def cite(self, key: str) -> str:
        """`key` and where it was set, as error messages name it: `kafka.bootstrap, tickloom.toml:6`."""
        return f"{key}, {self.origin(key)}"

    @property
    def embedded(self) -> bool:
        """Whether this stack runs its own broker."""
        return self.kafka.bootstrap == EMBEDDED

    @property
    def bootstrap(self) -> str:
        """`host:port,...` of the broker, the embedded one's address included."""
        return self.kafka.listen if self.embedded else self.kafka.bootstrap

    def kafka_connection(self) -> KafkaConnection:
        """What every Kafka client of this stack connects with. Raises OptionError."""
        return KafkaConnection(self.bootstrap, self.kafka.options, self.kafka.topic_prefix, self.kafka.ticks_topic)

    @property
    def keys_file(self) -> Path:
        """Where API keys are kept."""
        return self.stack.keys or self.stack.data_dir / "keys.json"

    @property
    def assets(self) -> Path:
        """Where the chart page's library is."""
        return self.stack.assets or self.stack.jars.parent / ".assets"

    @property
    def delivery_store(self) -> Path:
        """The file of delivery's bars."""
        return self.delivery.store or self.stack.data_dir / "delivery" / f"{self.delivery.name}.sqlite"

    @property
    def runs_gateway(self) -> bool:
        """Whether a gateway is part of this stack."""
        return self.gateway.enabled and not self.kafka.ticks_topic

    @property
    def consumer_group(self) -> str:
        """The job's consumer group, and the stem of its transactional ids: two stacks may share one Kafka."""
        return f"tickloom-{self.stack.name}"

    def values(self) -> dict[str, object]:
        """Every key and its value as the TOML would say it, in the order of the reference."""
        shown = {
            setting.key: None if (value := self.value(setting.key)) is None else setting.kind.show(value) for setting in SETTINGS.values()
        }
        return shown | {f"indicators.{label}": spec for label, spec in self.indicators.items()}

    def value(self, key: str) -> Any:
        """The value of the key `section.name`."""
        section, _, name = key.partition(".")
        return getattr(getattr(self, section), name)


def _settings() -> Iterator[Setting]:
    for section, kind in SECTIONS.items():
        for entry in fields(kind):
            yield _setting(section, entry)


def _setting(section: str, entry: Field[Any]) -> Setting:
    factory: Any = entry.default_factory
    return Setting(f"{section}.{entry.name}", entry.metadata["kind"], factory(), entry.metadata["doc"], entry.metadata["change"])


SECTIONS: dict[str, type] = {
    name: kind for name, kind in get_type_hints(Config).items() if isinstance(kind, type) and kind.__name__.endswith("Config")
}
SETTINGS: dict[str, Setting] = {setting.key: setting for setting in _settings()}
"""Every key but the indicators' labels, in the order of the reference."""
