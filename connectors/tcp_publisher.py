"""Ticks through a gateway: the publisher of feeds that leave heartbeats, limits and dead letters to it."""

import ssl

from connectors.client.conversation import check_line
from connectors.client.outbox import Chunk
from connectors.client.plain import TickClient
from connectors.client.retries import Addresses
from connectors.client.stamps import Stamps
from connectors.gateway.control_lines import BLANK
from connectors.gateway.judge import with_field

NO_SYMBOL = b'"stock_id":""'
"""Makes a line that a gateway would take for a control line one that it keeps as a dead letter."""


class TcpPublisher:
    """Publishes to the `stock_data` of a gateway: durable, and once, whatever is cut meanwhile; in order within a symbol.

    Implements `connectors.publisher.Publisher`. Lines that lack an event time or a `seq` get one. Blank lines are no
    lines. Not to be shared by threads. Raises GatewayUnreachable when none says welcome within `reach_timeout_s`,
    GatewayRefused; LinesUnacknowledged when lines are not durable `delivery_timeout_s` after a flush began.
    """

    def __init__(
        self,
        gateway: Addresses,
        *,
        client: str,
        replay: bool,
        key: str | None = None,
        tls: ssl.SSLContext | None = None,
        delivery_timeout_s: float = 120.0,
        reach_timeout_s: float = 20.0,
    ) -> None:
        self._client = TickClient(gateway, client=client, key=key, replay=replay, tls=tls)
        self._stamps = Stamps(lambda: 0)
        self._delivery_timeout_s = delivery_timeout_s
        self._client.connect(reach_timeout_s)

    def publish(self, symbol: str, value: bytes, event_time_ms: int) -> None:
        """Hand over the lines of one record; they are sent at once. Waits while the buffer is full."""
        lines = [self._stamped(line, event_time_ms) for line in value.split(b"\n") if line not in BLANK]
        if lines:
            self._client.send_lines(Chunk(len(lines), b"\n".join(lines) + b"\n"))

    def heartbeat(self, event_time_ms: int) -> None:
        """Say nothing: the gateway tells what time it is for all of its feeds."""

    def flush(self) -> None:
        """Wait until everything handed over is durable."""
        self._client.flush(self._delivery_timeout_s)

    def close(self) -> None:
        """Flush and let go of the connection; it is gone even when that fails."""
        self._client.close(self._delivery_timeout_s)

    def _stamped(self, line: bytes, event_time_ms: int) -> bytes:
        return self._stamps.line(line, event_time_ms) if check_line(line) is None else with_field(line, NO_SYMBOL)
