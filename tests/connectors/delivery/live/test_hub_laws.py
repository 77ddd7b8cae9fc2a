"""What a client can rely on, whatever comes in between: records late and early, stalls, cuts, resumes, snapshots under way."""

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from connectors.delivery.live.connection import Connection
from connectors.delivery.live.hub import Hub
from connectors.delivery.live.limits import Limits
from connectors.delivery.live.messages import Channel, Mode, Resume, Subscribe
from connectors.delivery.live.snapshots import Answer, Question, answer
from connectors.delivery.store.records import BarRecord
from connectors.delivery.store.store import Store
from tests.connectors.delivery.live.talk import ANYBODY, DAY_MS, MINUTE_MS, Time, forming, hub_of, record

LIMITS = Limits(outbox_events=9, slow_after_s=10, resume_window_s=30)
SYMBOLS = {"A": 0, "B": 1}
"""Each in a partition of its own."""


class Client:
    """Hears what arrives, and keeps of each series what it must end up with: a snapshot, and every final after it."""

    def __init__(self, hub: Hub, mode: Mode, symbols: tuple[str, ...], rows: int) -> None:
        self._hub = hub
        self._mode = mode
        self._request = Subscribe((Channel(channel="bars", symbols=symbols, time_frames=("1min",), mode=mode, snapshot=rows, max_hz=5),))
        self.in_flight: list[bytes] = []
        """Frames sent and not yet arrived."""
        self.begin()

    def wake(self, when_s: float) -> None:
        """It looks when the test says so."""

    def begin(self) -> None:
        """A new connection, a new subscription."""
        self.connect()
        self.subscribe()

    def connect(self) -> None:
        self.connection: Connection = self._hub.connect(self, ANYBODY)
        self.in_flight.clear()

    def subscribe(self) -> None:
        self.conn, self.seq = self.connection.conn, 0
        self.snapshots: dict[str, list[int]] = {}
        self.finals: dict[str, list[int]] = {symbol: [] for symbol in SYMBOLS}
        self.newest_final: dict[str, int] = {}
        self.as_of: dict[str, int] = {}
        self.newest_start: dict[str, int] = {}
        self.connection.subscribe(self._request)

    def send(self) -> None:
        """The server sends what it has."""
        while (frame := self.connection.next_frame()) is not None:
            self.in_flight.append(frame)

    def arrive(self, frames: int) -> None:
        """So many frames arrive."""
        for frame in self.in_flight[:frames]:
            for message in json.loads(frame):
                self._hear(message)
        del self.in_flight[:frames]

    def come_back(self, *, is_noticed: bool) -> None:
        """The connection is cut, what was under way is lost; the server may not have noticed when the client is there again."""
        if is_noticed or self.connection.ending is not None:
            self.connection.lost(for_good=False)
        self.connect()
        if self.connection.resume(Resume(self.conn, self.seq)):
            event("resumed")
        else:
            event("refused")
            self.subscribe()

    def _hear(self, message: dict[str, Any]) -> None:
        if message["T"] in ("bar", "snapshot"):
            assert message["msg_seq"] == self.seq + 1
            self.seq += 1
        if message["T"] == "snapshot":
            assert message["stock_id"] not in self.snapshots
            self.snapshots[message["stock_id"]] = [bar["emitted_ms"] for bar in message["bars"]]
        elif message["T"] == "bar" and message["status"] == "forming":
            self._hear_forming(message["stock_id"], message["start_ms"], message["as_of_ms"])
            self._hear_start(message["stock_id"], message["start_ms"])
        elif message["T"] == "bar":
            self.finals[message["stock_id"]].append(message["emitted_ms"])
            newest = self.newest_final.get(message["stock_id"], 0)
            self.newest_final[message["stock_id"]] = max(newest, message["start_ms"])
            self._hear_start(message["stock_id"], message["start_ms"])

    def _hear_start(self, symbol: str, start_ms: int) -> None:
        if self._mode is Mode.LATEST:
            assert start_ms >= self.newest_start.get(symbol, 0), "an older bar after a newer one"
        self.newest_start[symbol] = start_ms

    def _hear_forming(self, symbol: str, start_ms: int, as_of_ms: int) -> None:
        assert start_ms > self.newest_final.get(symbol, 0), "forming after its final"
        assert as_of_ms >= self.as_of.get(symbol, 0), "an older state of the symbol"
        self.as_of[symbol] = as_of_ms


class World:
    """A topic, a store that is a little ahead of the hub, snapshots that take their time, and clients."""

    def __init__(self, folder: Path) -> None:
        self.time = Time()
        self.store = Store(folder / "store.sqlite", 1_000)
        self._reader = self.store.reader()
        self._asked: list[tuple[Question, Callable[[Answer | None], None]]] = []
        self._read: list[tuple[Answer, Callable[[Answer | None], None]]] = []
        self.hub = hub_of(self.time, LIMITS, lambda question, take: self._asked.append((question, take)))
        self.topic: list[BarRecord] = []
        self._stored = self._taken = 0
        self._minutes = dict.fromkeys(SYMBOLS, 0)
        self._revisions: dict[tuple[str, int], int] = {}
        self.clients: list[Client] = []

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
WANTS = st.tuples(st.sampled_from([Mode.LIVE, Mode.FINAL]), st.sampled_from([("A", "B"), ("*",), ("*", "A")]), st.sampled_from([0, 2, 50]))


def run(world: World, steps: list[Any]) -> None:
    for name, *values in steps:
        who, _, what = name.rpartition(".")
        if not who:
            getattr(world, what)(*values)
        else:
            client = world.clients[values[0]]
            client.come_back(is_noticed=values[1]) if what == "come_back" else getattr(client, what)(*values[1:])
        assert all(each.connection.session.outbox.finals <= LIMITS.outbox_events for each in world.clients)


@settings(max_examples=settings.default.max_examples * 2)
@given(st.lists(STEP, max_size=20), WANTS, WANTS, st.lists(STEP, max_size=80))
def test_each_client_has_every_final_from_its_snapshot_on_once_and_in_order(before: Any, one: Any, other: Any, steps: Any) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        run(world, [step for step in before if "client" not in step[0]])
        world.clients = [Client(world.hub, *want) for want in (one, other)]
        run(world, steps)
        world.settle()
        final_count = len(world.topic)
        for symbol in SYMBOLS:
            world.final(symbol)
        world.settle()
        for client, (_, _, rows) in zip(world.clients, (one, other), strict=True):
            for symbol in SYMBOLS:
                log = world.log_of(symbol)
                finals = client.finals[symbol]
                assert finals, f"the last of {symbol} of {final_count} did not come"
                assert finals == [each.offset for each in log if each.offset >= finals[0]]
                if symbol in client.snapshots:
                    assert client.snapshots[symbol] == newest_rows([each for each in log if each.offset < finals[0]], rows)
                else:
                    assert not rows or not is_known(world, symbol, client), f"no snapshot of {symbol}"
        world.store.close()


def is_known(world: World, symbol: str, client: Client) -> bool:
    """Whether a `*` could have been given a snapshot of `symbol`: not when nothing of it was known at that time."""
    return client.finals[symbol][0] != world.log_of(symbol)[0].offset


@given(st.lists(STEP, min_size=10, max_size=80))
def test_in_mode_latest_the_newest_bar_always_comes_and_never_an_older_one_after_it(steps: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        client = Client(world.hub, Mode.LATEST, ("A", "B"), 0)
        world.clients = [client, Client(world.hub, Mode.LATEST, ("*",), 0)]
        run(world, steps)
        for symbol in SYMBOLS:
            world.final(symbol)
        world.settle()
        for each in world.clients:
            for symbol in SYMBOLS:
                assert each.newest_final[symbol] == DAY_MS + (world._minutes[symbol] - 1) * MINUTE_MS
        world.store.close()
