"""When lines leave for Kafka: at once while it is quiet, in company under load."""

import asyncio
from collections.abc import Callable

from connectors.gateway.batch import Batch
from connectors.gateway.coalesce import Coalescer
from connectors.gateway.limits import GatewaySettings
from connectors.gateway.linger import Linger
from connectors.gateway.publisher import RECORD_BYTES, GatewayPublisher

FLUSH_BYTES = 1024 * 1024
"""Lines that wait for company are sent at once when they are more than this."""


class Departures:
    """Gathers batches of all connections until they leave as records through `publisher`; says so to `on_flushed`."""

    def __init__(
        self,
        publisher: GatewayPublisher,
        loop: asyncio.AbstractEventLoop,
        settings: GatewaySettings,
        on_flushed: Callable[[], None],
    ) -> None:
        self._publisher = publisher
        self._loop = loop
        self._coalescer = Coalescer(settings.ticks_per_record, RECORD_BYTES)
        self._linger = Linger(settings.linger_s)
        self._on_flushed = on_flushed
        self._flushing: asyncio.Handle | None = None

    @property
    def lines(self) -> int:
        """Lines that wait for company."""
        return self._coalescer.lines

    def add(self, batch: Batch) -> None:
        """Take a batch's ticks, which nobody hands out any more after that."""
        self._coalescer.add(batch)
        batch.unsettled -= 1
        if self._coalescer.size > FLUSH_BYTES or self._publisher.full:
            self.flush()
        elif self._flushing is None:
            wait_s = self._linger.wait_s(self._loop.time())
            self._flushing = self._loop.call_later(wait_s, self.flush) if wait_s else self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Send everything that waits."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        self._linger.flushed(self._coalescer.lines, self._loop.time())
        for record in self._coalescer.take():
            self._publisher.publish(record)
        self._on_flushed()
