"""A topic, a store and a hub in a test's hand: each moves on when the test says so, and clients come, are cut, and come back."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from hypothesis import strategies as st

from connectors.delivery.live.connection import Connection
from connectors.delivery.live.limits import Limits
from connectors.delivery.live.snapshots import Answer, Question, answer
from connectors.delivery.store.records import BarRecord
from connectors.delivery.store.store import Store
from tests.connectors.delivery.live.talk import Time, forming, hub_of, record

SYMBOLS = {"A": 0, "B": 1}
"""Each in a partition of its own."""


class Visitor(Protocol):
    """A client and the wire to it."""

    connection: Connection
    in_flight: list[bytes]
    """Frames sent and not yet arrived."""

    def send(self) -> None:
        """The server sends what it has."""

    def arrive(self, frames: int) -> None:
        """So many frames arrive."""

    def come_back(self, *, is_noticed: bool) -> None:
        """The connection is cut, what was under way is lost; the server may not have noticed when the client is there again."""


class World:
    """A topic, a store that is a little ahead of the hub, snapshots that take their time, and clients."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.time = Time()
        self.store = Store(folder / "store.sqlite", 1_000)
        self._reader = self.store.reader()
        self._asked: list[tuple[Question, Callable[[Answer | None], None]]] = []
        self._read: list[tuple[Answer, Callable[[Answer | None], None]]] = []
        self.hub = hub_of(self.time, limits, lambda question, take: self._asked.append((question, take)))
        self.topic: list[BarRecord] = []
        self._stored = self._taken = 0
        self._minutes = dict.fromkeys(SYMBOLS, 0)
        self._revisions: dict[tuple[str, int], int] = {}
        self.clients: list[Visitor] = []

    def final(self, symbol: str) -> None:
        self._append(symbol, self._minutes[symbol], "final", 0)
        self._minutes[symbol] += 1

    def revise(self, symbol: str, back: int) -> None:
        minute = self._minutes[symbol] - 1 - back
        if minute >= 0:
            revision = self._revisions[symbol, minute] = self._revisions.get((symbol, minute), 0) + 1
            self._append(symbol, minute, "revised", revision)

    def _append(self, symbol: str, minute: int, status: str, revision: int) -> None:
        offset = len(self.topic)
        self.topic.append(record(symbol, minute, status, revision=revision, offset=offset, partition=SYMBOLS[symbol]))

    def show(self, symbol: str, second: int) -> None:
        """The job shows a bar while it grows; it may come late, when a newer one or the final has come."""
        self.hub.take_forming([forming(symbol, self._minutes[symbol], second)])

    def keep(self, records: int) -> None:
        """The store takes so many records."""
        batch = self.topic[self._stored : self._stored + records]
        if batch:
            positions = {each.partition: each.offset + 1 for each in batch}
            assert self.store.apply(batch, positions) == batch
            self._stored += len(batch)

    def take(self, records: int) -> None:
        """The hub hears of so many of those that the store has."""
        batch = self.topic[self._taken : min(self._taken + records, self._stored)]
        self.hub.take_results(batch)
        self._taken += len(batch)

    def read(self) -> None:
        """A snapshot is read."""
        if self._asked:
            question, take = self._asked.pop(0)
            self._read.append((answer(self._reader, question), take))

    def answer(self) -> None:
        """A snapshot read before arrives at the hub."""
        if self._read:
            read, take = self._read.pop(0)
            take(read)

    def wait(self, seconds: float) -> None:
        self.time.pass_by(seconds)
        self.hub.beat()

    def settle(self) -> None:
        """Everything that is under way comes to its end, and clients that were cut come back."""
        self.keep(len(self.topic))
        for _ in range(40):
            self.take(3)
            self.read()
            self.answer()
            self.wait(0.5)
            for client in self.clients:
                client.send()
                client.arrive(len(client.in_flight))
                if client.connection.ending is not None:
                    client.come_back(is_noticed=True)

    def log_of(self, symbol: str) -> list[BarRecord]:
        return [each for each in self.topic if each.stock_id == symbol]


def newest_rows(records: list[BarRecord], limit: int) -> list[int]:
    """Of each bar the last record, of the bars the newest, told by their offsets."""
    last = {each.start_ms: each.offset for each in records}
    return [last[start_ms] for start_ms in sorted(last)][-limit:]


NAMES = st.sampled_from(sorted(SYMBOLS))
COUNTS = st.integers(1, 4)
WHICH = st.integers(0, 1)
STEP = st.one_of(
    st.tuples(st.just("final"), NAMES),
    st.tuples(st.just("revise"), NAMES, st.integers(0, 2)),
    st.tuples(st.just("show"), NAMES, st.integers(0, 59)),
    st.tuples(st.just("keep"), COUNTS),
    st.tuples(st.just("take"), COUNTS),
    st.tuples(st.just("read")),
    st.tuples(st.just("answer")),
    st.tuples(st.just("wait"), st.sampled_from([0.1, 0.3, 6.0, 31.0])),
    st.tuples(st.just("client.send"), WHICH),
    st.tuples(st.just("client.arrive"), WHICH, COUNTS),
    st.tuples(st.just("client.come_back"), WHICH, st.booleans()),
)
"""A method of the world, or of one of its two clients, with what it is given."""


def run(world: World, steps: Sequence[tuple[Any, ...]]) -> None:
    """Take these steps, each a `STEP`."""
    for name, *values in steps:
        who, _, what = name.rpartition(".")
        if not who:
            getattr(world, what)(*values)
        else:
            client = world.clients[values[0]]
            client.come_back(is_noticed=values[1]) if what == "come_back" else getattr(client, what)(*values[1:])
        assert all(each.connection.session.outbox.finals <= world.hub.limits.outbox_events for each in world.clients)
