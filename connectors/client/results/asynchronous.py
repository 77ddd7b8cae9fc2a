"""AsyncResultClient: results of a delivery as they come, for programs with an event loop."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from connectors.client.results.conversation import ResultConversation
from connectors.client.results.link import Link
from connectors.client.results.subscription import Stage, Subscription
from connectors.client.results.told import Gap
from connectors.client.retries import Addresses
from connectors.delivery.live.messages import Channel, Mode
from connectors.delivery.live.server_messages import Heartbeat
from connectors.errors import SubscriptionRefused
from udfs.model import Result

BUFFER_UPDATES = 10_000
"""Updates that wait for the caller, before the socket is read no more."""
REJOIN_BARS = 100
"""Bars of each series from which a client goes on when it was away for too long."""
SUBSCRIBE_TIMEOUT_S = 30.0
GAPS_KEPT = 1_000
"""Gaps that `gaps` keeps: the newest ones."""


class AsyncResultClient:
    """Takes results from a delivery; a context manager, used in one event loop. No final is lost or told twice, whatever is cut.

    `delivery` is `host:port` or a URL such as `https://charts.example`, a list of such, or what finds them out:
    `lambda: discover(kafka, "delivery", now_ms())` of `connectors.registry`. `tls` is the context of a TLS connection.

    After a cut the client goes on by itself, where it was. If it was away for longer than the delivery keeps what it
    missed (`delivery.resume_window`), or has to go on at another one, it takes each series up again from its newest
    `rejoin_bars` bars: what is new among them is told as if nothing had been. What may lack nevertheless comes to
    `on_gap`, at its place among the updates; the newest gaps are in `gaps`, too. With `give_up_s` it ends when there
    was no delivery for so long.
    """

    def __init__(
        self,
        delivery: Addresses,
        *,
        key: str | None = None,
        tls: ssl.SSLContext | None = None,
        rejoin_bars: int = REJOIN_BARS,
        buffer_updates: int = BUFFER_UPDATES,
        give_up_s: float | None = None,
        on_gap: Callable[[Gap], None] | None = None,
    ) -> None:
        self.gaps: deque[Gap] = deque(maxlen=GAPS_KEPT)
        self._on_gap = on_gap
        self._conversation = ResultConversation(key=key, rejoin_bars=rejoin_bars)
        self._link = Link(self._conversation, delivery, tls, buffer_updates, give_up_s)

    @property
    def connects(self) -> int:
        """How often a delivery has taken us."""
        return self._link.connects

    @property
    def resumes(self) -> int:
        """How often a connection went on from the one before."""
        return self._conversation.resumes

    @property
    def rejoins(self) -> int:
        """How often it could not, and series were taken up again from a snapshot."""
        return self._conversation.rejoins

    @property
    def repeated(self) -> int:
        """Finals and revisions that came again and were not told again."""
        return self._conversation.repeated

    @property
    def heartbeat(self) -> Heartbeat | None:
        """The newest one: the delivery's clock, its newest final, and how far results lag behind."""
        return self._conversation.heartbeat

    @property
    def state(self) -> str:
        """`ok`, `degraded` or `catching_up` while the delivery itself has no results, `away` while there is no connection."""
        return self._conversation.state.state if self._conversation.joined else "away"

    async def connect(self, timeout_s: float = 10.0) -> None:
        """Begin; return once a delivery has taken us. Raises DeliveryUnreachable, DeliveryRefused, and what finding addresses does."""
        self._link.start()
        try:
            await self._link.must_be(lambda: self.connects > 0, timeout_s)
        except BaseException:
            await self.close()
            raise

    async def subscribe(
        self,
        symbols: str | Sequence[str],
        time_frames: str | Sequence[str] = "1min",
        *,
        indicators: Sequence[str] | None = None,
        mode: Mode | str = Mode.LIVE,
        snapshot: int = 0,
        max_hz: float | None = None,
        timeout_s: float = SUBSCRIBE_TIMEOUT_S,
    ) -> Subscription:
        """Want these symbols (`*` is every one) in these time frames; return with the newest `snapshot` bars of each.

        The updates that come after it go on exactly where its snapshots end. `indicators` are the labels wanted, None is all
        of them. `mode`: `final` (finals and revisions), `live` (forming bars too, at most `max_hz` times a second) or `latest`
        (the newest bar only, even if a final is passed over). Raises SubscriptionRefused, DeliveryRefused, DeliveryUnreachable.
        """
        channel = Channel(
            channel="bars",
            symbols=(symbols,) if isinstance(symbols, str) else tuple(symbols),
            time_frames=(time_frames,) if isinstance(time_frames, str) else tuple(time_frames),
            indicators=None if indicators is None else tuple(indicators),
            mode=Mode(mode),
            max_hz=max_hz,
            snapshot=snapshot,
        )
        subscription = self._conversation.subscribe(channel)
        try:
            await self._link.say()
            await self._link.must_be(lambda: subscription.stage is not Stage.WANTED, timeout_s)
        except BaseException:
            self._conversation.unsubscribe(subscription)
            raise
        if (refusal := subscription.refusal) is not None:
            raise SubscriptionRefused(refusal.code, refusal.status, refusal.detail)
        return subscription

    async def unsubscribe(self, subscription: Subscription) -> None:
        """Want it no more; what other subscriptions want of the same series ends with it. What is on its way still comes."""
        self._conversation.unsubscribe(subscription)
        await self._link.say()

    async def take(self, timeout_s: float | None = None) -> list[Result]:
        """All updates that are there, at least one; nothing when none came in `timeout_s`, or once the client is closed.

        Raises DeliveryRefused, DeliveryUnreachable.
        """
        loop = asyncio.get_running_loop()
        until_s = None if timeout_s is None else loop.time() + timeout_s
        while news := await self.news(None if until_s is None else max(0.0, until_s - loop.time())):
            if results := self.results_of(news):
                return results
        return []

    async def news(self, timeout_s: float | None = None) -> list[Result | Gap]:
        """The same with the gaps at their places; `note_gap` tells of them."""
        news = self._conversation.news
        with suppress(TimeoutError):
            await self._link.wait_until(lambda: bool(news) or self._link.closed, timeout_s)
        taken = list(news)
        news.clear()
        self._link.make_room()
        return taken

    def results_of(self, news: Iterable[Result | Gap]) -> list[Result]:
        """What is no gap; gaps are told of."""
        results = []
        for one in news:
            if isinstance(one, Result):
                results.append(one)
            else:
                self.note_gap(one)
        return results

    def note_gap(self, gap: Gap) -> None:
        """Tell of a gap that was taken."""
        self.gaps.append(gap)
        if self._on_gap is not None:
            self._on_gap(gap)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Result:
        news = self._conversation.news
        while True:
            if not news:
                await self._link.wait_until(lambda: bool(news) or self._link.closed)
            if not news:
                raise StopAsyncIteration
            one = news.popleft()
            self._link.make_room()
            if isinstance(one, Result):
                return one
            self.note_gap(one)

    async def close(self) -> None:
        """End; the delivery forgets us. Whoever waits for updates gets those that are there, and no more."""
        await self._link.close()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()
