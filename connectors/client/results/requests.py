"""What a client asks of a delivery, one request after the other: the next one is sent once the one before is answered."""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from connectors.client.results.subscription import Subscription
from connectors.client.results.told import Gap, Series
from connectors.delivery.live.messages import ClientMessage, MessageId, Subscribe
from connectors.delivery.live.server_messages import Ack, Snapshot
from udfs.model import Result

MakeOp: TypeAlias = Callable[[int], ClientMessage]
"""Takes the id that the answer will repeat."""


@dataclass(slots=True)
class Request:
    """A message of ours, and what of its answer is there."""

    op: ClientMessage
    subscriptions: Sequence[Subscription] = ()
    rejoins: bool = False
    """Whether these were settled before: what the snapshots say is compared with what was told."""
    rows: dict[Series, list[Result]] = field(default_factory=dict)
    """Bars of the snapshots so far."""
    lacking: dict[Series, Gap] = field(default_factory=dict)
    """Series taken up again, of which there was no snapshot so far: what may lack of each."""
    _ack: Ack | None = None
    _complete: int = 0

    @property
    def wants_snapshots(self) -> bool:
        """Whether it asked for any."""
        return isinstance(self.op, Subscribe) and any(channel.snapshot for channel in self.op.channels)

    @property
    def is_settled(self) -> bool:
        """Whether its ack and all of its snapshots are there."""
        return self._ack is not None and self._complete >= (self._ack.snapshots or 0)

    def is_of(self, series: Series) -> bool:
        """Whether this series is wanted by it."""
        return any(each.is_of(series) for each in self.subscriptions)

    def take_ack(self, ack: Ack) -> None:
        """It was taken; as many snapshots come as the ack says."""
        self._ack = ack
        for subscription in self.subscriptions:
            subscription.rejected = ack.rejected or ()

    def take_snapshot(self, snapshot: Snapshot) -> list[Result] | None:
        """All bars of a series, once the last part of its snapshot is there."""
        series = (snapshot.stock_id, snapshot.time_frame)
        self.lacking.pop(series, None)
        rows = self.rows.setdefault(series, [])
        rows += snapshot.bars
        self._complete += snapshot.done
        return rows if snapshot.done else None

    def has(self, result: Result) -> bool:
        """Whether a snapshot of it has this record of a bar, or a newer one."""
        rows = self.rows.get((result.stock_id, result.time_frame), [])
        place = bisect_left(rows, result.start_ms, key=lambda bar: bar.start_ms)
        is_there = place < len(rows) and rows[place].start_ms == result.start_ms
        return is_there and (result.run, result.revision) <= (rows[place].run, rows[place].revision)


class Requests:
    """The requests of one connection: those to come, and the one that is not answered yet."""

    def __init__(self) -> None:
        self._steps: deque[Request] = deque()
        self._ids = 0
        self.asked: Request | None = None

    def begin(self) -> None:
        """A connection is new: nothing was asked on it."""
        self._steps.clear()
        self.asked = None

    def ask(self, make: MakeOp, subscriptions: Sequence[Subscription] = (), *, rejoins: bool = False) -> None:
        """Ask this after what is to be asked already."""
        self._ids += 1
        self._steps.append(Request(make(self._ids), subscriptions, rejoins))

    def next(self) -> ClientMessage | None:
        """What to send now."""
        if self.asked is not None or not self._steps:
            return None
        self.asked = self._steps.popleft()
        return self.asked.op

    def answered(self, id: MessageId) -> Request | None:
        """The request that an answer with this `id` is to."""
        return self.asked if self.asked is not None and self.asked.op.id == id else None

    def done(self) -> None:
        """The one that was asked needs no more answer."""
        self.asked = None
