"""ResultClient: the same for programs without an event loop; it has one of its own, in a thread."""

import asyncio
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from connectors.client.results.asynchronous import BUFFER_UPDATES, REJOIN_BARS, SUBSCRIBE_TIMEOUT_S, AsyncResultClient
from connectors.client.results.subscription import Subscription
from connectors.client.results.told import Gap
from connectors.client.retries import Addresses
from connectors.delivery.live.messages import Mode
from connectors.delivery.live.server_messages import Heartbeat
from udfs.model import Result

T = TypeVar("T")


class ResultClient:
    """Takes results from a delivery; a context manager. See AsyncResultClient for the arguments and what is promised.

    Not to be shared by threads, `close` aside: it ends an iteration from without. `on_gap` is called in the thread that iterates.
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
        self._loop = asyncio.new_event_loop()
        self._client = AsyncResultClient(
            delivery, key=key, tls=tls, rejoin_bars=rejoin_bars, buffer_updates=buffer_updates, give_up_s=give_up_s, on_gap=on_gap
        )
        self._thread = threading.Thread(target=self._loop.run_forever, name="result-client", daemon=True)
        self._taken: deque[Result | Gap] = deque()

    @property
    def connects(self) -> int:
        """How often a delivery has taken us."""
        return self._client.connects

    @property
    def resumes(self) -> int:
        """How often a connection went on from the one before."""
        return self._client.resumes

    @property
    def rejoins(self) -> int:
        """How often it could not, and series were taken up again from a snapshot."""
        return self._client.rejoins

    @property
    def repeated(self) -> int:
        """Finals and revisions that came again and were not told again."""
        return self._client.repeated

    @property
    def gaps(self) -> Sequence[Gap]:
        """The newest gaps."""
        return tuple(self._client.gaps)

    @property
    def heartbeat(self) -> Heartbeat | None:
        """The newest one: the delivery's clock, its newest final, and how far results lag behind."""
        return self._client.heartbeat

    @property
    def state(self) -> str:
        """`ok`, `degraded` or `catching_up` while the delivery itself has no results, `away` while there is no connection."""
        return self._client.state

    def connect(self, timeout_s: float = 10.0) -> None:
        """Begin; return once a delivery has taken us. Raises DeliveryUnreachable, DeliveryRefused."""
        self._thread.start()
        try:
            self._run(self._client.connect(timeout_s))
        except BaseException:
            self._end()
            raise

    def subscribe(
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
        """Want these symbols in these time frames; return with the newest `snapshot` bars of each. See AsyncResultClient.subscribe."""
        wanted = self._client.subscribe(
            symbols, time_frames, indicators=indicators, mode=mode, snapshot=snapshot, max_hz=max_hz, timeout_s=timeout_s
        )
        return self._run(wanted)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Want it no more; what other subscriptions want of the same series ends with it. What is on its way still comes."""
        self._run(self._client.unsubscribe(subscription))

    def take(self, timeout_s: float | None = None) -> list[Result]:
        """All updates that are there, at least one; nothing when none came in `timeout_s`, or once the client is closed."""
        until_s = None if timeout_s is None else time.monotonic() + timeout_s
        while self._taken or self._wait(None if until_s is None else max(0.0, until_s - time.monotonic())):
            taken, self._taken = self._taken, deque()
            if results := self._client.results_of(taken):
                return results
        return []

    def __iter__(self) -> Iterator[Result]:
        """Updates as they come, until the client is closed. Raises DeliveryRefused, DeliveryUnreachable."""
        while self._taken or self._wait(None):
            yield from self._client.results_of([self._taken.popleft()])

    def close(self) -> None:
        """End; the delivery forgets us. Who iterates in another thread gets what is there, and no more."""
        if self._thread.is_alive():
            self._run(self._close())
            self._end()

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _wait(self, timeout_s: float | None) -> bool:
        """Whether anything is there, or came."""
        if self._thread.is_alive():
            self._taken.extend(self._run(self._client.news(timeout_s)))
        return bool(self._taken)

    async def _close(self) -> None:
        await self._client.close()
        if waiting := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(waiting)  # they see that it is closed

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
