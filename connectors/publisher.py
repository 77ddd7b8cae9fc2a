"""How feeds hand over ticks: one interface, so that Kafka itself or the gateway can stand behind it."""

from typing import Protocol


class Publisher(Protocol):
    """Takes tick records in order. Closing it waits until every record is durable."""

    def publish(self, symbol: str, value: bytes, event_time_ms: int) -> None:
        """Hand over one record: one or more lines of `symbol`, the newest at `event_time_ms`.

        Blocks while the queue is full. Raises ConnectorError once a record was refused for good.
        """

    def heartbeat(self, event_time_ms: int) -> None:
        """Say in every partition that event time has come to `event_time_ms` for the whole feed."""

    def flush(self) -> None:
        """Wait until everything handed over so far is durable. Raises ConnectorError if something is not."""

    def close(self) -> None:
        """Flush and let go of the connection."""
