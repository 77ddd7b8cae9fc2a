"""How long records take from the job to here."""

from collections.abc import Iterable

from connectors.delivery.metrics import Metrics
from connectors.delivery.store.records import BarRecord


class Lag:
    """The delay of each record counted, and the greatest since it was last asked for."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._greatest_ms: int | None = None

    def take(self, records: Iterable[BarRecord], now_ms: int) -> None:
        """These have come in."""
        for record in records:
            if record.emitted_ms is not None:
                delay_ms = max(0, now_ms - record.emitted_ms)
                self._metrics.delay.observe(delay_ms / 1_000, 1)
                self._greatest_ms = delay_ms if self._greatest_ms is None else max(self._greatest_ms, delay_ms)

    def read(self) -> int | None:
        """The greatest delay in ms since the last reading; None when nothing came."""
        greatest_ms, self._greatest_ms = self._greatest_ms, None
        return greatest_ms
