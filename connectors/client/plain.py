"""TickClient: the same for programs without an event loop; it has one of its own, in a thread."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from connectors.client.asynchronous import BUFFER_BYTES, AsyncTickClient, wall_clock_ms
from connectors.client.conversation import Refused, check_line
from connectors.client.outbox import Chunk
from connectors.client.retries import Addresses

T = TypeVar("T")
STAGE_BYTES = 256 * 1024
"""Lines on their way to the thread, at most; those in its buffer come on top."""


class TickClient:
    """Feeds ticks to a gateway; a context manager. See AsyncTickClient for the arguments and what is promised.

    Not to be shared by threads. `on_refused` is called in a thread of the client's own.
    """

    def __init__(
        self,
        gateway: Addresses,
        *,
        client: str,
        key: str | None = None,
        replay: bool = False,
        tls: ssl.SSLContext | None = None,
        buffer_bytes: int = BUFFER_BYTES,
        on_refused: Callable[[Refused], None] | None = None,
        now_ms: Callable[[], int] = wall_clock_ms,
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._client = AsyncTickClient(
            gateway, client=client, key=key, replay=replay, tls=tls, buffer_bytes=buffer_bytes, on_refused=on_refused, now_ms=now_ms
        )
        self._thread = threading.Thread(target=self._loop.run_forever, name="tick-client", daemon=True)
        self._room = threading.Condition()
        self._staged: list[bytes] = []
        self._staged_lines = self._staged_bytes = 0
        self._taking: asyncio.Lock = asyncio.Lock()
        self._is_told = False
        """Whether the thread knows that there is something staged."""
        self._failure: Exception | None = None

    @property
    def acked(self) -> int:
        """Lines that are durable, those among them that became dead letters included."""
        return self._client.acked

    @property
    def bad(self) -> int:
        """Dead letters among the acknowledged lines."""
        return self._client.bad

    @property
    def connects(self) -> int:
        """How often a gateway has welcomed us."""
        return self._client.connects

    @property
    def refused(self) -> Sequence[Refused]:
        """The newest lines that do not count."""
        return tuple(self._client.refused)

    def connect(self, timeout_s: float = 10.0) -> None:
        """Begin; return once a gateway has said welcome. Raises GatewayUnreachable, GatewayRefused."""
        self._thread.start()
        try:
            self._run(self._client.connect(timeout_s))
        except BaseException:
            self._end()
            raise

    def send(
        self,
        stock_id: str,
        price: float,
        size: float | None = None,
        event_time_ms: int | None = None,
        *,
        id: str | None = None,
        flags: int = 0,
    ) -> None:
        """Hand over a tick; without `event_time_ms` it is of now. Waits while the buffer is full. Raises GatewayRefused."""
        self.send_lines(Chunk(1, self._client.stamps.tick(stock_id, price, size, event_time_ms, id, flags) + b"\n"))

    def send_line(self, line: bytes, event_time_ms: int | None = None) -> None:
        """Hand over a line without its newline; it gets an event time and a `seq` if it has none. Raises ValueError, GatewayRefused."""
        if (why := check_line(line)) is not None:
            raise ValueError(why)
        self.send_lines(Chunk(1, self._client.stamps.line(line, event_time_ms) + b"\n"))

    def send_lines(self, chunk: Chunk) -> None:
        """Hand over lines that are checked and stamped already."""
        with self._room:
            while self._staged_bytes > STAGE_BYTES and self._failure is None:
                self._room.wait()
            if self._failure is not None:
                raise self._failure
            self._staged.append(chunk.data)
            self._staged_lines += chunk.lines
            self._staged_bytes += len(chunk.data)
            if not self._is_told:
                self._is_told = True
                self._loop.call_soon_threadsafe(self._take_soon)

    def flush(self, timeout_s: float | None = None) -> None:
        """Wait until every line sent is acknowledged. Raises LinesUnacknowledged after `timeout_s`, GatewayRefused."""
        self._run(self._flush(timeout_s))

    def close(self, timeout_s: float | None = 30.0) -> None:
        """Flush and end; what is not acknowledged by then is given up, and raised as LinesUnacknowledged."""
        if not self._thread.is_alive():
            return
        try:
            self._run(self._close(timeout_s))
        finally:
            self._end()

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # In the thread -------------------------------------------------------------------------------------------------

    def _take_soon(self) -> None:
        self._task = self._loop.create_task(self._take_or_fail())

    async def _take_or_fail(self) -> None:
        try:
            await self._take()
        except Exception as error:  # the next who sends is to hear of it
            with self._room:
                self._failure = error
                self._room.notify_all()

    async def _take(self) -> None:
        """Hand what is staged to the client, in order, as one chunk."""
        async with self._taking:
            await self._client.room()
            with self._room:
                chunk = Chunk(self._staged_lines, b"".join(self._staged))
                self._staged = []
                self._staged_lines = self._staged_bytes = 0
                self._is_told = False
                self._room.notify_all()
            if chunk.lines:
                self._client.hand_over(chunk)

    async def _flush(self, timeout_s: float | None) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._take()
                await self._client.flush()
        except TimeoutError as error:
            raise self._client.given_up(self._staged_lines) from error

    async def _close(self, timeout_s: float | None) -> None:
        try:
            await self._flush(timeout_s)
        finally:
            await self._client.stop()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:  # those that still wait for room
                task.cancel()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
