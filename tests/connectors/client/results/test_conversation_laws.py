"""Whatever is cut, kept or forgotten, and wherever: each final and each revision is told once, and what lacks is behind a gap."""

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.client.results.conversation import ResultConversation
from connectors.client.results.told import Gap
from connectors.delivery.live.messages import Channel
from tests.connectors.client.results.records import T0_MS, bar, frame, record, told, welcome
from udfs.model import Result

SYMBOLS = ("A", "B")
SNAPSHOT, REJOIN_BARS = 3, 6


@dataclass
class Session:
    """What a delivery keeps of one client: its messages of this connection and of those it resumes."""

    seq: int = 0
    finals: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """Numbered as they were sent, for a resume."""
    waiting: list[dict[str, Any]] = field(default_factory=list)
    """Not yet sent."""
    is_subscribed: bool = False
    snapshots: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)
    """Symbols and bars, not yet sent; they go before what waits."""
    snapshots_end: int = 0
    """The number of the last snapshot."""


@dataclass
class Delivery:
    """A delivery by the protocol's page: all that is published is in its store at once, and goes to who is subscribed."""

    bars: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {symbol: [] for symbol in SYMBOLS})
    """The newest record of each bar, by symbol, oldest first."""
    published: list[tuple[str, int, int, int]] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)
    conns: int = 0
    conn: str = ""
    """The session of the connection there is."""
    wire: list[bytes] = field(default_factory=list)
    """Frames on their way to the client."""

    def publish(self, symbol: str, back: int, revises: bool) -> None:
        """A new bar, or a revision of the one `back` bars ago; and a forming one beside it."""
        bars = self.bars[symbol]
        if revises and bars:
            at = max(0, len(bars) - 1 - back)
            bars[at] = new = record(at, bars[at]["revision"] + 1, symbol)
        else:
            new = record(len(bars), stock_id=symbol)
            bars.append(new)
        self.published.append((symbol, (new["start_ms"] - T0_MS) // 60_000, 1, new["revision"]))
        forming = record(len(bars), stock_id=symbol, status="forming", as_of_ms=len(self.published))
        for session in self.sessions.values():
            if session.is_subscribed:
                session.waiting += [new, forming]

    def connect(self) -> None:
        self.conns += 1
        self.conn = f"d1-{self.conns}"
        self.sessions[self.conn] = Session()
        self.wire = [frame(welcome(self.conn))]

    def hear(self, message: bytes) -> None:
        said = json.loads(message)
        self.wire.append(frame(getattr(self, f"on_{said['op']}")(said)))

    def on_list(self, said: dict[str, Any]) -> dict[str, Any]:
        return {"T": "ack", "id": said["id"], "subscribed": []}

    def on_resume(self, said: dict[str, Any]) -> dict[str, Any]:
        kept = self.sessions.get(said["conn"])
        if kept is None or kept.snapshots or said["msg_seq"] < kept.snapshots_end:
            return {"T": "error", "id": said["id"], "code": "resume_refused", "status": 410, "detail": "nothing is kept"}
        self.sessions.pop(self.conn)
        self.conn = said["conn"]
        again = [final for number, final in kept.finals if number > said["msg_seq"]]
        kept.finals = [(number, final) for number, final in kept.finals if number <= said["msg_seq"]]
        kept.seq, kept.waiting = said["msg_seq"], [*again, *kept.waiting]
        return {"T": "ack", "id": said["id"], "conn": self.conn, "msg_seq": kept.seq}

    def on_subscribe(self, said: dict[str, Any]) -> dict[str, Any]:
        session, rows = self.sessions[self.conn], said["channels"][0].get("snapshot", 0)
        session.is_subscribed = True
        session.snapshots = [(symbol, self.bars[symbol][-rows:]) for symbol in SYMBOLS if rows]
        return {"T": "ack", "id": said["id"], "subscribed": [], "snapshots": len(session.snapshots)}

    def send(self, messages: int) -> None:
        """So many messages of the session go out, a frame each."""
        session = self.sessions.get(self.conn)
        while session is not None and messages and (session.snapshots or session.waiting):
            session.seq += 1
            messages -= 1
            if session.snapshots:
                symbol, bars = session.snapshots.pop(0)
                session.snapshots_end = session.seq
                of = {"channel": "bars", "stock_id": symbol, "time_frame": "1min", "bars": bars, "done": True}
                self.wire.append(frame({"T": "snapshot", "msg_seq": session.seq, **of}))
                continue
            new = session.waiting.pop(0)
            if new["status"] != "forming":
                session.finals.append((session.seq, new))
            self.wire.append(frame(bar(session.seq, new)))

    def forget(self) -> None:
        """It was restarted, or the client was away for too long."""
        self.sessions.clear()


@dataclass
class Trial:
    """A client and a delivery, and the wire between them."""

    client: ResultConversation = field(default_factory=lambda: ResultConversation(key=None, rejoin_bars=REJOIN_BARS))
    delivery: Delivery = field(default_factory=Delivery)

    def publish(self, what: tuple[str, int, bool]) -> None:
        self.delivery.publish(*what)

    def cut(self, forget: bool) -> None:
        """Whatever is on its way is lost; perhaps the delivery forgets us, too."""
        if forget:
            self.delivery.forget()
        self.delivery.connect()
        self.client.begin()

    def send(self, messages: int) -> None:
        self.delivery.send(messages)

    def arrive(self, frames: int) -> None:
        for _ in range(frames):
            if self.delivery.wire:
                self.client.receive(self.delivery.wire.pop(0))
                assert self.client.ending is None
            if (message := self.client.to_send()) is not None:
                self.delivery.hear(message)

    def settle(self) -> None:
        """Everything arrives."""
        session = self.delivery.sessions[self.delivery.conn]
        while self.delivery.wire or session.snapshots or session.waiting:
            self.send(10**6)
            self.arrive(len(self.delivery.wire))
            session = self.delivery.sessions[self.delivery.conn]


PUBLISH = st.tuples(st.just("publish"), st.tuples(st.sampled_from(SYMBOLS), st.integers(0, 4), st.booleans()))
MOVES = (st.tuples(st.just("send"), st.integers(1, 9)), st.tuples(st.just("arrive"), st.integers(1, 12)))
KEPT = st.lists(st.one_of(PUBLISH, *MOVES, st.tuples(st.just("cut"), st.just(False))), max_size=60)
ANY = st.lists(st.one_of(PUBLISH, *MOVES, st.tuples(st.just("cut"), st.booleans())), max_size=60)


def begun(before: int) -> Trial:
    """A client that is subscribed to all there is, with a snapshot; so many bars were there."""
    trial = Trial()
    for number in range(before):
        trial.publish((SYMBOLS[number % 2], 0, False))
    trial.client.subscribe(Channel(channel="bars", symbols=SYMBOLS, time_frames=("1min",), snapshot=SNAPSHOT))
    trial.cut(forget=False)
    return trial


def finals(trial: Trial) -> list[tuple[str, int, int, int]]:
    return told([one for one in trial.client.news if isinstance(one, Result) and one.status != "forming"])


@settings(max_examples=300)
@given(st.integers(0, 8), KEPT)
def test_while_the_delivery_keeps_what_is_missed_each_final_is_told_once_and_in_order(before: int, steps: list[tuple[str, Any]]) -> None:
    trial = begun(before)
    trial.settle()
    known = len(trial.delivery.published)
    for what, amount in steps:
        getattr(trial, what)(amount)
    trial.settle()
    assert finals(trial) == trial.delivery.published[known:]
    assert not any(isinstance(one, Gap) for one in trial.client.news)
    assert (trial.client.repeated, trial.client.rejoins) == (0, 0)


@settings(max_examples=300)
@given(st.integers(0, 8), ANY)
def test_where_it_forgets_none_is_told_twice_and_what_lacks_lies_behind_a_gap(before: int, steps: list[tuple[str, Any]]) -> None:
    trial = begun(before)
    trial.settle()
    known = set(trial.delivery.published)
    for what, amount in steps:
        getattr(trial, what)(amount)
    trial.settle()
    said = finals(trial)
    assert len(said) == len(set(said))
    assert set(said).isdisjoint(known)
    assert said == sorted(said, key=[*known, *trial.delivery.published].index) or trial.client.rejoins
    lacking = [each for each in trial.delivery.published if each not in known and each not in set(said)]
    gaps = {one.stock_id for one in trial.client.news if isinstance(one, Gap)}
    assert {symbol for symbol, *_ in lacking} <= gaps
    for symbol in SYMBOLS:
        newest = [(symbol, (each["start_ms"] - T0_MS) // 60_000, 1, each["revision"]) for each in trial.delivery.bars[symbol]]
        assert [each for each in newest[-SNAPSHOT:] if each not in known and each not in said] == []
