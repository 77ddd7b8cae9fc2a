"""The client's conversation and the delivery's own hub, cut wherever it may be: what snapshots and updates make up together."""

from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from connectors.client.results.conversation import ResultConversation
from connectors.client.results.subscription import Stage, Subscription
from connectors.client.results.told import Gap
from connectors.delivery.live.connection import Connection
from connectors.delivery.live.hub import Hub
from connectors.delivery.live.limits import Limits
from connectors.delivery.live.messages import Channel, Mode
from tests.connectors.delivery.live.talk import ANYBODY
from tests.connectors.delivery.live.world import STEP, SYMBOLS, World, newest_rows, run
from udfs.model import Result

LIMITS = Limits(outbox_events=30, slow_after_s=10, resume_window_s=30, messages_per_second=1_000)
REJOIN_BARS = 6


class Program:
    """Wants one symbol, later the other, or both at once, with a snapshot; all that passes does when the test says so."""

    def __init__(self, hub: Hub, symbols: tuple[tuple[str, ...], ...], rows: int) -> None:
        self.conversation = ResultConversation(key=None, rejoin_bars=REJOIN_BARS)
        self.wanted: list[Subscription] = []
        self.in_flight: list[bytes] = []
        self._hub, self._symbols, self._rows = hub, symbols, rows
        self.want_more()
        self._connect()
        self.talk()

    def want_more(self) -> None:
        """The next of its subscriptions."""
        more, self._symbols = self._symbols[:1], self._symbols[1:]
        for symbols in more:
            channel = Channel(channel="bars", symbols=symbols, time_frames=("1min",), mode=Mode.LIVE, snapshot=self._rows)
            self.wanted.append(self.conversation.subscribe(channel))

    def wake(self, when_s: float) -> None:
        """It looks when the test says so."""

    def send(self) -> None:
        while (frame := self.connection.next_frame()) is not None:
            self.in_flight.append(frame)

    def arrive(self, frames: int) -> None:
        for frame in self.in_flight[:frames]:
            self.conversation.receive(frame)
            assert self.conversation.ending is None or self.connection.ending is not None, self.conversation.ending
            while (message := self.conversation.to_send()) is not None:
                self.connection.receive(message)
        del self.in_flight[:frames]

    def talk(self) -> None:
        """All that there is to be said passes."""
        self.send()
        while self.in_flight:
            self.arrive(len(self.in_flight))
            self.send()

    def come_back(self, *, is_noticed: bool) -> None:
        if is_noticed or self.connection.ending is not None:
            self.connection.lost(for_good=False)
        self._connect()

    def _connect(self) -> None:
        self.in_flight.clear()
        self.connection: Connection = self._hub.connect(self, ANYBODY)
        self.conversation.begin()

    def snapshot(self, symbol: str) -> list[int]:
        """The offsets of the bars that a subscription began with."""
        return [bar.emitted_ms for each in self.wanted for bar in each.rows.get((symbol, "1min"), ())]

    def told(self, symbol: str) -> list[int]:
        """The offsets of the finals and revisions that came as updates."""
        results = [one for one in self.conversation.news if isinstance(one, Result)]
        return [one.emitted_ms for one in results if one.stock_id == symbol and one.status != "forming"]

    def has_gap(self, symbol: str) -> bool:
        return any(isinstance(one, Gap) and one.stock_id == symbol for one in self.conversation.news)


WANTS = st.tuples(st.sampled_from([(("A",), ("B",)), (("A", "B"),), (("*",),)]), st.sampled_from([2, 600]))
WHICH = st.integers(0, 1)
TALK = st.one_of(
    st.tuples(st.just("client.talk"), WHICH),
    st.tuples(st.just("client.want_more"), WHICH),
    st.tuples(st.just("client.come_back"), WHICH, st.booleans()),
)


@given(st.lists(STEP, max_size=20), WANTS, WANTS, st.lists(TALK | STEP | TALK, min_size=20, max_size=60))
def test_snapshot_and_updates_are_all_there_is_and_what_lacks_lies_behind_a_gap(before: Any, one: Any, other: Any, steps: Any) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder), LIMITS)
        run(world, [step for step in before if "client" not in step[0]])
        programs = [Program(world.hub, *want) for want in (one, other)]
        world.clients = [*programs]
        run(world, steps)
        for program in programs:
            program.want_more()
        world.settle()
        for symbol in SYMBOLS:
            world.final(symbol)
        world.settle()
        for program, (_, rows) in zip(programs, (one, other), strict=True):
            assert {each.stage for each in program.wanted} == {Stage.SETTLED}
            assert not program.conversation.to_send()
            event(f"rejoined: {program.conversation.rejoins > 0}, resumed: {program.conversation.resumes > 0}")
            for symbol in SYMBOLS:
                check(world, program, symbol, rows)
        world.store.close()


def check(world: World, program: Program, symbol: str, rows: int) -> None:
    """Behind the snapshot each record is told; before it only what came before a cut, and is not in the snapshot."""
    log = world.log_of(symbol)
    told, snapshot = program.told(symbol), program.snapshot(symbol)
    assert len(told) == len(set(told))
    assert told[-1] == log[-1].offset
    if program.has_gap(symbol):
        return
    assert set(told).isdisjoint(snapshot)
    behind = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1].offset, zip(reversed(told), reversed(log), strict=False)))
    before = log[: len(log) - behind]
    assert snapshot == newest_rows(before, rows)
    assert {*told[:-behind]} <= {each.offset for each in before}
