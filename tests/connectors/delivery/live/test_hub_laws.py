"""What a client can rely on, whatever comes in between: records late and early, stalls, cuts, resumes, snapshots under way."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from connectors.delivery.live.connection import Connection
from connectors.delivery.live.hub import Hub
from connectors.delivery.live.limits import Limits
from connectors.delivery.live.messages import Channel, Mode, Resume, Subscribe
from tests.connectors.delivery.live.talk import ANYBODY, DAY_MS, MINUTE_MS
from tests.connectors.delivery.live.world import STEP, SYMBOLS, World, newest_rows, run

LIMITS = Limits(outbox_events=9, slow_after_s=10, resume_window_s=30)


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
        self.has_resumed = False
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
            self.has_resumed = True
        else:
            event("refused")
            self.subscribe()

    def _hear(self, message: dict[str, Any]) -> None:
        if message["T"] in ("bar", "snapshot"):
            assert message["msg_seq"] == self.seq + 1
            self.seq += 1
        if message["T"] == "snapshot":
            assert message["stock_id"] not in self.snapshots
            assert not self.has_resumed, "a client that was cut may have forgotten what it asked for"
            self.snapshots[message["stock_id"]] = [bar["emitted_ms"] for bar in message["bars"]]
            for bar in message["bars"]:
                self._hear_final(message["stock_id"], bar["start_ms"])
        elif message["T"] == "bar" and message["status"] == "forming":
            self._hear_forming(message["stock_id"], message["start_ms"], message["as_of_ms"])
            self._hear_start(message["stock_id"], message["start_ms"])
        elif message["T"] == "bar":
            self.finals[message["stock_id"]].append(message["emitted_ms"])
            self._hear_final(message["stock_id"], message["start_ms"])
            self._hear_start(message["stock_id"], message["start_ms"])

    def _hear_final(self, symbol: str, start_ms: int) -> None:
        self.newest_final[symbol] = max(self.newest_final.get(symbol, 0), start_ms)

    def _hear_start(self, symbol: str, start_ms: int) -> None:
        if self._mode is Mode.LATEST:
            assert start_ms >= self.newest_start.get(symbol, 0), "an older bar after a newer one"
        self.newest_start[symbol] = start_ms

    def _hear_forming(self, symbol: str, start_ms: int, as_of_ms: int) -> None:
        assert start_ms > self.newest_final.get(symbol, 0), "forming after its final"
        assert as_of_ms >= self.as_of.get(symbol, 0), "an older state of the symbol"
        self.as_of[symbol] = as_of_ms


WANTS = st.tuples(st.sampled_from([Mode.LIVE, Mode.FINAL]), st.sampled_from([("A", "B"), ("*",), ("*", "A")]), st.sampled_from([0, 2, 50]))


@settings(max_examples=settings.default.max_examples * 2)
@given(st.lists(STEP, max_size=20), WANTS, WANTS, st.lists(STEP, max_size=80))
def test_each_client_has_every_final_from_its_snapshot_on_once_and_in_order(before: Any, one: Any, other: Any, steps: Any) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder), LIMITS)
        run(world, [step for step in before if "client" not in step[0]])
        clients = [Client(world.hub, *want) for want in (one, other)]
        world.clients = [*clients]
        run(world, steps)
        world.settle()
        final_count = len(world.topic)
        for symbol in SYMBOLS:
            world.final(symbol)
        world.settle()
        for client, (_, _, rows) in zip(clients, (one, other), strict=True):
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
        world = World(Path(folder), LIMITS)
        clients = [Client(world.hub, Mode.LATEST, symbols, 0) for symbols in (("A", "B"), ("*",))]
        world.clients = [*clients]
        run(world, steps)
        for symbol in SYMBOLS:
            world.final(symbol)
        world.settle()
        for each in clients:
            for symbol in SYMBOLS:
                assert each.newest_final[symbol] == DAY_MS + (world._minutes[symbol] - 1) * MINUTE_MS
        world.store.close()
