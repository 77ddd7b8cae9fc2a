"""How a delivery stands: what `/v1/status`, `/readyz`, `/metrics` and the registry say of it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from connectors.delivery.intake.status import IntakeStatus, State, Trouble
from connectors.delivery.live.hub import Hub
from connectors.delivery.pipeline.answers import JobAnswer, StatusAnswer
from connectors.delivery.settings import DeliverySettings
from connectors.delivery.store.reader import StoreSize
from connectors.delivery.store.reading import Reading
from connectors.errors import ConnectorError
from connectors.rate import Rate

COUNT_S = 1.0
SIZE_S = 5.0
"""Between two looks at the store's size."""


class Standing:
    """Asks the parts of a delivery. What takes time is asked in the background, from `keep_count` and `keep_size`."""

    def __init__(
        self,
        settings: DeliverySettings,
        hub: Hub,
        intake: Callable[[], IntakeStatus],
        job: Callable[[], JobAnswer | None],
        reading: Reading,
        now_ms: Callable[[], int],
        *,
        needs_key: bool,
    ) -> None:
        self.stopping = False
        self.intake = intake
        self._settings, self._hub, self._job, self._reading = settings, hub, job, reading
        self._now_ms, self._started_ms, self._needs_key = now_ms, now_ms(), needs_key
        self._size = StoreSize(0, 0, 0, 0, None)
        self._results, self._forming = Rate(), Rate()
        self._results_per_s = self._forming_per_s = 0.0

    def status(self) -> StatusAnswer:
        """How it stands now."""
        intake = self.intake()
        return StatusAnswer(
            name=self._settings.name,
            version=self._settings.version,
            started_ms=self._started_ms,
            now_ms=self._now_ms(),
            ready=not self.why_not_ready(),
            caught_up=intake.caught_up,
            behind_records=intake.behind,
            results_per_s=round(self._results_per_s, 1),
            live_per_s=round(self._forming_per_s, 1),
            newest_end_ms=intake.newest_end_ms,
            lag_ms=self._hub.lag_ms,
            connections=self._hub.open_connections,
            symbols=self._size.symbols,
            bars=self._size.bars,
            kafka="ok" if _is_reached(intake) else "unreachable",
            trouble=None if intake.reason is None else intake.reason.value,
            auth="keys" if self._needs_key else "none",
            job=self._job(),
        )

    def why_not_ready(self) -> list[str]:
        """Why no clients should be sent here; empty when they may.

        Once it has caught up a delivery stays ready while Kafka is away: it tells clients so, and what it has is all there is.
        """
        intake = self.intake()
        if self.stopping:
            return ["stopping"]
        if intake.state is State.FAILED:
            return [f"failed: {intake.detail}"]
        if intake.caught_up:
            return []
        behind = "" if intake.behind is None else f", {intake.behind} records behind"
        return [f"catching up{behind}", *([f"{intake.reason}: {intake.detail}"] if intake.reason else [])]

    def taken(self) -> dict[str, int]:
        """Records read of the topics, by the names of `metrics.TAKEN`."""
        intake = self.intake()
        return {"results": intake.results, "forming": intake.forming, "unreadable": intake.unreadable}

    def gauges(self) -> dict[str, float]:
        """What there is now, by the names of `metrics.GAUGES`."""
        intake = self.intake()
        return {
            "open_connections": self._hub.open_connections,
            "subscriptions": self._hub.subscriptions,
            "outbox_bytes": self._hub.outbox_bytes,
            "store_rows": self._size.bars,
            "store_bytes": self._size.bytes,
            "caught_up": int(intake.caught_up),
            "behind_records": intake.behind or 0,
            "kafka_reachable": int(_is_reached(intake)),
            "degraded": int(intake.reason is not None),
            "lag_seconds": (self._hub.lag_ms or 0) / 1_000,
        }

    def load(self, now_ms: int) -> dict[str, float]:
        """What there is to do now, for the registry."""
        return {
            "connections": self._hub.open_connections,
            "results_per_second": round(self._results_per_s, 1),
            "forming_per_second": round(self._forming_per_s, 1),
        }

    async def keep_count(self) -> None:
        """Know how fast records come, until cancelled."""
        while True:
            now_ms, taken = self._now_ms(), self.taken()
            self._results_per_s = self._results.per_second(taken["results"], now_ms)
            self._forming_per_s = self._forming.per_second(taken["forming"], now_ms)
            await asyncio.sleep(COUNT_S)

    async def keep_size(self) -> None:
        """Know how much the store holds, until cancelled."""
        while True:
            with suppress(ConnectorError):
                self._size = await self._reading.ask(lambda reader: reader.size(), urgent=True)
            await asyncio.sleep(SIZE_S)


def _is_reached(intake: IntakeStatus) -> bool:
    return intake.reason is not Trouble.KAFKA_UNREACHABLE
