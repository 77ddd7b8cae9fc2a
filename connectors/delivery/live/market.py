"""The newest of every series, and who watches which: records come in here and go to all who want them."""

from collections.abc import Iterable, Mapping

from connectors.delivery.live.messages import Mode
from connectors.delivery.live.newest import Newest
from connectors.delivery.live.selection import Bodies
from connectors.delivery.live.watch import Watch
from connectors.delivery.store.reader import StoredBar
from connectors.delivery.store.records import BarRecord, Series


class Audience:
    """Those who watch the same, in the order they came."""

    __slots__ = ("all", "forming")

    def __init__(self) -> None:
        self.all: dict[Watch, None] = {}
        self.forming: dict[Watch, None] = {}
        """Those who want forming bars, too."""

    def add(self, watch: Watch) -> None:
        """One more."""
        self.all[watch] = None
        if watch.want.mode is not Mode.FINAL:
            self.forming[watch] = None

    def remove(self, watch: Watch) -> None:
        """One less."""
        self.all.pop(watch, None)
        self.forming.pop(watch, None)


class Market:
    """All series. What one record costs a client that watches it is an insertion into a dict or a queue, no more."""

    def __init__(self) -> None:
        self.newest_end_ms: int | None = None
        """The end of the newest bar that has a final."""
        self._newest: dict[Series, Newest] = {}
        self._known: dict[str, dict[Series, None]] = {}
        self._of_series: dict[Series, Audience] = {}
        self._of_frame: dict[str, Audience] = {}

    def remember(self, latest: Mapping[Series, StoredBar]) -> None:
        """The newest stored bar of each series: what forms of it or of one before it is not shown any more."""
        for series, bar in latest.items():
            self._series(series).remember(bar)
            self._ended(bar.end_ms)

    def take_results(self, records: Iterable[BarRecord], now_s: float) -> None:
        """Finals and revisions that the store has taken, in its order."""
        for record in records:
            series = record.series
            is_newest = self._series(series).take_final(record)
            self._ended(record.end_ms)
            bodies = Bodies.of(record)
            for audience in (self._of_series.get(series), self._of_frame.get(series.time_frame)):
                for watch in audience.all if audience is not None else ():
                    watch.tell(series, record, bodies, now_s, is_newest=is_newest)

    def take_forming(self, records: Iterable[BarRecord], now_s: float) -> None:
        """Forming records, as they come."""
        for record in records:
            series = record.series
            if not self._series(series).take_forming(record):
                continue
            bodies = Bodies.of(record)
            for audience in (self._of_series.get(series), self._of_frame.get(series.time_frame)):
                for watch in audience.forming if audience is not None else ():
                    watch.show(series, bodies, now_s)

    def newest(self, series: Series) -> Newest | None:
        """What is known of a series; None when nothing is."""
        return self._newest.get(series)

    def known(self, time_frame: str) -> list[Series]:
        """Every series of a time frame of which something is known."""
        return list(self._known.get(time_frame, ()))

    def watch(self, series: Series, watch: Watch) -> None:
        """Send what comes of `series` to `watch`, too."""
        self._of_series.setdefault(series, Audience()).add(watch)

    def watch_all(self, time_frame: str, watch: Watch) -> None:
        """Send what comes of any series of `time_frame` to `watch`, too."""
        self._of_frame.setdefault(time_frame, Audience()).add(watch)

    def unwatch(self, series: Series, watch: Watch) -> None:
        """Send nothing of `series` to `watch` any more."""
        _remove(self._of_series, series, watch)

    def unwatch_all(self, time_frame: str, watch: Watch) -> None:
        """Likewise, of all series of `time_frame`."""
        _remove(self._of_frame, time_frame, watch)

    def _series(self, series: Series) -> Newest:
        newest = self._newest.get(series)
        if newest is None:
            newest = self._newest[series] = Newest()
            self._known.setdefault(series.time_frame, {})[series] = None
        return newest

    def _ended(self, end_ms: int) -> None:
        if self.newest_end_ms is None or end_ms > self.newest_end_ms:
            self.newest_end_ms = end_ms


def _remove(audiences: "dict[Series, Audience] | dict[str, Audience]", key: "Series | str", watch: Watch) -> None:
    audience = audiences.get(key)  # type: ignore[arg-type] # each dict is given keys of its own
    if audience is not None:
        audience.remove(watch)
        if not audience.all:
            del audiences[key]  # type: ignore[arg-type]
