"""What one client wants of series, and how far it is with each: the way of a record from the hub into an outbox."""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from connectors.delivery.live.messages import Mode
from connectors.delivery.live.outbox import Outbox
from connectors.delivery.live.pace import Pace
from connectors.delivery.live.selection import Bodies, Labels
from connectors.delivery.store.records import BarRecord, Series


class Want(NamedTuple):
    """How a series is wanted."""

    mode: Mode
    labels: Labels
    max_hz: float


class JoinState(Enum):
    """How far a series is with its snapshot."""

    WAITING = "waiting"
    """Not asked for yet: what comes will be in it."""
    READING = "reading"
    """Being read: what comes is held until it is known whether it was in it."""
    JOINED = "joined"
    """Sent: what was in it is not sent again, however late it comes here."""


class Join:
    """The seam between a series' snapshot and its updates: every record lies on one side of it, by its partition and offset."""

    __slots__ = ("_held", "_positions", "limit", "state")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        """How many bars the snapshot has at most."""
        self.state = JoinState.WAITING
        self._held: list[BarRecord] = []
        self._positions: Mapping[int, int] = {}

    def lets(self, record: BarRecord) -> bool:
        """Whether `record` is to be sent now; while the snapshot is read it is kept."""
        if self.state is JoinState.JOINED:
            return record.offset >= self._positions.get(record.partition, 0)
        if self.state is JoinState.READING:
            self._held.append(record)
        return False

    def joined(self, positions: Mapping[int, int]) -> list[BarRecord]:
        """The snapshot was read when the store stood at `positions`: what was held and is not in it."""
        self.state = JoinState.JOINED
        self._positions = positions
        held, self._held = self._held, []
        return [record for record in held if self.lets(record)]


class Watch:
    """One client's want, of one series or (with `*`) of all in one time frame."""

    __slots__ = ("_pace", "asleep", "hidden", "joins", "outbox", "want")

    def __init__(self, outbox: Outbox, want: Want) -> None:
        self.outbox = outbox
        self.want = want
        self.joins: dict[Series, Join] = {}
        """Series that have a snapshot."""
        self.hidden: set[Series] = set()
        """Series of a `*` that the client wants otherwise, by a watch of their own."""
        self.asleep: set[Series] = set()
        """Those, and series that wait for their snapshot: nothing forming is shown of them."""
        self._pace: Pace = outbox.pace(want.max_hz)

    def show(self, series: Series, bodies: Bodies, now_s: float) -> None:
        """A record that a newer one may take the place of."""
        if not self.asleep or series not in self.asleep:
            self.outbox.show(self._pace, series, bodies.start_ms, bodies.get(self.want.labels), now_s)

    def tell(self, series: Series, record: BarRecord, bodies: Bodies, now_s: float, *, is_newest: bool) -> None:
        """A final or a revision; whether it is of its series' newest bar."""
        if series in self.hidden:
            return
        join = self.joins.get(series)
        if join is not None and not join.lets(record):
            return
        if self.want.mode is not Mode.LATEST:
            self._pace.final(series, record.start_ms)
            self.outbox.put_final(bodies.get(self.want.labels), now_s)
        elif is_newest:
            self.show(series, bodies, now_s)

    def hide(self, series: Series) -> None:
        """The client wants this series otherwise, by a watch of its own."""
        self.forget(series)
        self.hidden.add(series)
        self.asleep.add(series)

    def unhide(self, series: Series) -> None:
        """The client has no other want of this series any more."""
        self.hidden.discard(series)
        self.asleep.discard(series)

    def join(self, series: Series, limit: int) -> None:
        """The series begins with a snapshot of at most `limit` bars."""
        self.joins[series] = Join(limit)
        self.asleep.add(series)

    def forget(self, series: Series) -> None:
        """The series is not wanted any more: no snapshot, and nothing forming that waits."""
        self.joins.pop(series, None)
        self.asleep.discard(series)
        self._pace.pending.pop(series, None)

    def forget_all(self, time_frame: str) -> None:
        """Likewise all series of a time frame, for a watch of all."""
        for series in [series for series in (*self.joins, *self._pace.pending) if series.time_frame == time_frame]:
            if series not in self.hidden:
                self.forget(series)
