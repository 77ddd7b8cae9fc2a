"""One client's connection: what it says goes to its session, and what its session has for it comes out in frames."""

from typing import TYPE_CHECKING, Protocol

import msgspec

from connectors.delivery.live.messages import ErrorCode, ListSubscriptions, Ping, Resume, Subscribe, Unsubscribe
from connectors.delivery.live.outbox import Frame
from connectors.delivery.live.protocol import GOING_AWAY, INTERNAL, OVERLOADED, Conversation, Refused, Wish, refused
from connectors.delivery.live.server_messages import Ack, Pong, ServerMessage
from connectors.delivery.live.session import Session
from connectors.delivery.live.subscriptions import Known, plan, snapshot_rows

if TYPE_CHECKING:
    from connectors.delivery.live.hub import Hub

_encode = msgspec.json.Encoder().encode


class Line(Protocol):
    """The way to a client: a WebSocket, an event stream."""

    def wake(self, when_s: float) -> None:
        """Ask for the next frame at this time, or as soon after it as can be. Several times may be told; the earliest counts."""


class Connection:
    """Pure but for its hub. Whoever has the socket calls `receive`, `next_frame` and, when it is gone, `lost`."""

    def __init__(self, hub: "Hub", line: Line, session: Session, conversation: Conversation) -> None:
        self.session = session
        self.ending: int | None = None
        """The code with which to close, once `next_frame` gives None."""
        self.sending_since_s: float | None = None
        """Since when the socket has not taken the last frame; None while none waits for it."""
        self._hub = hub
        self._line = line
        self._conversation = conversation
        self.move_to(session)

    @property
    def conn(self) -> str:
        """The name by which it can be resumed."""
        return self.session.name

    @property
    def msg_seq(self) -> int:
        """The number of the newest numbered message taken."""
        return self.session.outbox.seq

    @property
    def holder(self) -> str | None:
        """Who has the key it came with; None before it has shown one."""
        return None if self._conversation.permit is None else self._conversation.permit.name

    # In --------------------------------------------------------------------------------------------------------------

    def receive(self, data: str | bytes) -> None:
        """The client has sent a message."""
        if self.ending is not None:
            return
        heard = self._conversation.receive(data, self._hub.clock.now_s())
        if isinstance(heard, Refused):
            self._refuse(heard)
        elif isinstance(heard, (Subscribe, Unsubscribe, ListSubscriptions, Ping, Resume)):
            self._carry_out(heard)
        else:
            self.session.holder = self.holder
            self.say(Ack(id=heard.id))

    def subscribe(self, message: Subscribe) -> None:
        """More series, or some otherwise: taken as a whole, symbol by symbol, or not at all when the snapshots are too large."""
        market, limits = self._hub.market, self._hub.limits
        understood = plan(message, Known(limits, self.session.symbols, self.session.rates, self._hub.is_frame))
        rows = snapshot_rows(understood.wanted, lambda frame: len(market.known(frame)))
        if rows > limits.max_snapshot_rows:
            detail = f"snapshots of {rows:,} bars in all; at most {limits.max_snapshot_rows:,}"
            self._refuse(refused(ErrorCode.SNAPSHOT_TOO_LARGE, detail, message.id))
            return
        snapshots = self.session.subscribe(understood.wanted)
        subscribed = tuple(each.channel for each in understood.wanted)
        self.say(Ack(id=message.id, subscribed=subscribed, rejected=tuple(understood.rejected), snapshots=snapshots))

    def resume(self, message: Resume) -> bool:
        """Go on with an earlier connection's session, in the place of the own one; whether that could be done."""
        why = self._hub.resume(self, message)
        if why:
            self._refuse(refused(ErrorCode.RESUME_REFUSED, why, message.id))
            return False
        self.say(Ack(id=message.id, subscribed=self.session.channels, conn=self.conn, msg_seq=message.msg_seq))
        self.session.show_all_newest()
        return True

    def lost(self, *, for_good: bool) -> None:
        """The socket is gone; `for_good` when the client said goodbye and need not be waited for."""
        self._hub.lose(self, for_good=for_good)

    # Out -------------------------------------------------------------------------------------------------------------

    def next_frame(self) -> bytes | None:
        """An array of messages to be sent now; None when there is nothing. To be called until it gives None."""
        now_s = self._hub.clock.now_s()
        frame = self.session.outbox.take(now_s)
        self.session.read_on()
        if frame is None:
            return None
        data = b"[" + b",".join(frame.messages) + b"]"
        self._count(frame, len(data))
        return data

    def say(self, message: ServerMessage) -> None:
        """Put a message that is not numbered before all that are."""
        self.session.outbox.say(_encode(message), self._hub.clock.now_s())

    def check(self, now_s: float) -> None:
        """Time has passed: a key that did not come or holds no more, a client that does not take what it is sent."""
        if self.ending is not None:
            return
        cut = self._conversation.check(now_s) or self._failure() or self._slowness(now_s)
        if cut is not None:
            self._refuse(cut)

    def end(self, message: ServerMessage, close: int) -> None:
        """Say a last thing, and nothing after it; the session is over."""
        self._hub.forget(self.session)
        self.ending = close
        self.say(message)

    def move_to(self, session: Session) -> None:
        """Go on with `session`."""
        self.session = session
        session.attach(self._line.wake, self.holder)

    def leave_to(self, session: Session) -> None:
        """Another connection has taken the session; this one is left with `session`, an empty one, and ends."""
        self.move_to(session)
        self._refuse(refused(ErrorCode.RESUMED_ELSEWHERE, "another connection has resumed this one", close=GOING_AWAY))

    def _refuse(self, heard: Refused) -> None:
        if heard.close is None:
            self.say(heard.error)
            return
        self._hub.metrics.cuts[heard.error.code] += 1
        self.end(heard.error, heard.close)

    def _carry_out(self, wish: Wish) -> None:
        if isinstance(wish, Subscribe):
            self.subscribe(wish)
        elif isinstance(wish, Resume):
            self.resume(wish)
        elif isinstance(wish, Ping):
            self.say(Pong(wish.id, self._hub.clock.now_ms()))
        else:
            if isinstance(wish, Unsubscribe):
                self.session.unsubscribe(wish.channels)
            self.say(Ack(id=wish.id, subscribed=self.session.channels))

    def _failure(self) -> Refused | None:
        if not self.session.failed:
            return None
        return refused(ErrorCode.SNAPSHOT_FAILED, "stored bars could not be read; come again", close=INTERNAL)

    def _slowness(self, now_s: float) -> Refused | None:
        limits, outbox = self._hub.limits, self.session.outbox
        is_stuck = self.sending_since_s is not None and now_s - self.sending_since_s > limits.slow_after_s
        if not (is_stuck or outbox.overflowed or outbox.is_stuck(now_s)):
            return None
        detail = f"finals are kept for {limits.slow_after_s:g} s, {limits.outbox_events:,} of them or {limits.outbox_bytes:,} bytes"
        return refused(ErrorCode.SLOW_CLIENT, detail, close=OVERLOADED)

    def _count(self, frame: Frame, size: int) -> None:
        metrics = self._hub.metrics
        metrics.finals_sent += frame.finals
        metrics.forming_sent += frame.forming
        metrics.conflated += frame.skipped
        metrics.bytes_sent += size
