"""What one client is to be sent, in order and numbered: bounded, and kept for a while to be sent again."""

from collections import deque
from collections.abc import Callable, Set
from typing import NamedTuple

from connectors.delivery.live.limits import Limits
from connectors.delivery.live.pace import Pace, Shown
from connectors.delivery.store.records import Series

FRAME_BYTES = 128 * 1024
"""A frame is closed when it holds this much: clients have limits, too."""
BAR = b'{"T":"bar","msg_seq":%d,%b'
CONFLATED_BAR = b'{"T":"bar","msg_seq":%d,"conflated":%d,%b'
SNAPSHOT = b'{"T":"snapshot","msg_seq":%d,%b'
HEARTBEAT = b'{"T":"hb","msg_seq":%d,%b'
FRAME_BARS = 128
"""Forming bars in one frame, likewise."""


class Queued(NamedTuple):
    """A final or a part of a snapshot that waits."""

    since_s: float
    body: bytes
    is_final: bool


class Sent(NamedTuple):
    """A final that was sent, and may have to be sent again."""

    seq: int
    at_s: float
    body: bytes


class Frame(NamedTuple):
    """Messages to be sent as one array, and what they hold."""

    messages: list[bytes]
    finals: int
    forming: int
    skipped: int


class Outbox:
    """Finals wait in a queue and are never passed over; forming bars wait in a `Pace`, the newest of each series only.

    Finals, those that wait and those that may have to be sent again, are at most `outbox_events` and `outbox_bytes`; of
    these the ones sent already go first. When those that wait alone are more, it has `overflowed`. Parts of snapshots
    are not counted: whoever puts them in asks for the next when the last ones are out.
    """

    __slots__ = (
        "_beat", "_bytes", "_forgotten", "_limits", "_queue", "_replies", "_sent", "_stopped", "_waiting",
        "overflowed", "paces", "seq", "wake",
    )  # fmt: skip

    def __init__(self, limits: Limits, wake: Callable[[float], None]) -> None:
        self.seq = 0
        """The number given last."""
        self.wake = wake
        """Called with the time at which there will be something to take; whoever takes it may change."""
        self.overflowed = False
        """More finals waited than may: there is nothing in it any more but replies."""
        self.paces: dict[float, Pace] = {}
        self._limits = limits
        self._replies: list[bytes] = []
        self._beat: bytes | None = None
        self._queue: deque[Queued] = deque()
        self._sent: deque[Sent] = deque()
        self._bytes = 0
        self._waiting = 0
        """Finals in the queue."""
        self._stopped = False
        self._forgotten = 0
        """The number of the newest message that cannot be sent again."""

    @property
    def size(self) -> int:
        """Bytes of finals, waiting and sent."""
        return self._bytes

    @property
    def finals(self) -> int:
        """How many finals are kept, waiting and sent."""
        return self._waiting + len(self._sent)

    @property
    def is_through(self) -> bool:
        """Whether no final and no part of a snapshot waits."""
        return not self._queue

    def pace(self, max_hz: float) -> Pace:
        """The pace of everything that goes out at this rate."""
        pace = self.paces.get(max_hz)
        if pace is None:
            pace = self.paces[max_hz] = Pace(max_hz)
        return pace

    def keep_paces(self, rates: Set[float]) -> None:
        """Nothing goes out at other rates any more."""
        for rate in self.paces.keys() - rates:
            del self.paces[rate]

    # In --------------------------------------------------------------------------------------------------------------

    def say(self, message: bytes, now_s: float) -> None:
        """Put in a message that is not numbered; it goes out before all that are."""
        self._replies.append(message)
        self.wake(now_s)

    def beat(self, body: bytes, now_s: float) -> None:
        """Put in a heartbeat, in the place of one that still waits."""
        self._beat = body
        self.wake(now_s)

    def put_final(self, body: bytes, now_s: float) -> None:
        """Put in a final or a revision."""
        if self._stopped:
            return
        self._queue.append(Queued(now_s, body, True))
        self._waiting += 1
        self._bytes += len(body)
        self._stay_within_limits()
        self.wake(now_s)

    def put_snapshot(self, body: bytes, now_s: float) -> None:
        """Put in a part of a snapshot, behind the finals that wait."""
        if self._stopped:
            return
        self._queue.append(Queued(now_s, body, False))
        self.wake(now_s)

    def show(self, pace: Pace, series: Series, start_ms: int, body: bytes, now_s: float) -> None:
        """Put in a record that newer ones may take the place of."""
        if not self._stopped and (when_s := pace.put(series, start_ms, body, now_s)) is not None:
            self.wake(when_s)

    def is_stuck(self, now_s: float) -> bool:
        """Whether a final has waited for too long. Parts of a snapshot may take their time: the client has asked for so much."""
        head = self._queue[0] if self._queue else None
        return head is not None and head.is_final and now_s - head.since_s > self._limits.slow_after_s

    # Out -------------------------------------------------------------------------------------------------------------

    def take(self, now_s: float) -> Frame | None:
        """The next frame: replies, then finals and snapshots in order, then (only when none of these waits) what is newest.

        To be called until it gives None; then `wake` says when to call again.
        """
        messages, self._replies = self._replies, []
        finals = self._take_queued(messages, now_s)
        forming, skipped = (0, 0) if self._queue else self._take_newest(messages, now_s)
        if self._beat is not None:
            messages.append(HEARTBEAT % (self.seq, self._beat))
            self._beat = None
        return Frame(messages, finals, forming, skipped) if messages else None

    def _take_queued(self, messages: list[bytes], now_s: float) -> int:
        finals = size = 0
        while self._queue and size < FRAME_BYTES:
            _, body, is_final = self._queue.popleft()
            self.seq += 1
            size += len(body)
            if is_final:
                finals += 1
                messages.append(BAR % (self.seq, body))
                self._waiting -= 1
                self._sent.append(Sent(self.seq, now_s, body))
            else:
                messages.append(SNAPSHOT % (self.seq, body))
                self._forget_all_sent()
        while self._sent and now_s - self._sent[0].at_s > self._limits.resume_window_s:
            self._forget_oldest()
        return finals

    def _take_newest(self, messages: list[bytes], now_s: float) -> tuple[int, int]:
        forming = skipped = 0
        for pace in self.paces.values():
            for shown in pace.take(now_s, FRAME_BARS):
                self.seq += 1
                forming += 1
                skipped += shown.skipped
                messages.append(_message_of(self.seq, shown))
            if (when_s := pace.when()) is not None:
                self.wake(when_s)
        return forming, skipped

    def stop(self) -> None:
        """Take in nothing more but replies, and forget what waits."""
        self._stopped = True
        self._queue.clear()
        self._sent.clear()
        self._beat = None
        self._bytes = self._waiting = 0
        self._forgotten = self.seq
        self.paces.clear()

    # Again -----------------------------------------------------------------------------------------------------------

    def resume(self, seq: int, now_s: float) -> bool:
        """Go on after the message `seq`, the last that the client has seen: finals sent after it wait again, in front.

        Whether that could be done; it cannot when a message after `seq` was a part of a snapshot or will be one, or is not kept any more.
        """
        if not self._forgotten <= seq <= self.seq or self._stopped or not all(queued.is_final for queued in self._queue):
            return False
        again = [Queued(now_s, sent.body, True) for sent in self._sent if sent.seq > seq]
        for _ in again:
            self._sent.pop()
        self._waiting += len(again)
        self._queue = deque([*again, *(queued._replace(since_s=now_s) for queued in self._queue)])
        self._forget_all_sent()
        self.seq = self._forgotten = seq
        self._replies.clear()
        self._beat = None
        for pace in self.paces.values():
            pace.pending.clear()
        return True

    def _stay_within_limits(self) -> None:
        limits = self._limits
        while self.finals > limits.outbox_events or self._bytes > limits.outbox_bytes:
            if not self._sent:
                self.overflowed = True
                self.stop()
                return
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        sent = self._sent.popleft()
        self._bytes -= len(sent.body)
        self._forgotten = sent.seq

    def _forget_all_sent(self) -> None:
        while self._sent:
            self._forget_oldest()
        self._forgotten = self.seq


def _message_of(seq: int, shown: Shown) -> bytes:
    if shown.skipped:
        return CONFLATED_BAR % (seq, shown.skipped, shown.body)
    return BAR % (seq, shown.body)
