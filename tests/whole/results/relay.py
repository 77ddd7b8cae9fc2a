"""A TCP relay in front of a server, whose connections can be broken."""

import socket
import struct
import threading
from types import TracebackType
from typing import Self

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: close by a reset, whatever is still on its way."""


class Relay:
    """Passes bytes both ways until it is told to cut."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        self._upstream = upstream
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self._server.getsockname())
        self.accepted = 0
        self.cuts = 0
        """How often `cut_behind` has come to its end."""
        self._left: int | None = None
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """Break every connection there is, in the middle of whatever passes."""
        for each in list(self._open):
            self._break(each)

    def cut_behind(self, size: int) -> None:
        """Break every connection once so many bytes more have come from the server, and passed."""
        self._left = size

    def close(self) -> None:
        self._server.close()
        self.cut()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
                server = socket.create_connection(self._upstream)
            except OSError:
                return
            self._open |= {client, server}
            self.accepted += 1
            for pair in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, is_down: bool) -> None:
        try:
            while data := source.recv(4_096):
                sink.sendall(data)
                if is_down and self._left is not None:
                    self._count(len(data))
        except OSError:
            pass
        for each in (source, sink):
            self._break(each)

    def _count(self, size: int) -> None:
        assert self._left is not None
        self._left -= size
        if self._left <= 0:
            self._left = None
            self.cuts += 1
            self.cut()

    def _break(self, one: socket.socket) -> None:
        self._open.discard(one)
        try:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        one.close()
