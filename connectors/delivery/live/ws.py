"""`/v1/ws`: one client's WebSocket around a `Connection`, which decides everything."""

import asyncio
import logging
import socket
from contextlib import suppress
from struct import pack
from typing import NamedTuple

from aiohttp import WSMsgType, web

from connectors.delivery.access.access import WEBSOCKET, Access
from connectors.delivery.live.alarm import Alarm
from connectors.delivery.live.hub import Hub
from connectors.delivery.live.protocol import INTERNAL

SEND_BUFFER_BYTES = 128 * 1024
"""What the system keeps for a client that does not read (Linux takes twice that); then its socket shows that it is slow."""
WRITE_BUFFER_BYTES = 64 * 1024
"""What the loop keeps for it, one frame aside."""
UNHEARD_S = 30
"""How long a peer may leave data unacknowledged before the system takes it for gone."""
GOODBYE_S = 2.0
"""How long a client that is closed may take to say goodbye itself, or to read what it was told last."""
NORMAL = 1000
PROTOCOL_ERROR = 1002
NEVER_SENT = 1006
"""What a side notes for itself when no goodbye came. It is an error on the wire; aiohttp (3.14) takes it for one of the codes."""
_TEXT_FRAME, _CLOSE_FRAME = 0x81, 0x88
_LENGTH_16, _LENGTH_64 = 126, 127
_log = logging.getLogger(__name__)


def ws_routes(hub: Hub, access: Access, *, compression: bool = False) -> list[web.RouteDef]:
    """The route of the WebSocket. Foreign origins and wrong keys in the handshake are refused before (`access.guard`)."""

    async def serve(request: web.Request) -> web.WebSocketResponse:
        response = new_response(hub.limits.max_message_bytes, compression=compression)
        await response.prepare(request)
        try:
            await Client(hub, access, request, response).serve()
        except Exception:
            _log.exception("websocket_failed")
            await response.close(code=INTERNAL)
        return response

    return [web.get(WEBSOCKET, serve)]


def new_response(max_message_bytes: int, *, compression: bool) -> web.WebSocketResponse:
    """A WebSocket as all of ours are, to be read with `receive`.

    It answers pings, waits after each frame that its client does not take, and closes by itself with 1009 at a message that
    is too long, with 1002 or 1007 at what is no WebSocket.
    """
    most = max_message_bytes + 1  # it refuses from this size on
    return web.WebSocketResponse(timeout=GOODBYE_S, autoclose=False, compress=compression, max_msg_size=most, writer_limit=0)


class Ended(NamedTuple):
    """A client will say no more: it has closed with `code` (0: without one), or is gone without a word."""

    code: int | None


async def receive(response: web.WebSocketResponse) -> str | bytes | Ended:
    """What the client says next. A goodbye is answered."""
    message = await response.receive()
    if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
        data: str | bytes = message.data
        return data
    if message.type is not WSMsgType.CLOSE:
        return Ended(None)
    await response.close(code=PROTOCOL_ERROR if message.data == NEVER_SENT else NORMAL, drain=False)
    return Ended(message.data)


class Client:
    """One task reads its socket, another writes to it; nobody else waits for it."""

    def __init__(self, hub: Hub, access: Access, request: web.Request, response: web.WebSocketResponse) -> None:
        self._loop = asyncio.get_running_loop()
        self._response = response
        self._transport = request.transport
        self._alarm = Alarm(self._loop)
        self._gone = self._said_goodbye = self._writing = self._broken_off = False
        if self._transport is not None:
            tune_socket(self._transport)
        hub.metrics.connections += 1
        self.connection = hub.connect(self, access.of(request), access.by_key if access.needs_key else None)

    def wake(self, when_s: float) -> None:
        """There is something to send, or there will be."""
        self._alarm.wake(when_s)
        if self._writing and self.connection.ending is not None:
            self._break_off()

    async def serve(self) -> None:
        """Until the client is gone, or is to go."""
        reader = self._loop.create_task(self._read())
        try:
            with suppress(ConnectionError):
                await self._write()
        finally:
            self._alarm.stop()
            reader.cancel()
            self.connection.lost(for_good=self._said_goodbye)
            with suppress(asyncio.CancelledError):
                await reader
        if self._broken_off and self._transport is not None:
            self._transport.close()  # a goodbye was said already
        elif self.connection.ending is not None:
            await self._response.close(code=self.connection.ending)

    async def _read(self) -> None:
        try:
            with suppress(ConnectionError):
                while not isinstance(said := await receive(self._response), Ended):
                    self.connection.receive(said)
                self._said_goodbye = said.code in (0, NORMAL)
        finally:
            self._gone = True
            self._alarm.wake(self._loop.time())

    async def _write(self) -> None:
        connection = self.connection
        while not self._gone:
            frame = connection.next_frame()
            if frame is not None:
                await self._send(frame)
            elif connection.ending is not None:
                return
            else:
                await self._alarm.rung()

    async def _send(self, frame: bytes) -> None:
        self._writing, self.connection.sending_since_s = True, self._loop.time()
        await self._response.send_frame(frame, WSMsgType.TEXT)
        self._writing, self.connection.sending_since_s = False, None

    def _break_off(self) -> None:
        """The client is to go, and its socket takes nothing: put what it is told last behind what waits, and do not wait long."""
        if self._transport is None or self._broken_off:
            return
        self._broken_off = True
        while (frame := self.connection.next_frame()) is not None:
            self._transport.write(_frame(_TEXT_FRAME, frame))
        self._transport.write(_frame(_CLOSE_FRAME, pack("!H", self.connection.ending)))
        self._loop.call_later(GOODBYE_S, self._transport.abort)


def _frame(head: int, payload: bytes) -> bytes:
    """A whole WebSocket frame of a server: RFC 6455 section 5.2."""
    size = len(payload)
    if size < _LENGTH_16:
        return pack("!BB", head, size) + payload
    if size < 1 << 16:
        return pack("!BBH", head, _LENGTH_16, size) + payload
    return pack("!BBQ", head, _LENGTH_64, size) + payload


def tune_socket(transport: asyncio.Transport) -> None:
    """Let a client's socket show soon that it does not read, or is gone."""
    transport.set_write_buffer_limits(WRITE_BUFFER_BYTES)
    peer = transport.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNHEARD_S * 1_000)
