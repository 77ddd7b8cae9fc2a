"""Config: every setting as frozen dataclasses, one attribute a TOML key, with its kind, its default and its line of reference."""

# ruff: noqa: RUF009 (`_key` makes a dataclass field)

from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from connectors.clients import KafkaConnection
from jobs.config_terms import Address, Folder, Frames, Options, Place, StartPoint, Url, Words
from jobs.config_values import Choice, Kind, Share, Switch, Text, Whole, duration, size

EMBEDDED = "embedded"
AUTH = ("local", "keys", "none")


class Change(StrEnum):
    """What it takes to change a key of a stack that has run."""

    RESTART = "restart"
    """Restart the process that reads it."""
    SAVEPOINT_SAFE = "savepoint-safe"
    """Restart the job from its savepoint: the state goes on."""
    FIXED = "fixed for the life of a state"
    """A job restored with another value is refused, or finds no state."""


class Setting(NamedTuple):
    """One key: what it takes, what it is by default, what it does, and what changing it takes."""

    key: str
    kind: Kind
    default: Any
    doc: str
    change: Change


def _key(default: object, kind: Kind, doc: str, change: Change = Change.RESTART, *, shown: bool = True) -> Any:
    """A field whose default is written as in the TOML; None stays None."""
    value = None if default is None else kind.read(default)
    return field(default_factory=lambda: value, repr=shown, metadata={"kind": kind, "doc": doc, "change": change})


@dataclass(frozen=True, slots=True)
class StackConfig:
    """What sets this stack apart from another one on the same machine or the same Kafka."""

    name: str = _key("default", Text(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", "letters, digits, - and _ (at most 64)"),
                     "names the job, its consumer groups and its transactions", Change.FIXED)  # fmt: skip
    data_dir: Path = _key(
        ".tickloom", Place(), "broker log, checkpoints, stores, keys and logs; nothing is written elsewhere", Change.FIXED
    )
    jars: Path = _key(".jars", Place(), "where `tickloom setup` puts the broker's and the connector's jars")
    keys: Path | None = _key(None, Place(), "the file with the hashes of API keys, see `tickloom keys`; default: stack.data_dir/keys.json")


@dataclass(frozen=True, slots=True)
class KafkaConfig:
    """Which Kafka, and how clients reach it."""

    bootstrap: str = _key(EMBEDDED, Text(r"embedded|[^\s,:]+:[0-9]{1,5}(,[^\s,:]+:[0-9]{1,5})*", '"embedded" or "host:9092,..."'),
                          "the broker to use: one of our own, or yours", Change.SAVEPOINT_SAFE)  # fmt: skip
    listen: str = _key(
        "127.0.0.1:9092", Address(loopback_only=True), "where the embedded broker listens; its controller takes the next port"
    )
    topic_prefix: str = _key(
        "", Text(r"[A-Za-z0-9._-]{0,100}", "letters, digits, . _ and - (at most 100)"), "put before every topic's name", Change.FIXED
    )
    ticks_topic: str = _key(
        "", Text(r"[A-Za-z0-9._-]{0,249}", "letters, digits, . _ and - (at most 249)"),
        "the full name of a topic of ticks that another stack keeps; default: this stack's own stock_data", Change.FIXED,
    )  # fmt: skip
    partitions: int = _key(8, Whole(1, 256), "partitions of the topics that `tickloom topics create` makes", Change.FIXED)
    options: Mapping[str, str] = _key(
        {}, Options(), "client options by librdkafka's names (security.protocol, sasl.*, ssl.*), translated for every client", shown=False
    )
    options_file: Path | None = _key(None, Place(), "a client.properties file with more options; secrets belong there")


@dataclass(frozen=True, slots=True)
class RetentionConfig:
    """How many bytes a topic keeps. There is no age: records carry event time, and old ticks would go at once."""

    stock_data: int = _key("20GiB", size("1MiB", "1000TiB"), "bytes kept of the ticks, over all partitions")
    indicator_results: int = _key("20GiB", size("1MiB", "1000TiB"), "bytes kept of the results, over all partitions")


@dataclass(frozen=True, slots=True)
class TicksConfig:
    """Which ticks count, and how exactly they are kept."""

    price_decimals: int = _key(8, Whole(0, 12), "decimals kept of a price; further ones are rounded half to even", Change.FIXED)
    size_decimals: int = _key(8, Whole(0, 12), "decimals kept of a size; further ones are rounded half to even", Change.FIXED)
    max_future: int = _key("5s", duration("0s", "30min"), "how far a tick may be ahead of its record's timestamp", Change.SAVEPOINT_SAFE)
    max_age: int = _key("24h", duration("1s", "3650d"), "how old a tick may be on a live connection; a replaying client lifts it")
    deduplicate: bool = _key(
        True, Switch(), "drop ticks whose source, event time and id (or seq) were counted already", Change.SAVEPOINT_SAFE
    )
    deduplicate_window: int = _key(
        "2min", duration("1s", "24h"), "how far before the symbol's clock duplicates are looked for", Change.SAVEPOINT_SAFE
    )


@dataclass(frozen=True, slots=True)
class BarsConfig:
    """Which bars are built, and when they close."""

    time_frames: tuple[str, ...] = _key(
        ["1min", "5min", "15min", "1hour", "1day"], Frames(), "time frames of the bars", Change.SAVEPOINT_SAFE
    )
    out_of_orderness: int = _key(
        "1s", duration("0s", "5min"), "how long a closed bar's end waits for ticks in disorder", Change.SAVEPOINT_SAFE
    )
    allowed_lateness: int = _key("15min", duration("0s", "24h"), "how late a tick may be and still revise its bar", Change.SAVEPOINT_SAFE)
    revision_interval: int = _key("1s", duration("50ms", "1h"), "how often late ticks become revisions", Change.SAVEPOINT_SAFE)
    warm_bars: int = _key(64, Whole(1, 5000), "closed bars kept a frame to warm up an indicator added later", Change.SAVEPOINT_SAFE)


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """Forming bars."""

    enabled: bool = _key(True, Switch(), "publish forming bars to indicator_live", Change.SAVEPOINT_SAFE)
    interval: int = _key("1s", duration("250ms", "1h"), "at most one forming record a symbol and frame in this time", Change.SAVEPOINT_SAFE)
    budget: float = _key(0.2, Share(), "share of the job's time that forming records may take", Change.SAVEPOINT_SAFE)


@dataclass(frozen=True, slots=True)
class JobConfig:
    """How the Flink job runs."""

    start: str = _key("resume", StartPoint(), "where the job begins: its savepoint, an end of the topic, or a time")
    parallelism: int = _key(1, Whole(1, 256), "subtasks of the job; at most kafka.partitions", Change.SAVEPOINT_SAFE)
    checkpoint_interval: int = _key(
        "1s", duration("100ms", "10min"), "time between checkpoints; finals become visible with each", Change.SAVEPOINT_SAFE
    )
    transaction_timeout: int | None = _key(
        None, duration("1s", "24h"), "how long the job may be down between a crash and its restart before Kafka drops the finals of its "
        "last moment; default: 24h on the embedded broker, 15min on another, whose transaction.max.timeout.ms it may not exceed",
        Change.SAVEPOINT_SAFE,
    )  # fmt: skip
    flink_rest: str = _key("http://127.0.0.1:8081", Url(), "Flink's REST address; the mini-cluster listens there")
    state_dir: Path | str | None = _key(
        None,
        Folder(),
        "checkpoints and savepoints, in a folder by stack.name; default: stack.data_dir/flink; a cluster's machines must reach it",
        Change.FIXED,
    )
    changelog: bool = _key(
        False,
        Switch(),
        "write changes of the state as they come, so that a checkpoint stays small: for many symbols; switch it over a savepoint",
        Change.SAVEPOINT_SAFE,
    )
    python: str = _key(
        "", Text(r"[^\s]*", "the path of a Python"), "the interpreter on the cluster's machines; default: the one that runs this command"
    )
    metrics: str = _key(
        "127.0.0.1:9249", Address(loopback_only=True, optional=True), "where the job's metrics are served for Prometheus, at /metrics"
    )


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """Where feeds connect."""

    listen: str = _key("127.0.0.1:9999", Address(), "where feeds connect")
    admin: str = _key("127.0.0.1:9998", Address(), "where health and metrics are served")
    enabled: bool = _key(
        True, Switch(), "whether `tickloom up` and `tickloom demo` run a gateway, unless kafka.ticks_topic is another stack's"
    )
    auth: str = _key("local", Choice(AUTH), "local = none, on loopback only; keys; none")
    plaintext: bool = _key(False, Switch(), "listen on other interfaces than loopback without TLS: only in a network of your own")
    tls_cert: Path | None = _key(None, Place(), "a PEM file, the certificate and its chain; with it feeds connect over TLS")
    tls_key: Path | None = _key(None, Place(), "a PEM file, the certificate's private key, without a passphrase")
    tls_client_ca: Path | None = _key(None, Place(), "a PEM file, the authority whose certificate every feed must show (mutual TLS)")
    name: str = _key("g1", Text(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", "letters, digits, - and _ (at most 32)"),
                     "begins the names of this gateway's connections; give each gateway its own")  # fmt: skip
    advertise: str = _key(
        "", Address(optional=True), "the address that feeds find in the service registry; default: gateway.listen, or this host's name"
    )
    max_line: int = _key("16KiB", size("1KiB", "256KiB"), "bytes a line may have")
    max_connections: int = _key(10_000, Whole(1, 1_000_000), "connections open at once")
    max_connections_per_address: int = _key(1_000, Whole(1, 1_000_000), "connections open at once from one address")
    hello_timeout: int = _key("5s", duration("1s", "10min"), "how long a client may take to say hello where a key is needed")
    partial_line_timeout: int = _key("30s", duration("1s", "1h"), "how long a line may take from its first byte to its newline")
    idle_timeout: int = _key("60s", duration("1s", "24h"), "silence after which a client that said hello is cut")
    heartbeat_interval: int = _key("15s", duration("1s", "1h"), "how often a client that said hello hears from the gateway at least")
    lines_per_second: int = _key(0, Whole(0, 10_000_000), "lines a second that a connection may send; 0 is no limit")
    feed_timeout: int = _key("60s", duration("1s", "24h"), "silence after which a feed no longer holds event time back")
    linger: int = _key("20ms", duration("0ms", "1s"), "how long lines wait for others of their symbol under load, at most")
    ticks_per_record: int = _key(64, Whole(1, 1_000), "lines of one symbol in a Kafka record, at most")
    buffer: int = _key("32MiB", size("1MiB", "1GiB"), "bytes on their way to Kafka above which no socket is read")
    drain_timeout: int = _key("9s", duration("1s", "10min"), "at the end, how long to wait until everything taken is durable")


@dataclass(frozen=True, slots=True)
class DeliveryConfig:
    """Where results are delivered."""

    listen: str = _key("127.0.0.1:8080", Address(), "where WebSocket, HTTP and the chart page are served")
    auth: str = _key("local", Choice(AUTH), "local = none, on loopback only; keys; none")
    allowed_origins: tuple[str, ...] = _key([], Words(), "foreign web origins that may connect")


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
