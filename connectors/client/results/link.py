"""A conversation with a delivery carried over WebSockets of an event loop: connect, talk, and connect again."""

import asyncio
import os
import random
import ssl
from collections.abc import Callable
from contextlib import suppress

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from connectors.client.results.conversation import ResultConversation
from connectors.client.results.urls import url_finder
from connectors.client.retries import Addresses, Retries
from connectors.client.tasks import cancel
from connectors.errors import ConnectorError, DeliveryRefused, DeliveryUnreachable

CONNECT_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 1.0
FRAME_BYTES = 64 * 1024 * 1024
"""No frame of a delivery is longer: 10,000 bars of a snapshot take a fifth of it."""
_HTTP_FOR_GOOD = frozenset({401, 403})


class Link:
    """Keeps a conversation connected until it is closed, or hopeless; used in one event loop.

    The socket is not read while `buffer_updates` pieces of news wait for the caller, who says so when there is room
    again. With `give_up_s` it is hopeless when there was no delivery for so long.
    """

    def __init__(
        self,
        conversation: ResultConversation,
        delivery: Addresses,
        tls: ssl.SSLContext | None,
        buffer_updates: int,
        give_up_s: float | None,
    ) -> None:
        self.connects = 0
        """How often a delivery has taken us."""
        self.closed = False
        self._conversation = conversation
        self._find = url_finder(delivery, tls=tls is not None)
        self._tls = tls
        self._buffer_updates = buffer_updates
        self._give_up_s = give_up_s
        self._retries = Retries(random.Random(), first_s=0.05)
        self._socket: ClientConnection | None = None
        self._last_url = ""
        self._seen_s = self._paid_s = 0.0
        self._moved = asyncio.Event()
        """Something came in, or has become hopeless."""
        self._room = asyncio.Event()
        """News were taken out."""
        self._why = "no address is known"
        """What stands in the way of a connection."""
        self._failure: Exception | None = None
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect."""
        self._running = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End; the delivery forgets us."""
        self.closed = True
        self._moved.set()
        running, self._running = self._running, None
        if running is not None:
            await cancel(running)

    def make_room(self) -> None:
        """News were taken out of the conversation."""
        self._room.set()

    async def must_be(self, true: Callable[[], bool], timeout_s: float) -> None:
        """Wait until `true`, as far as what comes in makes it so. Raises DeliveryUnreachable after `timeout_s`, DeliveryRefused."""
        try:
            await self.wait_until(true, timeout_s)
        except TimeoutError as error:
            raise DeliveryUnreachable(self._why) from error

    async def wait_until(self, true: Callable[[], bool], timeout_s: float | None = None) -> None:
        """The same; raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not true():
                if self._failure is not None:
                    raise self._failure
                self._moved.clear()
                await self._moved.wait()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        self._seen_s = loop.time()
        try:
            while True:
                hold_s = 0.0
                for url in await self._urls():
                    hold_s = max(hold_s, await self._visit(url))
                if self._give_up_s is not None and loop.time() - self._seen_s > self._give_up_s:
                    raise DeliveryUnreachable(self._why)
                await asyncio.sleep(max(self._retries.failed(), hold_s))
        except Exception as error:  # whoever waits is to hear of it
            self._failure = error
            self._moved.set()

    async def _urls(self) -> list[str]:
        """Where to try, the last one that took us first: it may still have what we missed."""
        try:
            return sorted(await asyncio.to_thread(self._find), key=lambda url: url != self._last_url)
        except ConnectorError as error:
            if not error.retriable:
                raise
            self._why = str(error)
            return []

    async def _visit(self, url: str) -> float:
        """Talk to one delivery until the connection ends; how long it wants to be left alone then."""
        try:
            tls = (self._tls or True) if url.startswith("wss:") else None
            socket = await open_socket(
                url, ssl=tls, proxy=None, compression=None, ping_interval=None, max_size=FRAME_BYTES,
                open_timeout=CONNECT_TIMEOUT_S, close_timeout=CLOSE_TIMEOUT_S,
            )  # fmt: skip
        except InvalidStatus as error:
            status = error.response.status_code
            if status in _HTTP_FOR_GOOD:
                raise DeliveryRefused(url, f"HTTP {status}") from error
            self._why = f"{url}: HTTP {status}"
            return 0.0
        except (OSError, TimeoutError, WebSocketException) as error:
            self._why = f"{url}: {_reason(error)}"
            return 0.0
        self._why = f"{url}: it does not answer"
        try:
            await self._talk(socket, url)
        except (ConnectionClosed, TimeoutError) as error:
            self._why = f"{url}: {_reason(error)}"
        finally:
            self._socket = None
            await self._hang_up(socket)
        return self._ended(url)

    async def _talk(self, socket: ClientConnection, url: str) -> None:
        conversation = self._conversation
        conversation.begin()
        self._socket = socket
        is_new = True
        while conversation.ending is None:
            async with asyncio.timeout(conversation.patience_s):
                frame = await socket.recv(decode=False)
            conversation.receive(frame)
            if is_new and conversation.joined:
                is_new = False
                self.connects += 1
                self._last_url = url
                self._retries.succeeded()
            await self.say()
            self._moved.set()
            while len(conversation.news) >= self._buffer_updates:
                self._room.clear()
                await self._room.wait()

    async def say(self) -> None:
        """Send what is to be said now, no faster than the delivery takes it."""
        while (socket := self._socket) is not None and (message := self._conversation.to_send()) is not None:
            await self._pace()
            with suppress(ConnectionClosed):
                await socket.send(message.decode())

    async def _pace(self) -> None:
        welcome = self._conversation.welcome
        assert welcome is not None
        now_s = asyncio.get_running_loop().time()
        self._paid_s = max(self._paid_s, now_s) + 1 / welcome.limits.msg_s
        if (wait_s := self._paid_s - now_s - 1.0) > 0:  # a second's messages may come at once
            await asyncio.sleep(wait_s)

    async def _hang_up(self, socket: ClientConnection) -> None:
        """A delivery keeps what is missed by a client that is cut, not by one that says goodbye."""
        if self.closed:
            await socket.close()
        else:
            socket.transport.abort()

    def _ended(self, url: str) -> float:
        conversation = self._conversation
        if conversation.joined:
            self._seen_s = asyncio.get_running_loop().time()
        conversation.cut()
        ending = conversation.ending
        if ending is None:
            return 0.0
        self._why = f"{url}: {ending.code}"
        if ending.for_good:
            raise DeliveryRefused(url, ending.code)
        return ending.retry_s


def _reason(error: Exception) -> str:
    """For people: asyncio hides the system's own words behind the address."""
    if isinstance(error, ConnectionError) and error.errno is not None:
        return os.strerror(error.errno).lower()
    return str(error) or "no answer"
