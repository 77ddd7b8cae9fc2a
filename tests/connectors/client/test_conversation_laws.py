"""Whatever is cut, and wherever: no acknowledged line is sent again, none that is not is lost, and their order is kept."""

import json
from dataclasses import dataclass, field
from itertools import cycle

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.client.conversation import Conversation, Refused
from connectors.client.outbox import Chunk
from tests.connectors.gateway.lines import connection, heard, settle

WELCOME = b'{"op":"welcome","v":1,"conn":"g1-1","max_line":16384,"heartbeat_ms":15000}\n'


@dataclass
class Gateway:
    """A gateway by the protocol's page, a connection at a time: it numbers lines, and acknowledges as many as it likes."""

    durable: list[bytes] = field(default_factory=list)
    """In the order in which they became so; again when they were sent again."""
    unread: bytes = b""
    said: bytes = b""
    lines: list[bytes] = field(default_factory=list)
    """Of this connection."""
    settled: int = 0

    def connect(self) -> None:
        self.unread, self.said, self.lines, self.settled = b"", b"", [], 0

    def hear(self, data: bytes) -> None:
        *lines, self.unread = (self.unread + data).split(b"\n")
        for line in lines:
            if b'"hello"' in line:
                self.said += WELCOME
            elif b'"hb"' not in line:
                self.lines.append(line)

    def ack(self, more: int) -> None:
        upto = min(len(self.lines), self.settled + more)
        self.durable += self.lines[self.settled : upto]
        self.settled = upto
        self.said += b'{"op":"ack","n":%d,"bad":0}\n' % upto


@dataclass
class Trial:
    """A client and a gateway, and the two wires between them."""

    client: Conversation
    gateway: Gateway = field(default_factory=Gateway)
    said: list[bytes] = field(default_factory=list)
    up: bytes = b""
    """On its way to the gateway."""

    def say(self, lines: int) -> None:
        new = [b"line %d" % number for number in range(len(self.said), len(self.said) + lines)]
        self.said += new
        self.client.say(Chunk(lines, b"".join(line + b"\n" for line in new)))

    def connect(self) -> None:
        """Cut what there is, whatever is on its way, and begin anew."""
        self.gateway.connect()
        self.up = self.client.begin(0.0)
        self.begun_at = self.client.acked

    def send(self, size: int) -> None:
        self.up += self.client.to_send(0.0, size)

    def arrive(self, size: int) -> None:
        data, self.up = self.up[:size], self.up[size:]
        self.gateway.hear(data)
        assert self.gateway.lines == self.said[self.begun_at : self.begun_at + len(self.gateway.lines)]

    def answer(self, size: int) -> None:
        data, self.gateway.said = self.gateway.said[:size], self.gateway.said[size:]
        self.client.receive(data)
        assert self.client.bye is None
        assert self.client.acked == self.begun_at + acks_in(self)
        assert self.client.outbox.lines == len(self.said) - self.client.acked

    def turn(self, acked: int) -> None:
        """Everything under way arrives, and so do acks of some lines: what most of a connection is like."""
        for acks in (0, acked):
            self.send(10**6)
            self.arrive(10**6)
            self.gateway.ack(acks)
            self.answer(10**6)


def acks_in(trial: Trial) -> int:
    """Lines of this connection that the client knows to be durable: those settled, but for acks still on their way."""
    under_way = [json.loads(line)["n"] for line in trial.gateway.said.split(b"\n")[:-1] if line.startswith(b'{"op":"ack"')]
    known = trial.client._lines_acked
    assert known <= trial.gateway.settled
    assert not under_way or known <= under_way[0]
    return known


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(1, 20)),
        st.tuples(st.just("send"), st.integers(1, 400)),
        st.tuples(st.just("arrive"), st.integers(0, 300)),
        st.tuples(st.just("ack"), st.integers(1, 25)),
        st.tuples(st.just("answer"), st.integers(0, 200)),
        st.tuples(st.just("connect"), st.just(0)),
        st.tuples(st.just("turn"), st.integers(0, 25)),
    ),
    max_size=60,
)


@settings(max_examples=400)
@given(STEPS)
def test_no_acknowledged_line_is_sent_again_and_no_other_is_lost(steps: list[tuple[str, int]]) -> None:
    trial = Trial(Conversation("feed", 10**6, lambda refused: None, key=None, replay=False))
    trial.connect()
    for what, amount in steps:
        if what == "ack":
            trial.gateway.ack(amount)
        elif what == "connect":
            trial.connect()
        else:
            getattr(trial, what)(amount)
    trial.connect()
    trial.turn(10**6)
    assert trial.client.acked == len(trial.said)
    assert (trial.client.outbox.lines, trial.client.outbox.bytes, trial.client.outbox.unsent_bytes) == (0, 0, 0)
    assert list(dict.fromkeys(trial.gateway.durable)) == trial.said


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.lists(st.integers(1, 400), min_size=1, max_size=30))
def test_the_gateways_own_state_machine_takes_every_line_however_the_bytes_are_cut(chunks: list[int], sizes: list[int]) -> None:
    refused: list[Refused] = []
    client = Conversation("feed", 10**6, refused.append, key=None, replay=True)
    lines = [b'{"stock_id":"S%d","price":%d,"event_time_ms":7}' % (number % 3, number % 5) for number in range(sum(chunks))]
    for begin, size in zip([sum(chunks[:index]) for index in range(len(chunks))], chunks, strict=True):
        client.say(Chunk(size, b"".join(line + b"\n" for line in lines[begin : begin + size])))
    gateway, out = connection(), client.begin(0.0)
    for size in cycle(sizes):
        if not out:
            break
        now, out = out[:size], out[size:]
        came = heard(now, of=gateway)
        settle(came.batches)
        gateway.settlement.advance()
        ack = gateway.answers.ack(0.0, at_once=True)
        client.receive(b"".join(json.dumps(each).encode() + b"\n" for each in came.said) + (ack.data if ack else b""))
        out += client.to_send(0.0, 100)
    assert (client.acked, client.outbox.lines, client.bye) == (len(lines), 0, None)
    assert client.bad == sum(number % 5 == 0 for number in range(len(lines)))
    told = [each.line for each in refused]
    assert told == [line for line in lines if b'"price":0' in line][: len(told)]
    assert len(told) + client.suppressed <= client.bad
