"""All clients of a delivery, and the market they watch: records in, frames out. Lives in one event loop, and knows none."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from connectors.delivery.live.connection import Connection, Line
from connectors.delivery.live.lag import Lag
from connectors.delivery.live.limits import Limits
from connectors.delivery.live.market import Market
from connectors.delivery.live.messages import ErrorCode, Resume
from connectors.delivery.live.outbox import HEARTBEAT
from connectors.delivery.live.protocol import GOING_AWAY, OVERLOADED, RESTART, Admit, Conversation, Permit, refused
from connectors.delivery.live.server_messages import Announced, Bye, Heartbeat, StateMessage, Welcome
from connectors.delivery.live.session import Session
from connectors.delivery.live.snapshots import Answer, Question, SnapshotSource
from connectors.delivery.metrics import Metrics
from connectors.delivery.store.reader import StoredBar
from connectors.delivery.store.records import BarRecord, Series

RETRY_MS = (500, 1_500)
"""When the clients of a delivery that stops may come back: each at a time of its own within these."""
TOKEN_BYTES = 9
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is: a monotonic clock in seconds, and the epoch's in milliseconds."""

    now_s: Callable[[], float]
    now_ms: Callable[[], int]


def new_token() -> str:
    """What nobody guesses: who knows a connection's name can go on with it."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def retry_ms() -> int:
    """A time within `RETRY_MS`, for one client: so not all come at once."""
    low, high = RETRY_MS
    return low + secrets.randbelow(high - low)


class Hub:
    """Names of its connections are `name-number-token`. `frames` are the time frames configured; without any, all are taken for real."""

    def __init__(
        self,
        name: str,
        limits: Limits,
        snapshots: SnapshotSource,
        clock: Clock,
        metrics: Metrics,
        *,
        frames: Iterable[str] = (),
        new_token: Callable[[], str] = new_token,
    ) -> None:
        self.limits = limits
        self.clock = clock
        self.metrics = metrics
        self.market = Market()
        self.lag_ms: int | None = None
        """How long the slowest record of the last heartbeat's time took from the job to here; None when none came."""
        self.stopping = False
        self._name = name
        self._snapshots = snapshots
        self._frames = frozenset(frames)
        self._new_token = new_token
        self._opened = 0
        self._connections: dict[Connection, None] = {}
        self._sessions: dict[str, Session] = {}
        self._away: dict[Session, None] = {}
        """Sessions that wait for their client, the first that was left first."""
        self._holders: dict[str, Connection] = {}
        self._state = StateMessage(state="ok")
        self._lag = Lag(metrics)

    # Records ---------------------------------------------------------------------------------------------------------

    def remember(self, latest: Mapping[Series, StoredBar]) -> None:
        """The newest stored bar of each series, from before anything comes in."""
        self.market.remember(latest)

    def take_results(self, records: list[BarRecord]) -> None:
        """Finals and revisions that the store holds by now, in its order."""
        self._time(records)
        self.market.take_results(records, self.clock.now_s())

    def take_forming(self, records: list[BarRecord]) -> None:
        """Forming records."""
        self._time(records)
        self.market.take_forming(records, self.clock.now_s())

    def forming(self, series: Series) -> BarRecord | None:
        """The newest forming record of a series, unless its bar has a final."""
        newest = self.market.newest(series)
        return None if newest is None else newest.forming

    def is_frame(self, label: str) -> bool:
        """Whether bars of this time frame (canonical) are there, or will be."""
        return not self._frames or label in self._frames or bool(self.market.known(label))

    def change_state(self, state: Literal["ok", "degraded", "catching_up"], reason: str | None = None) -> None:
        """Tell everybody how well we are fed ourselves."""
        message = StateMessage(state=state, reason=reason)
        if message != self._state:
            self._state = message
            for connection in self._open():
                connection.say(message)

    # Clients ---------------------------------------------------------------------------------------------------------

    def connect(self, line: Line, permit: Permit | None, admit: Admit | None = None) -> Connection:
        """A client is there, with `permit` or to show a key that `admit` judges. One too many is told so, and to be closed."""
        limits, now_s = self.limits, self.clock.now_s()
        connection = Connection(self, line, self._new_session(), Conversation(limits, now_s, permit, admit))
        if self.stopping or len(self._connections) >= limits.max_connections:
            self.metrics.turned_away += 1
            error = refused(ErrorCode.CONNECTION_LIMIT, f"at most {limits.max_connections:,} clients").error
            connection.end(self._bye("shutdown") if self.stopping else error, GOING_AWAY if self.stopping else OVERLOADED)
            return connection
        self._connections[connection] = None
        self._holders[connection.conn] = connection
        announced = Announced(limits.max_symbols, limits.messages_per_second, limits.max_snapshot_rows)
        connection.say(Welcome(connection.conn, round(limits.heartbeat_interval_s * 1_000), announced))
        if self._state.state != "ok":
            connection.say(self._state)
        return connection

    def resume(self, connection: Connection, message: Resume) -> str:
        """Give the session named in `message` to `connection`; why not, if not."""
        session = self._sessions.get(message.conn)
        holder = self._holders.get(message.conn)
        own = connection.session
        if own.subscriptions or own.outbox.seq:
            why = "resume comes before subscribe"
        elif session is None or session is own or session.holder != connection.holder:
            why = "no such connection, or not any more"
        elif not session.resume(message.msg_seq):
            why = "what followed this message is not kept any more"
        else:
            why = ""
            self._hand_over(session, connection, holder)
        self.metrics.resumes["refused" if why else "ok"] += 1
        return why

    def _hand_over(self, session: Session, connection: Connection, holder: Connection | None) -> None:
        self.forget(connection.session)
        self._away.pop(session, None)
        connection.move_to(session)
        self._holders[session.name] = connection
        if holder is not None:
            holder.leave_to(self._new_session())

    def lose(self, connection: Connection, *, for_good: bool) -> None:
        """A client's socket is gone; its session waits for it, unless it is over or nothing is subscribed."""
        self._connections.pop(connection, None)
        session = connection.session
        if self._holders.get(session.name) is connection:
            del self._holders[session.name]
        if for_good or not session.subscriptions or self.stopping:
            self.forget(session)
            return
        session.detach()
        self._away[session] = None
        if len(self._away) > self.limits.max_connections:
            self.forget(next(iter(self._away)))

    def forget(self, session: Session) -> None:
        """A session is over."""
        session.close()
        self._away.pop(session, None)
        self._sessions.pop(session.name, None)
        self._holders.pop(session.name, None)

    def beat(self) -> None:
        """Time has passed: to be called each `heartbeat_interval_s`. Clients are looked at, and told that we live."""
        now_s = self.clock.now_s()
        self.lag_ms = self._lag.read()
        for connection in self._open():
            connection.check(now_s)
        for session in list(self._away):
            if session.has_stayed_away(now_s):
                self.forget(session)
        heartbeat = Heartbeat(msg_seq=0, now_ms=self.clock.now_ms(), newest_end_ms=self.newest_end_ms, lag_ms=self.lag_ms)
        body = _encode(heartbeat).removeprefix(HEARTBEAT % (0, b""))
        for connection in self._open():
            connection.session.outbox.beat(body, now_s)

    def stop(self) -> None:
        """Say goodbye to everybody, and take nobody any more."""
        self.stopping = True
        for connection in self._open():
            connection.end(self._bye("shutdown"), GOING_AWAY)

    def start_over(self) -> None:
        """The topic was made anew, and what was sent does not hold any more: everybody comes again, and takes new snapshots."""
        for connection in self._open():
            connection.end(self._bye("restart"), RESTART)
        for session in list(self._sessions.values()):
            self.forget(session)
        self.market = Market()

    # What there is ---------------------------------------------------------------------------------------------------

    @property
    def open_connections(self) -> int:
        """WebSocket clients and event streams together."""
        return len(self._connections)

    @property
    def subscriptions(self) -> int:
        """Series subscribed, summed over clients."""
        return sum(session.subscriptions for session in self._sessions.values())

    @property
    def outbox_bytes(self) -> int:
        """Bytes of finals kept for clients."""
        return sum(session.outbox.size for session in self._sessions.values())

    @property
    def newest_end_ms(self) -> int | None:
        """The end of the newest final bar."""
        return self.market.newest_end_ms

    def _open(self) -> list[Connection]:
        return [connection for connection in self._connections if connection.ending is None]

    def _new_session(self) -> Session:
        self._opened += 1
        name = f"{self._name}-{self._opened}-{self._new_token()}"
        session = Session(name, self.limits, self.market, self._ask, self.clock.now_s)
        self._sessions[name] = session
        return session

    def _ask(self, question: Question, take: Callable[[Answer | None], None]) -> None:
        def take_counted(answer: Answer | None) -> None:
            self.metrics.snapshot_rows += 0 if answer is None else answer.rows
            take(answer)

        self._snapshots(question, take_counted)

    def _bye(self, code: Literal["shutdown", "restart"]) -> Bye:
        return Bye(code=code, retry_ms=retry_ms())

    def _time(self, records: list[BarRecord]) -> None:
        if self._state.state != "catching_up":  # how old they are then says nothing of how fast we are
            self._lag.take(records, self.clock.now_ms())
