"""What outlives a client's connection: its outbox, what it has subscribed, and the snapshots it waits for."""

from collections import deque
from collections.abc import Callable, Iterable

from connectors.delivery.live.limits import Limits
from connectors.delivery.live.market import Market
from connectors.delivery.live.messages import Channel, Dropped, Mode
from connectors.delivery.live.outbox import Outbox
from connectors.delivery.live.selection import Bodies
from connectors.delivery.live.snapshots import Answer, Question, SnapshotSource
from connectors.delivery.live.subscriptions import Wanted, canonical_frame, listed
from connectors.delivery.live.watch import Join, JoinState, Watch
from connectors.delivery.store.records import BarRecord, Series

READ_ROWS = 1_000
"""Bars read at once for one client: the next ones when these are out, so that a slow client has no more than this in memory."""


class Session:
    """One client, from its first connection on and through those that resume it. `ask` reads snapshots, `now_s` is monotonic."""

    def __init__(self, name: str, limits: Limits, market: Market, ask: SnapshotSource, now_s: Callable[[], float]) -> None:
        self.name = name
        self.outbox = Outbox(limits, _nobody)
        self.away_since_s: float | None = None
        """Since when no connection is there; None while one is."""
        self.holder: str | None = None
        """Whose key its client has shown."""
        self.failed = False
        """A snapshot could not be read."""
        self._limits = limits
        self._market = market
        self._ask = ask
        self._now_s = now_s
        self._named: dict[Series, Watch] = {}
        self._everything: dict[str, Watch] = {}
        self._to_read: deque[tuple[Series, Watch]] = deque()
        self._reading = False

    @property
    def symbols(self) -> frozenset[str]:
        """Every symbol it names."""
        return frozenset(series.stock_id for series in self._named)

    @property
    def rates(self) -> frozenset[float]:
        """Every rate at which something is sent."""
        return frozenset(watch.want.max_hz for watch in (*self._named.values(), *self._everything.values()))

    @property
    def subscriptions(self) -> int:
        """How many series it names; `*` is one a time frame."""
        return len(self._named) + len(self._everything)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """All that is subscribed."""
        return listed(
            {series: watch.want for series, watch in self._named.items()}, {frame: watch.want for frame, watch in self._everything.items()}
        )

    # What is wanted --------------------------------------------------------------------------------------------------

    def subscribe(self, wanted: Iterable[Wanted]) -> int:
        """From now on the series are sent as wanted, whatever was wanted of them before; of how many a snapshot comes."""
        begun: list[Watch] = []
        for each in wanted:
            named, every = Watch(self.outbox, each.want), Watch(self.outbox, each.want)
            begun += (named, every)
            for series in each.series:
                self._watch(series, named, each.snapshot)
            for frame in each.time_frames if each.everything else ():
                self._watch_all(frame, every, each.snapshot)
        self._keep_paces()
        return sum(len(watch.joins) for watch in begun)

    def unsubscribe(self, dropped: Iterable[Dropped] | None) -> None:
        """Send these series no more; None means all. Finals that wait already are sent."""
        for each in (Dropped(channel="bars"),) if dropped is None else dropped:
            frames = None if each.time_frames is None else {canonical_frame(label) for label in each.time_frames}
            for series in [series for series in self._named if _is_among(series, each.symbols, frames)]:
                self._unwatch(series)
                if (every := self._everything.get(series.time_frame)) is not None:
                    every.unhide(series)
            for frame in [frame for frame in self._everything if frames is None or frame in frames]:
                if each.symbols is None or "*" in each.symbols:
                    self._unwatch_all(frame)
        self._keep_paces()

    def _keep_paces(self) -> None:
        self.outbox.keep_paces(self.rates)

    def _watch(self, series: Series, watch: Watch, snapshot: int) -> None:
        self._unwatch(series)
        if (every := self._everything.get(series.time_frame)) is not None:
            every.hide(series)
        self._named[series] = watch
        self._market.watch(series, watch)
        self._begin(series, watch, snapshot)

    def _watch_all(self, frame: str, watch: Watch, snapshot: int) -> None:
        self._unwatch_all(frame)
        self._everything[frame] = watch
        self._market.watch_all(frame, watch)
        for series in self._named:
            if series.time_frame == frame:
                watch.hide(series)
        for series in self._market.known(frame):
            if series not in watch.hidden:
                self._begin(series, watch, snapshot)

    def _begin(self, series: Series, watch: Watch, snapshot: int) -> None:
        if not snapshot:
            self._show_newest(series, watch)
            return
        watch.join(series, snapshot)
        self._to_read.append((series, watch))

    def _unwatch(self, series: Series) -> None:
        watch = self._named.pop(series, None)
        if watch is not None:
            watch.forget(series)
            self._market.unwatch(series, watch)

    def _unwatch_all(self, frame: str) -> None:
        watch = self._everything.pop(frame, None)
        if watch is not None:
            watch.forget_all(frame)
            self._market.unwatch_all(frame, watch)

    # Snapshots -------------------------------------------------------------------------------------------------------

    def read_on(self) -> None:
        """Have the next snapshots read, when those read before are out."""
        if self._to_read and not self._reading and self.outbox.is_through:
            joins = self._next_joins()
            if joins:
                watch, limit = joins[0][1], joins[0][2].limit
                self._reading = True
                question = Question(tuple(series for series, _, _ in joins), limit, watch.want.labels)
                self._ask(question, lambda answer: self._take_snapshots(joins, answer))

    def _next_joins(self) -> list[tuple[Series, Watch, Join]]:
        """Series of the same kind whose snapshots are read together."""
        joins: list[tuple[Series, Watch, Join]] = []
        while self._to_read:
            series, watch = self._to_read[0]
            join = watch.joins.get(series)
            if join is not None and join.state is JoinState.WAITING:
                if joins and (watch is not joins[0][1] or (len(joins) + 1) * join.limit > READ_ROWS):
                    break
                join.state = JoinState.READING
                joins.append((series, watch, join))
            self._to_read.popleft()
        return joins

    def _take_snapshots(self, joins: list[tuple[Series, Watch, Join]], answer: Answer | None) -> None:
        self._reading = False
        if answer is None:
            self.failed = True
            self.outbox.wake(self._now_s())
            return
        self._market.remember(answer.newest)
        for series, watch, join in joins:
            if watch.joins.get(series) is join:
                self._send_snapshot(series, watch, answer.parts[series], join.joined(answer.positions))

    def _send_snapshot(self, series: Series, watch: Watch, parts: list[bytes], held: list[BarRecord]) -> None:
        now_s = self._now_s()
        for part in parts:
            self.outbox.put_snapshot(part, now_s)
        watch.asleep.discard(series)
        newest = self._market.newest(series)
        for record in held:
            is_newest = newest is None or record.start_ms >= newest.start_ms
            watch.tell(series, record, Bodies.of(record), now_s, is_newest=is_newest)
        if newest is not None and newest.forming is not None and watch.want.mode is not Mode.FINAL:
            watch.show(series, Bodies.of(newest.forming), now_s)

    def _show_newest(self, series: Series, watch: Watch) -> None:
        """Begin with the newest bar: what is forming, and in mode latest a final, too."""
        newest = self._market.newest(series)
        if newest is None or watch.want.mode is Mode.FINAL:
            return
        if newest.forming is not None:
            watch.show(series, Bodies.of(newest.forming), self._now_s())
        elif watch.want.mode is Mode.LATEST and newest.final is not None:
            watch.show(series, Bodies(newest.final, newest.final_start_ms), self._now_s())

    # Connections -----------------------------------------------------------------------------------------------------

    def attach(self, wake: Callable[[float], None], holder: str | None) -> None:
        """A connection of `holder` is there; `wake` is told when there is something for it."""
        self.away_since_s = None
        self.holder = holder
        self.outbox.wake = wake

    def detach(self) -> None:
        """The connection has gone; finals go on being collected."""
        self.away_since_s = self._now_s()
        self.outbox.wake = _nobody

    def has_stayed_away(self, now_s: float) -> bool:
        """Whether its client is not waited for any longer, or has missed more than is kept."""
        away_since_s = self.away_since_s
        return away_since_s is not None and (self.outbox.overflowed or now_s - away_since_s > self._limits.resume_window_s)

    def resume(self, seq: int) -> bool:
        """Go on after message `seq`; whether that can be done. What is newest now is shown again, after the finals that were missed.

        It cannot while a snapshot is owed: the client that was cut waits for it no more, and may have asked again.
        """
        is_owed = bool(self._to_read) or self._reading
        return not is_owed and self.outbox.resume(seq, self._now_s())

    def show_all_newest(self) -> None:
        """Show the newest bar of each series: what was shown before may never have arrived."""
        for series, watch in self._named.items():
            self._show_newest(series, watch)
        for frame, watch in self._everything.items():
            for series in self._market.known(frame):
                self._show_newest(series, watch)

    def close(self) -> None:
        """Want nothing any more; only replies are still sent."""
        self.unsubscribe(None)
        self._to_read.clear()
        self.outbox.stop()


def _is_among(series: Series, symbols: tuple[str, ...] | None, frames: set[str | None] | None) -> bool:
    return (symbols is None or series.stock_id in symbols) and (frames is None or series.time_frame in frames)


def _nobody(when_s: float) -> None:
    """Nobody is to be woken."""
