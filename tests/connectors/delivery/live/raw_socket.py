"""A WebSocket client made of a socket and RFC 6455, so that it can stall, lie and break off as no library would."""

import json
import os
import socket
from contextlib import suppress
from struct import pack
from typing import Any, NamedTuple

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
TIMEOUT_S = 20.0


class Received(NamedTuple):
    """One frame of the server."""

    opcode: int
    payload: bytes

    @property
    def close_code(self) -> int:
        assert self.opcode == CLOSE, self
        return int.from_bytes(self.payload[:2])


class RawSocket:
    """Connected when made; `status` is what the server answered to the handshake."""

    def __init__(self, address: str, *, receive_buffer: int | None = None, **headers: str) -> None:
        host, _, port = address.partition(":")
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(TIMEOUT_S)
        self.socket.connect((host, int(port)))
        self._unread = b""
        asked = {"Host": address, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        asked |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} | {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in asked.items())
        self.socket.sendall(f"GET /v1/ws HTTP/1.1\r\n{lines}\r\n".encode())
        self.answer = self._read_until(b"\r\n\r\n").decode()
        self.status = int(self.answer.split()[1])

    def send(self, data: bytes, opcode: int = TEXT, *, fin: bool = True) -> None:
        """Send one frame, masked as a client must."""
        size = len(data)
        short, middle = pack("!B", 0x80 | size & 0x7F), pack("!BH", 0x80 | 126, size & 0xFFFF)
        length = short if size < 126 else middle if size < 1 << 16 else pack("!BQ", 0x80 | 127, size)
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
        self.socket.sendall(bytes([0x80 * fin | opcode]) + length + mask + masked)

    def say(self, **message: Any) -> None:
        self.send(json.dumps(message).encode())

    def receive(self) -> Received:
        """The next frame of the server. Raises ConnectionError at the end."""
        head, size = self._read(2)
        if size >= 126:
            size = int.from_bytes(self._read(2 if size == 126 else 8))
        assert size >> 63 == 0
        return Received(head & 0x0F, self._read(size & 0x7FFFFFFFFFFFFFFF))

    def messages(self) -> list[dict[str, Any]]:
        """The messages of the next text frame."""
        frame = self.receive()
        assert frame.opcode == TEXT, frame
        return json.loads(frame.payload)

    def until(self, **said: Any) -> list[dict[str, Any]]:
        """All messages up to the frame with one that says so, heartbeats left out."""
        heard: list[dict[str, Any]] = []
        while not any(said.items() <= message.items() for message in heard):
            heard += self.messages()
        return [message for message in heard if message["T"] != "hb"]

    def close_code(self) -> int:
        """The code with which the server closes, whatever comes before."""
        while (frame := self.receive()).opcode != CLOSE:
            pass
        return frame.close_code

    def reset(self) -> None:
        """End the connection as one that breaks: without a goodbye, and whatever is under way is lost."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
        self.socket.close()

    def hang_up(self) -> None:
        """End the connection as that of a process that dies: an orderly end of the stream, and no goodbye."""
        self.socket.close()

    def __enter__(self) -> "RawSocket":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.socket.close()

    def _read(self, size: int) -> bytes:
        while len(self._unread) < size:
            self._more()
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    def _read_until(self, end: bytes) -> bytes:
        while end not in self._unread:
            self._more()
        data, _, self._unread = self._unread.partition(end)
        return data

    def _more(self) -> None:
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionError("the server has closed")
        self._unread += data
