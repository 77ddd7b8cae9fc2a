"""Every limit of a connection and of the gateway, by name."""

from dataclasses import dataclass, field

from connectors.gateway.judge import TimeGuard
from udfs.model import Scales


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may do, and how long things may take. Seconds, bytes, counts."""

    max_line_bytes: int = 16 * 1024
    """A longer line is `too_long`; of it only this much is kept."""
    max_connections: int = 10_000
    max_connections_per_address: int = 1_000
    hello_timeout_s: float = 5.0
    """From the connection's first moment to its hello, when a key is asked for."""
    partial_line_timeout_s: float = 30.0
    """From a line's first byte to its newline."""
    idle_timeout_s: float = 60.0
    """Silence after which a connection that said hello is cut."""
    heartbeat_interval_s: float = 15.0
    """Our own silence after which a connection that said hello is told that we live."""
    lines_per_second: int = 0
    """Lines a second a client may send before it is read more slowly; 0 is no limit.

    A client counts over all its connections: by the name of its key, where none is asked for by its own, else by its address.
    """
    errors_per_second: int = 10
    """Refused lines a second a client is told of one by one; the others are counted."""
    ack_interval_s: float = 0.2
    """At most one ack in this time, unless `ack_lines` have become settled in it."""
    ack_lines: int = 10_000


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Everything a gateway is told at its start."""

    name: str
    """Begins the names of its connections: `g1-42` is the 42nd of the gateway `g1`."""
    listen: tuple[str, int]
    admin: tuple[str, int]
    guard: TimeGuard
    scales: Scales = field(default_factory=Scales)
    limits: Limits = field(default_factory=Limits)
    feed_timeout_s: float = 60.0
    """Silence after which a connection has no say in the gateway's heartbeats."""
    linger_s: float = 0.02
    """How long lines may wait for others of their symbol under load; when it is quiet they do not wait."""
    ticks_per_record: int = 64
    partitions_every_s: float = 10.0
    """Between two looks at whether the ticks topic was given more partitions."""
    buffer_bytes: int = 32 * 1024 * 1024
    """Bytes of records on their way to Kafka above which no socket is read."""
    drain_timeout_s: float = 9.0
    """At the end, how long to wait for records on their way."""
