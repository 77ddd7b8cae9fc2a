"""The delivery itself: topics into the store and the hub, clients on the hub, questions to the store; in one event loop."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from typing import Any, Literal

from connectors.clients import KafkaConnection
from connectors.delivery.access.access import Access
from connectors.delivery.http.deps import HttpDeps
from connectors.delivery.intake.handover import SLICE, Handover
from connectors.delivery.intake.intake import Intake, Listeners
from connectors.delivery.intake.status import IntakeStatus, State
from connectors.delivery.live.hub import Clock, Hub
from connectors.delivery.live.snapshots import ReadSnapshots
from connectors.delivery.metrics import Metrics
from connectors.delivery.pipeline.pipeline import Pipeline, ReadJob
from connectors.delivery.settings import DeliverySettings
from connectors.delivery.standing import Standing
from connectors.delivery.store.reading import Reading
from connectors.delivery.store.records import BarRecord
from connectors.delivery.store.store import Store
from connectors.topics import Topics

GOODBYE_S = 2.0
"""At the end, how long clients may take to hear goodbye."""

_TOLD: Mapping[State, Literal["ok", "degraded", "catching_up"]] = {
    State.OK: "ok",
    State.CATCHING_UP: "catching_up",
    State.DEGRADED: "degraded",
    State.FAILED: "degraded",
}
"""What clients are told; of a delivery that has failed they will hear goodbye."""


class Delivery:
    """Serves what is in the store and what comes past it. Lives in one event loop; `start` and `stop` are called in it.

    `failed` is done, with the reason, when nothing more will come. Raises StoreUnusable when made.
    """

    def __init__(
        self,
        settings: DeliverySettings,
        kafka: KafkaConnection,
        access: Access,
        read_job: ReadJob,
        loop: asyncio.AbstractEventLoop,
        now_ms: Callable[[], int],
        log: Any,
    ) -> None:
        self.settings, self.access, self.now_s = settings, access, loop.time
        self.metrics = Metrics()
        self.store = Store(settings.store, settings.bars_kept)
        self.reading = Reading(self.store.reader)
        snapshots = ReadSnapshots(self.reading, loop, log)
        self.hub = Hub(settings.name, settings.limits, snapshots, Clock(loop.time, now_ms), self.metrics, frames=_labels(settings))
        with closing(self.store.reader()) as reader:
            self.hub.remember(reader.latest())
        self.pipeline = Pipeline(kafka, read_job, now_ms, log)
        self.failed: asyncio.Future[str] = loop.create_future()
        self._results: Handover[BarRecord] = Handover(loop, self.hub.take_results, slice_size=SLICE)
        self._forming: Handover[BarRecord] = Handover(loop, self.hub.take_forming)
        self._emptied = 0
        listeners = Listeners(self._results, self._forming, lambda status: _tell(loop, self.hear, status))
        self._intake = Intake(kafka, self.store, listeners, now_ms)
        self._loop, self._now_ms, self._log, self._kafka = loop, now_ms, log, kafka
        self.standing = Standing(
            settings, self.hub, self._intake.status, lambda: self.pipeline.job, self.reading, now_ms, needs_key=access.needs_key
        )
        self._chores: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to read."""
        self.hub.change_state("catching_up")
        for chore in (self._beat(), self.standing.keep_count(), self.standing.keep_size()):
            self._chores.append(self._loop.create_task(chore))
            self._chores[-1].add_done_callback(self._look_at_end)
        self._intake.start()
        self.pipeline.start()

    async def stop(self) -> None:
        """Say goodbye to clients, read no more, let go of the store."""
        self.standing.stopping = True
        for chore in self._chores:
            chore.cancel()
        for handover in (self._results, self._forming):
            handover.close()
        self.hub.stop()
        stopped = asyncio.to_thread(self._intake.stop), asyncio.to_thread(self.pipeline.stop)
        await asyncio.gather(self._all_gone(), *stopped)

    def close(self) -> None:
        """Let go of the store, once nobody asks it any more."""
        self.reading.close()
        self.store.close()

    def http_deps(self) -> HttpDeps:
        """What the HTTP routes answer with."""
        return HttpDeps(
            reading=self.reading,
            changes=self.store.changes,
            hub=self.hub,
            caught_up=lambda: self._intake.status().caught_up,
            topics=Topics.of(self._kafka),
            frames=self.settings.frames,
            indicators=self.settings.indicators,
            allowed_lateness_ms=self.settings.allowed_lateness_ms,
            now_ms=self._now_ms,
            version=self.settings.version,
            with_keys=self.access.needs_key,
            max_symbols=self.settings.limits.max_symbols,
        )

    def hear(self, status: IntakeStatus) -> None:
        """The intake stands otherwise: clients are told, and all begin anew when the store was emptied. Called in the loop."""
        self._log.info("intake", state=status.state.value, why=status.reason, detail=status.detail, behind=status.behind)
        if status.emptied > self._emptied:
            self._emptied = status.emptied
            self.hub.start_over()
        self.hub.change_state(_TOLD[status.state], None if status.reason is None else status.reason.value)
        if status.state is State.FAILED:
            self._fail(status.detail)

    def _look_at_end(self, chore: asyncio.Task[None]) -> None:
        """A chore ends when it is cancelled; otherwise it is broken, and a delivery without it is too."""
        if not chore.cancelled() and (error := chore.exception()) is not None:
            self._log.error("chore_failed", exc_info=error)
            self._fail(repr(error))

    def _fail(self, why: str) -> None:
        if not self.failed.done():
            self.failed.set_result(why)

    async def _all_gone(self) -> None:
        """Every client has closed, or has had `GOODBYE_S` for it."""
        until_s = self._loop.time() + GOODBYE_S
        while self.hub.open_connections and self._loop.time() < until_s:  # noqa: ASYNC110 (the hub is pure: it sets no events)
            await asyncio.sleep(0.02)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.settings.limits.heartbeat_interval_s)
            self.hub.beat()


def _labels(settings: DeliverySettings) -> list[str]:
    return [frame.label for frame in settings.frames]


def _tell(loop: asyncio.AbstractEventLoop, take: Callable[[IntakeStatus], None], status: IntakeStatus) -> None:
    """From a reading thread; a loop that has ended wants to hear nothing."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(take, status)
