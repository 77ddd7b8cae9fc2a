"""One client's socket: what comes in goes to its state machine, and what that says goes out."""

import asyncio
import socket
from typing import TYPE_CHECKING, cast

from connectors.gateway.protocol import Connection
from connectors.gateway.turns import BUSY_BYTES, turn_size

if TYPE_CHECKING:
    from connectors.gateway.service import Gateway

WRITE_BUFFER_BYTES = 64 * 1024
"""Answers that a client does not read, up to this; then it is told less."""
GOODBYE_S = 0.5
"""How long a client that is cut may take to hang up."""
GRACE_S = 5.0
"""How long it may take, after that, to read what it was told last: its socket is not kept for one that never reads."""
TURN = "turn"
"""Why a socket is not read: the others have their turn."""


class Client(asyncio.Protocol):
    """The shell around a `Connection`; everything it does is decided there or in the `Gateway`."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self._transport: asyncio.Transport | None = None
        self._reasons_to_wait: set[str] = set()
        self.connection: Connection | None = None
        """None when the client was turned away."""
        self.address = ""
        self.last_read = 0
        """The number of the read that was its last, among those of all clients."""
        self.ended = False
        """The client has sent all it wanted; it may still hear."""
        self.closing = False
        """It was cut: it is told nothing more, and what it sends is dropped."""
        self._ending: asyncio.TimerHandle | None = None
        self._unread = b""

    @property
    def waits(self) -> bool:
        """Whether its socket is not read for now; waiting for its turn is none of it."""
        return not self._reasons_to_wait <= {TURN}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A socket was taken."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(WRITE_BUFFER_BYTES)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        peer = transport.get_extra_info("peername") or ("unknown", 0)
        self.address = str(peer[0])
        self._gateway.welcome(self, f"{peer[0]}:{peer[1]}")

    def data_received(self, data: bytes) -> None:
        """Bytes came in; after a connection was taken, they do even when it is not to be read."""
        if self._reasons_to_wait:
            self._unread += data
        elif not self.closing:
            self._take_a_turn(data)

    def eof_received(self) -> bool:
        """The client will send no more; the socket stays open for its last ack, unless it speaks TLS."""
        self.take_rest()
        self.ended = True
        if self.connection is not None:
            self._gateway.end(self, self.connection, clean=True)
        return self.connection is not None and not self.closing and self._stays_open()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self.take_rest()
        self._transport = None
        if self._ending is not None:
            self._ending.cancel()
        if self.connection is not None:
            self._gateway.lose(self, self.connection)

    def pause_writing(self) -> None:
        """The client does not read its answers."""
        if self.connection is not None:
            self.connection.answers.muted = True

    def resume_writing(self) -> None:
        """It reads them again."""
        if self.connection is not None:
            self.connection.answers.muted = False
            self._gateway.look_after(self)

    def write(self, data: bytes) -> None:
        """Send an answer, unless it was cut."""
        if self._transport is not None and not self.closing:
            self._transport.write(data)

    def close(self) -> None:
        """Close the socket once everything written is out, or has not been read for too long.

        What the client still sends is read and dropped for a moment: closed with bytes unread, TCP would reset the
        connection, and the client might never see what it was told last.
        """
        if self.closing or self._transport is None:
            return
        transport = self._readable()
        self.closing = True
        if transport is None or not transport.can_write_eof():
            self._hang_up()
            return
        if self._reasons_to_wait:
            self._reasons_to_wait.clear()
            transport.resume_reading()
        transport.write_eof()
        self._ending = asyncio.get_running_loop().call_later(GOODBYE_S, self._hang_up)

    def _hang_up(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._ending = asyncio.get_running_loop().call_later(GRACE_S, self._transport.abort)

    def wait(self, reason: str) -> None:
        """Do not read the socket until `reason` is over."""
        if self.closing:
            return
        if not self._reasons_to_wait and (transport := self._readable()) is not None:
            transport.pause_reading()
        self._reasons_to_wait.add(reason)

    def go_on(self, reason: str) -> None:
        """`reason` is over."""
        if reason not in self._reasons_to_wait:
            return
        self._reasons_to_wait.discard(reason)
        if not self._reasons_to_wait:
            data, self._unread = self._unread, b""
            self._take_a_turn(data)
        if not self._reasons_to_wait and (transport := self._readable()) is not None:
            transport.resume_reading()

    def hold(self) -> None:
        """Do not read a socket that is to wait: asked before a connection was quite taken, uvloop reads all the same."""
        if self._reasons_to_wait and (transport := self._readable()) is not None:
            transport.pause_reading()

    def take_rest(self) -> None:
        """Take all that has come in: there will be no later turn."""
        data, self._unread = self._unread, b""
        self._take(data)

    def _take_a_turn(self, data: bytes) -> None:
        size = turn_size(data)
        self._unread = data[size:]
        if self._unread or size >= BUSY_BYTES:
            self.wait(TURN)
            asyncio.get_running_loop().call_soon(self.go_on, TURN)
        self._take(data[:size])

    def _take(self, data: bytes) -> None:
        if data and self.connection is not None and not self.closing:
            self._gateway.receive(self, self.connection, data)

    def _stays_open(self) -> bool:
        """Whether an answer can still be sent after the client's end; over TLS it cannot, the whole connection has ended then."""
        return self._transport is not None and self._transport.get_extra_info("ssl_object") is None

    def _readable(self) -> asyncio.Transport | None:
        return None if self._transport is None or self.ended or self._transport.is_closing() else self._transport
