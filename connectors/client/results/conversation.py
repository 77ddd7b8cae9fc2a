"""A client's side of the delivery's WebSocket as a state machine, over as many connections as it takes: messages in, messages out.

No socket, no clock.
"""

from collections import deque
from collections.abc import Sequence

import msgspec

from connectors.client.results.requests import Request, Requests
from connectors.client.results.said import NotADelivery, Unreadable, read_frame
from connectors.client.results.subscription import Ending, Stage, Subscription
from connectors.client.results.told import Gap, Told
from connectors.client.results.wants import Wants, rows_each, with_snapshot
from connectors.delivery.live.messages import Auth, Channel, ListSubscriptions, Resume, Subscribe, Unsubscribe
from connectors.delivery.live.server_messages import Ack, Bar, Bye, Error, Heartbeat, ServerMessage, Snapshot, StateMessage, Welcome
from udfs.model import Result, Status

WELCOME_PATIENCE_S = 10.0
"""How long a delivery may take to say welcome."""
MISSED_HEARTBEATS = 5
LEAST_PATIENCE_S = 5.0
"""Silence of so many heartbeats, and of no less than this, means that the delivery is gone."""
REMEMBERED = 40_000
"""Bars whose newest record told is remembered, over all series."""
FOR_GOOD = frozenset({401, 402})
"""A key is needed, or this one is not known: trying again is of no use."""
_WELL = StateMessage(state="ok")

_encode = msgspec.json.Encoder().encode


class ResultConversation:
    """What one client wants, what it is to be told, and where a chain of connections stands.

    `news` is what the caller is to be told, in order; whoever reads it takes it out. A final or revised record is in it
    once, whatever is cut and resumed. Where the delivery has kept nothing of us, each series is taken up again from a
    snapshot of at most `rejoin_bars` bars, behind a `Gap`.
    """

    def __init__(self, *, key: str | None, rejoin_bars: int) -> None:
        self.news: deque[Result | Gap] = deque()
        self.welcome: Welcome | None = None
        """What the delivery of this connection said first; None before."""
        self.ending: Ending | None = None
        """Why this connection ends, once that is known."""
        self.joined = False
        """Whether this connection is authenticated and stands where the one before was cut."""
        self.heartbeat: Heartbeat | None = None
        """The newest one."""
        self.state = _WELL
        """Whether the delivery itself gets what it should."""
        self.resumes = self.rejoins = 0
        """How often a connection went on from the one before, and how often that was not possible."""
        self.repeated = 0
        """Finals and revisions that came again and were not told again."""
        self.unreadable = 0
        """Records in the topics that are none."""
        self._told = Told(max(2, 2 * rejoin_bars), REMEMBERED)
        self._rejoin_bars = rejoin_bars
        self._key = key
        self._requests = Requests()
        self._wants = Wants()
        self._chain: str | None = None
        """The connection that a resume names."""
        self._msg_seq = 0
        self._since_ms: int | None = None
        """The delivery's clock when it was heard last, before what was settled was lost."""

    @property
    def patience_s(self) -> float:
        """For how long the delivery may say nothing."""
        if self.welcome is None:
            return WELCOME_PATIENCE_S
        return max(LEAST_PATIENCE_S, MISSED_HEARTBEATS * self.welcome.heartbeat_ms / 1_000)

    # What the caller wants -----------------------------------------------------------------------------------------

    def subscribe(self, channel: Channel) -> Subscription:
        """Want a channel; what comes of it is seen in what is returned."""
        subscription = self._wants.add(channel)
        if self.joined:
            self._ask_for([subscription])
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Want it no more. What other subscriptions want of the same series ends with it."""
        if self._wants.remove(subscription) and self.joined:
            self._leave()

    # A connection --------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """A connection is made."""
        self.cut()
        self.welcome = self.ending = None
        if (asked := self._requests.asked) is not None:  # of series that it could not take up some may have come nevertheless
            self.news += [gap for series, gap in asked.lacking.items() if gap != self._told.gap(series)]
        self._requests.begin()
        if self.heartbeat is not None and not self._wants.at(Stage.LOST):
            self._since_ms = self.heartbeat.now_ms

    def cut(self) -> None:
        """The connection is no more."""
        self.joined = False

    def receive(self, frame: bytes | str) -> None:
        """A frame came in. What no delivery says ends the connection."""
        try:
            for message in read_frame(frame):
                self._take(message)
        except NotADelivery as error:
            self.ending = Ending(f"not a delivery: {error}")

    def to_send(self) -> bytes | None:
        """The message to send now, if there is one."""
        op = self._requests.next() if self.ending is None else None
        return None if op is None else _encode(op)

    def _take(self, message: ServerMessage | Unreadable) -> None:
        match message:
            case Bar() | Snapshot() | Unreadable():
                self._take_numbered(message)
            case Heartbeat():
                self.heartbeat = message
            case Welcome():
                self._take_welcome(message)
            case Ack():
                self._take_ack(message)
            case Error():
                self._take_error(message)
            case StateMessage():
                self.state = message
            case Bye():
                self.ending = Ending(message.code, message.retry_ms / 1_000)

    def _take_numbered(self, message: Bar | Snapshot | Unreadable) -> None:
        if message.msg_seq != self._msg_seq + 1:
            self._chain = None  # what lies between is lost
            raise NotADelivery(f"msg_seq {message.msg_seq} after {self._msg_seq}")
        self._msg_seq = message.msg_seq
        match message:
            case Bar():
                self._tell(message)
            case Snapshot():
                self._take_snapshot(message)
            case Unreadable():
                self.unreadable += 1

    def _tell(self, bar: Bar) -> None:
        if self._told.is_news(bar):
            self.news.append(bar)
        elif bar.status is not Status.FORMING:
            self.repeated += 1

    # How a connection begins ---------------------------------------------------------------------------------------

    def _take_welcome(self, welcome: Welcome) -> None:
        self.welcome = welcome
        self.state = _WELL
        key, chain, msg_seq = self._key, self._chain, self._msg_seq
        if key is not None:
            self._requests.ask(lambda id: Auth(key, id))
        if chain is not None and self._wants:
            self._requests.ask(lambda id: Resume(chain, msg_seq, id))
        else:
            self._requests.ask(ListSubscriptions)  # answered once we are taken

    def _go_on(self) -> None:
        """We stand where the connection before was cut."""
        self.resumes += 1
        self._join()

    def _begin_anew(self) -> None:
        """The delivery has nothing of us: what was settled is lost."""
        assert self.welcome is not None
        self._chain, self._msg_seq = self.welcome.conn, 0
        self.rejoins += self._wants.lose()
        self._join()

    def _join(self) -> None:
        self.joined = True
        if self._wants.leaving:
            self._leave()
        if lost := self._wants.at(Stage.LOST):
            self._rejoin(lost, self._rejoin_bars)
        for subscription in self._wants.at(Stage.WANTED):
            self._ask_for([subscription])

    # Requests ------------------------------------------------------------------------------------------------------

    def _ask_for(self, subscriptions: Sequence[Subscription]) -> None:
        channels = tuple(each.channel for each in subscriptions)
        self._requests.ask(lambda id: Subscribe(channels, id), subscriptions)

    def _rejoin(self, lost: Sequence[Subscription], rows: int) -> None:
        assert self.welcome is not None
        channels = with_snapshot(lost, rows_each(lost, self._told.series, rows, self.welcome.limits.snapshot_rows))
        self._requests.ask(lambda id: Subscribe(channels, id), lost, rejoins=True)

    def _leave(self) -> None:
        leaving = self._wants.leaving
        self._requests.ask(lambda id: Unsubscribe(leaving, id))

    def _take_ack(self, ack: Ack) -> None:
        asked = self._requests.answered(ack.id)
        if asked is None:
            return
        if asked.subscriptions:
            asked.take_ack(ack)
            if asked.rejoins:
                asked.lacking = {series: self._told.gap(series) for series in self._told.series if asked.is_of(series)}
            self._settle(asked)
            return
        self._requests.done()
        match asked.op:
            case Resume():
                self._go_on()
            case ListSubscriptions():
                self._begin_anew()
            case Unsubscribe(channels=channels):
                self._wants.left(channels or ())

    def _take_error(self, error: Error) -> None:
        asked = self._requests.answered(error.id) if error.id is not None else None
        if error.status in FOR_GOOD:
            self.ending = Ending(error.code, for_good=True)
        elif asked is None:
            self.ending = Ending(error.code)
        else:
            self._requests.done()
            self._take_refusal(asked, error)

    def _take_refusal(self, asked: Request, error: Error) -> None:
        if isinstance(asked.op, Resume):
            self._begin_anew()
        elif asked.rejoins and asked.wants_snapshots:
            self._rejoin(asked.subscriptions, 0)
        elif asked.subscriptions and not asked.rejoins:
            self._wants.refuse(asked.subscriptions, error)
        else:
            self.ending = Ending(error.code)

    def _take_snapshot(self, snapshot: Snapshot) -> None:
        asked = self._requests.asked
        if asked is None or not asked.subscriptions:
            raise NotADelivery("a snapshot that was not asked for")
        rows = asked.take_snapshot(snapshot)
        if rows is None:
            return
        series = (snapshot.stock_id, snapshot.time_frame)
        if asked.rejoins:
            self.news += self._told.take_up(series, rows, self._since_ms)
        else:
            self._told.note(series, rows)
        self._settle(asked)

    def _settle(self, asked: Request) -> None:
        if not asked.is_settled:
            return
        self._requests.done()
        self.news += asked.lacking.values()
        if not asked.rejoins:
            self._take_back(asked)
        for subscription in asked.subscriptions:
            subscription.stage = Stage.SETTLED
            if not asked.rejoins:
                subscription.rows = asked.rows

    def _take_back(self, asked: Request) -> None:
        """What came before a cut, when only some of the snapshots were there, and is in those that were asked for again."""
        others = [*self._wants.at(Stage.SETTLED), *self._wants.at(Stage.LOST)]

        def is_wanted(one: Result) -> bool:
            return any(each.is_of((one.stock_id, one.time_frame)) for each in others)

        kept = [one for one in self.news if isinstance(one, Gap) or not asked.has(one) or is_wanted(one)]
        self.news.clear()
        self.news += kept
