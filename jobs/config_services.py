"""The settings of gateway and delivery, as `jobs.config` has those of the rest."""

# ruff: noqa: RUF009 (`key` makes a dataclass field)

from dataclasses import dataclass
from pathlib import Path

from jobs.config_setting import key
from jobs.config_terms import Address, Origins, Place
from jobs.config_values import Choice, Switch, Text, Whole, duration, size

AUTH = ("local", "keys", "none")


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """Where feeds connect."""

    listen: str = key("127.0.0.1:9999", Address(), "where feeds connect")
    admin: str = key("127.0.0.1:9998", Address(), "where health and metrics are served")
    enabled: bool = key(
        True, Switch(), "whether `tickloom up` and `tickloom demo` run a gateway, unless kafka.ticks_topic is another stack's"
    )
    auth: str = key("local", Choice(AUTH), "local = none, on loopback only; keys; none")
    plaintext: bool = key(False, Switch(), "listen on other interfaces than loopback without TLS: only in a network of your own")
    tls_cert: Path | None = key(None, Place(), "a PEM file, the certificate and its chain; with it feeds connect over TLS")
    tls_key: Path | None = key(None, Place(), "a PEM file, the certificate's private key, without a passphrase")
    tls_client_ca: Path | None = key(None, Place(), "a PEM file, the authority whose certificate every feed must show (mutual TLS)")
    name: str = key("g1", Text(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", "letters, digits, - and _ (at most 32)"),
                     "begins the names of this gateway's connections; give each gateway its own")  # fmt: skip
    advertise: str = key(
        "", Address(optional=True), "the address that feeds find in the service registry; default: gateway.listen, or this host's name"
    )
    max_line: int = key("16KiB", size("1KiB", "256KiB"), "bytes a line may have")
    max_connections: int = key(10_000, Whole(1, 1_000_000), "connections open at once")
    max_connections_per_address: int = key(1_000, Whole(1, 1_000_000), "connections open at once from one address")
    hello_timeout: int = key("5s", duration("1s", "10min"), "how long a client may take to say hello where a key is needed")
    partial_line_timeout: int = key("30s", duration("1s", "1h"), "how long a line may take from its first byte to its newline")
    idle_timeout: int = key("60s", duration("1s", "24h"), "silence after which a client that said hello is cut")
    heartbeat_interval: int = key("15s", duration("1s", "1h"), "how often a client that said hello hears from the gateway at least")
    lines_per_second: int = key(
        0,
        Whole(0, 10_000_000),
        "lines a second that a client may send over all its connections: by its key's name, else its own, else its address; 0 is no limit",
    )
    feed_timeout: int = key("60s", duration("1s", "24h"), "silence after which a feed no longer holds event time back")
    linger: int = key("20ms", duration("0ms", "1s"), "how long lines wait for others of their symbol under load, at most")
    ticks_per_record: int = key(64, Whole(1, 1_000), "lines of one symbol in a Kafka record, at most")
    buffer: int = key("32MiB", size("1MiB", "1GiB"), "bytes on their way to Kafka above which no socket is read")
    drain_timeout: int = key("9s", duration("1s", "10min"), "at the end, how long to wait until everything taken is durable")


@dataclass(frozen=True, slots=True)
class DeliveryConfig:
    """Where results are delivered."""

    enabled: bool = key(True, Switch(), "whether `tickloom up` and `tickloom demo` run a delivery")
    listen: str = key("127.0.0.1:8080", Address(), "where WebSocket, HTTP and the chart page are served")
    auth: str = key("local", Choice(AUTH), "local = none, on loopback only; keys; none")
    plaintext: bool = key(False, Switch(), "listen on other interfaces than loopback without TLS: only in a network of your own")
    tls_cert: Path | None = key(None, Place(), "a PEM file, the certificate and its chain; with it all is served over TLS")
    tls_key: Path | None = key(None, Place(), "a PEM file, the certificate's private key, without a passphrase")
    tls_client_ca: Path | None = key(None, Place(), "a PEM file, the authority whose certificate every client must show (mutual TLS)")
    name: str = key("d1", Text(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", "letters, digits, - and _ (at most 32)"),
                     "names this delivery, its store and its connections; give each delivery its own")  # fmt: skip
    advertise: str = key(
        "", Address(optional=True), "the address that others find in the service registry; default: delivery.listen, or this host's name"
    )
    store: Path | None = key(
        None, Place(), "the SQLite file of the bars, a cache of indicator_results; default: stack.data_dir/delivery/NAME.sqlite"
    )
    bars_kept: int = key(10_000, Whole(100, 10_000_000), "bars kept a symbol and time frame, the newest ones")
    allowed_origins: tuple[str, ...] = key([], Origins(), "foreign web origins whose pages may connect")
    compression: bool = key(
        False, Switch(), "compress WebSocket messages to clients that offer it; it doubles the processor time of sending"
    )
    query_token: bool = key(False, Switch(), "take a key from `?token=` as well: it ends up in logs and histories of addresses")
    max_connections: int = key(10_000, Whole(1, 1_000_000), "WebSocket and event stream connections open at once")
    max_symbols: int = key(1_024, Whole(1, 1_000_000), "symbols one connection may subscribe to by name; `*` is all of them")
    messages_per_second: int = key(10, Whole(1, 100_000), "messages a second that a WebSocket client may send; twice as many in a burst")
    auth_timeout: int = key("10s", duration("1s", "10min"), "how long a WebSocket client may take to show a key where one is needed")
    outbox_events: int = key(10_000, Whole(100, 10_000_000), "final bars that may wait for one client; one more, and it is cut as too slow")
    outbox_bytes: int = key("8MiB", size("64KiB", "1GiB"), "bytes of final bars that may wait for one client")
    slow_after: int = key("10s", duration("1s", "10min"), "how long a message may wait for one client before it is cut as too slow")
    resume_window: int = key("60s", duration("0s", "1h"), "how long a connection that was cut can be resumed")
    heartbeat_interval: int = key("1s", duration("250ms", "1min"), "how often a WebSocket client hears from the delivery at least")
    max_snapshot_rows: int = key(
        10_000, Whole(1, 10_000), "bars in the snapshots that one message of a client asks for, all its series together"
    )
