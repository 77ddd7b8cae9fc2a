"""AsyncTickClient: a conversation with a gateway on sockets of an event loop, reconnecting for as long as it lives."""

import asyncio
import os
import random
import ssl
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from connectors.client.conversation import Conversation, Refused, check_line
from connectors.client.outbox import Chunk
from connectors.client.retries import Address, Addresses, Retries, finder
from connectors.client.stamps import Stamps
from connectors.client.tasks import cancel
from connectors.errors import ConnectorError, GatewayRefused, GatewayUnreachable, LinesUnacknowledged

BUFFER_BYTES = 8 * 1024 * 1024
"""Unacknowledged lines that are kept, before more are taken."""
READ_BYTES = 64 * 1024
WRITE_BYTES = 128 * 1024
"""Given to the socket at once."""
CONNECT_TIMEOUT_S = 5.0
CHECK_S = 1.0
"""Between two looks at whether a heartbeat is due."""
REFUSED_KEPT = 100
"""Refused lines that `refused` keeps: the newest ones."""


def wall_clock_ms() -> int:
    """The machine's clock, for ticks that come without an event time."""
    return time.time_ns() // 1_000_000


class AsyncTickClient:
    """Feeds ticks to a gateway; a context manager, used in one event loop. What is sent counts once, whatever is cut meanwhile.

    `gateway` is `host:port`, a list of such, or what finds them out: `lambda: discover(kafka, "gateway", now_ms())` of
    `connectors.registry`. `client` is this feed's name, its ticks' `source`: no two that run at once may share it.
    With `replay` ticks may be of any age and say nothing of what time it is. `tls` is the context of a TLS connection.

    Lines are kept until they are acknowledged; `send` waits while they are more than `buffer_bytes`. After a cut those
    not acknowledged are sent again, byte for byte, here or at another address. Lines that do not count come to
    `on_refused`, in the event loop; the newest ones are in `refused`, too.
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
        self.refused: deque[Refused] = deque(maxlen=REFUSED_KEPT)
        self.connects = 0
        """How often a gateway has welcomed us."""
        self.stamps = Stamps(now_ms)
        self._conversation = Conversation(client, buffer_bytes, self._on_refused_line, key=key, replay=replay)
        self._on_refused = on_refused
        self._find = finder(gateway)
        self._tls = tls
        self._retries = Retries(random.Random())
        self._news = asyncio.Event()
        """Something is to be sent, or the connection has ended."""
        self._moved = asyncio.Event()
        """Something was acknowledged, or has become hopeless."""
        self._why = "no address is known"
        """What stands in the way of a connection."""
        self._failure: Exception | None = None
        self._running: asyncio.Task[None] | None = None

    @property
    def acked(self) -> int:
        """Lines that are durable, those among them that became dead letters included."""
        return self._conversation.acked

    @property
    def bad(self) -> int:
        """Dead letters among the acknowledged lines."""
        return self._conversation.bad

    @property
    def unacknowledged(self) -> int:
        """Lines sent of which nobody knows yet whether they are durable."""
        return self._conversation.outbox.lines

    async def connect(self, timeout_s: float = 10.0) -> None:
        """Begin; return once a gateway has said welcome. Raises GatewayUnreachable, GatewayRefused, and what finding addresses does."""
        self._running = asyncio.create_task(self._run())
        try:
            await self._until(lambda: self.connects > 0, timeout_s)
        except BaseException as error:
            await self.stop()
            if isinstance(error, TimeoutError):
                raise GatewayUnreachable(self._why) from error
            raise

    async def send(
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
        line = self.stamps.tick(stock_id, price, size, event_time_ms, id, flags)
        await self.send_lines(Chunk(1, line + b"\n"))

    async def send_line(self, line: bytes) -> None:
        """Hand over a line without its newline; it gets an event time and a `seq` if it has none. Raises ValueError, GatewayRefused."""
        if (why := check_line(line)) is not None:
            raise ValueError(why)
        await self.send_lines(Chunk(1, self.stamps.line(line) + b"\n"))

    async def send_lines(self, chunk: Chunk) -> None:
        """Hand over lines that are checked and stamped already."""
        await self.room()
        self.hand_over(chunk)

    async def room(self) -> None:
        """Wait while the buffer is full. Raises GatewayRefused."""
        outbox = self._conversation.outbox
        if outbox.full:
            await self._until(lambda: not outbox.full)
        elif outbox.unsent_bytes > WRITE_BYTES:
            await asyncio.sleep(0)

    def hand_over(self, chunk: Chunk) -> None:
        """Keep lines until they are acknowledged, whether there is room or not; see `room`. Raises GatewayRefused."""
        if self._failure is not None:
            raise self._failure
        self._conversation.say(chunk)
        self._news.set()

    async def flush(self, timeout_s: float | None = None) -> None:
        """Wait until every line sent is acknowledged. Raises LinesUnacknowledged after `timeout_s`, GatewayRefused."""
        try:
            await self._until(lambda: not self._conversation.outbox.lines, timeout_s)
        except TimeoutError as error:
            raise self.given_up() from error

    def given_up(self, more: int = 0) -> LinesUnacknowledged:
        """The error of one who waits no longer; `more` lines were not even handed over."""
        return LinesUnacknowledged(self.unacknowledged + more, self._why)

    async def close(self, timeout_s: float | None = 30.0) -> None:
        """Flush and end; what is not acknowledged by then is given up, and raised as LinesUnacknowledged."""
        try:
            await self.flush(timeout_s)
        finally:
            await self.stop()

    async def stop(self) -> None:
        """End at once; what is not acknowledged is given up."""
        running, self._running = self._running, None
        if running is not None:
            await cancel(running)

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    # The connection ------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            while True:
                hold_s = 0.0
                for address in await self._addresses():
                    hold_s = max(hold_s, await self._visit(address))
                await asyncio.sleep(max(self._retries.failed(), hold_s))
        except Exception as error:  # whoever sends or waits is to hear of it
            self._failure = error
            self._moved.set()

    async def _addresses(self) -> list[Address]:
        try:
            return await asyncio.to_thread(self._find)
        except ConnectorError as error:
            if not error.retriable:
                raise
            self._why = str(error)
            return []

    async def _visit(self, address: Address) -> float:
        """Talk to one gateway until the connection ends; how long it wants to be left alone then."""
        where = f"{address[0]}:{address[1]}"
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(*address, ssl=self._tls)
        except (OSError, TimeoutError) as error:
            self._why = f"{where}: {_reason(error)}"
            return 0.0
        hearing = asyncio.create_task(self._hear(reader, writer))
        self._why = f"{where}: it does not answer"
        try:
            await self._talk(writer, hearing)
            self._why = f"{where}: the connection was cut"
        except OSError as error:
            self._why = f"{where}: {_reason(error)}"
        finally:
            writer.close()
            await cancel(hearing)
        bye = self._conversation.bye
        if bye is None:
            return 0.0
        self._why = f"{where}: {bye.code}"
        if self._conversation.refused_for_good:
            raise GatewayRefused(where, bye.code)
        return bye.retry_s

    async def _talk(self, writer: asyncio.StreamWriter, hearing: asyncio.Task[None]) -> None:
        now_s = asyncio.get_running_loop().time
        writer.write(self._conversation.begin(now_s()))
        while not hearing.done():
            data = self._conversation.to_send(now_s(), WRITE_BYTES)
            if data:
                writer.write(data)
                await writer.drain()
                continue
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_S):
                    await self._news.wait()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the connection ends, or is as good as ended; then it is cut, so that `_talk` does not wait for it."""
        conversation = self._conversation
        with suppress(OSError, TimeoutError):
            while conversation.bye is None:
                async with asyncio.timeout(conversation.patience_s):
                    data = await reader.read(READ_BYTES)
                if not data:
                    break
                welcome = conversation.welcome
                conversation.receive(data)
                if welcome is None and conversation.welcome is not None:
                    self.connects += 1
                    self._retries.succeeded()
                self._moved.set()
                self._news.set()
        writer.transport.abort()
        self._news.set()

    async def _until(self, true: Callable[[], bool], timeout_s: float | None = None) -> None:
        async with asyncio.timeout(timeout_s):
            while not true():
                if self._failure is not None:
                    raise self._failure
                self._moved.clear()
                await self._moved.wait()

    def _on_refused_line(self, refused: Refused) -> None:
        self.refused.append(refused)
        if self._on_refused is not None:
            self._on_refused(refused)


def _reason(error: OSError | TimeoutError) -> str:
    """For people: asyncio hides the system's own words behind the address."""
    if isinstance(error, ConnectionError) and error.errno is not None:
        return os.strerror(error.errno).lower()
    return str(error) or "no answer"
