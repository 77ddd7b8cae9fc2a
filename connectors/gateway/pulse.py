"""What the gateway tells every partition each second, and which partitions there are to tell."""

import asyncio
from collections.abc import Iterable

from connectors.gateway.heartbeat import Feed, heartbeat_ms
from connectors.gateway.limits import GatewaySettings
from connectors.gateway.metrics import Metrics
from connectors.gateway.publisher import GatewayPublisher

LOOK_S = 2.0
"""How long Kafka may take to say how many partitions there are."""


class Pulse:
    """Heartbeats of a gateway. To be called about once a second, in one event loop."""

    def __init__(self, publisher: GatewayPublisher, metrics: Metrics, loop: asyncio.AbstractEventLoop, settings: GatewaySettings) -> None:
        self.reached_ms: int | None = None
        """How far event time has come for all live feeds; None while none is live."""
        self._said_ms: int | None = None
        self._publisher = publisher
        self._metrics = metrics
        self._loop = loop
        self._feed_timeout_s = settings.feed_timeout_s
        self._partitions_every_s = settings.partitions_every_s
        self._look_again_s = loop.time() + settings.partitions_every_s
        self._looking: asyncio.Future[None] | None = None

    def beat(self, feeds: Iterable[Feed], now_ms: int, now_s: float) -> None:
        """Say how far event time has come, if any feed is live."""
        self.reached_ms = heartbeat_ms(feeds, now_ms, now_s, self._feed_timeout_s)
        if self.reached_ms is not None and self._publisher.heartbeat(self.reached_ms):
            self._said_ms = self.reached_ms
            self._metrics.heartbeats += 1

    def lag_s(self, now_ms: int) -> float | None:
        """How far the last heartbeat is behind the clock, however long ago it was; None before the first."""
        return None if self._said_ms is None else max(0, now_ms - self._said_ms) / 1_000

    def look_for_partitions(self, now_s: float) -> None:
        """Hear in the background whether the ticks topic has more partitions, when it is time to."""
        if now_s < self._look_again_s or (self._looking is not None and not self._looking.done()):
            return
        self._look_again_s = now_s + self._partitions_every_s
        self._looking = self._loop.run_in_executor(None, self._publisher.look_for_partitions, LOOK_S)

    async def end(self) -> None:
        """Wait until nothing is looked for any more."""
        if self._looking is not None:
            await self._looking
