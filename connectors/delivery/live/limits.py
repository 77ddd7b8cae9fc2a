"""Every limit of a delivery's clients, by name."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may do, and how long things may take. Seconds, bytes, counts."""

    max_connections: int = 10_000
    """WebSocket clients and event streams together."""
    max_symbols: int = 1_024
    """Symbols a client may name; `*` is not counted."""
    messages_per_second: int = 10
    """Messages a client may send; twice as many at once."""
    max_message_bytes: int = 64 * 1024
    """A longer message of a client ends its connection."""
    auth_timeout_s: float = 10.0
    """From the connection's first moment to its key, where one is asked for."""
    outbox_events: int = 10_000
    """Finals kept for one client, those that it may have to be sent again among them."""
    outbox_bytes: int = 8 * 1024 * 1024
    """Bytes of them."""
    slow_after_s: float = 10.0
    """How long the oldest final may wait for its client, or one frame for the client's socket."""
    resume_window_s: float = 60.0
    """How long a client that was cut may stay away, and how long finals are kept to be sent again."""
    heartbeat_interval_s: float = 1.0
    max_snapshot_rows: int = 10_000
    """Bars in the snapshots that one message asks for."""
    max_rates: int = 8
    """Different `max_hz` of one client at a time."""
    max_hz: float = 10.0
    """How often a second a client that does not say is sent what is conflated."""
