"""Lines handed over to a gateway until it has acknowledged them, in the order they came. No socket, no clock."""

from collections import deque
from typing import NamedTuple


class Chunk(NamedTuple):
    """Lines that were handed over together, each ended by its newline."""

    lines: int
    data: bytes


class Outbox:
    """Keeps what is not acknowledged: some of it was given to the connection of now, some not yet.

    It never refuses a chunk; whoever adds looks at `full` first, so that memory stays near `limit_bytes`.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._sent: deque[Chunk] = deque()
        self._unsent: deque[Chunk] = deque()
        self._lines_sent = 0
        """On this connection, acknowledged ones included."""
        self._lines_acked = 0
        """On this connection."""
        self._acked_of_first = 0
        """Of the lines in `_sent[0]`, so many are acknowledged."""
        self.lines = 0
        """Lines kept."""
        self.bytes = 0
        """Bytes kept; those of a chunk until all of it is acknowledged."""
        self.unsent_bytes = 0

    @property
    def full(self) -> bool:
        """Whether nothing more should be added before something is acknowledged."""
        return self.bytes >= self._limit_bytes

    def add(self, chunk: Chunk) -> None:
        """Keep lines until they are acknowledged."""
        self._unsent.append(chunk)
        self.lines += chunk.lines
        self.bytes += len(chunk.data)
        self.unsent_bytes += len(chunk.data)

    def begin(self) -> None:
        """A connection is new: it has been given nothing, and counts lines from 0."""
        if self._acked_of_first:
            lines, data = self._sent.popleft()
            rest = Chunk(lines - self._acked_of_first, data.split(b"\n", self._acked_of_first)[-1])
            self.bytes += len(rest.data) - len(data)
            self._sent.appendleft(rest)
            self._acked_of_first = 0
        self._unsent.extendleft(reversed(self._sent))
        self._sent.clear()
        self._lines_sent = self._lines_acked = 0
        self.unsent_bytes = self.bytes

    def take(self, limit_bytes: int) -> bytes:
        """The next chunks for this connection: about `limit_bytes` of them, at least one if there is any."""
        taken, size = [], 0
        while self._unsent and size < limit_bytes:
            chunk = self._unsent.popleft()
            self._sent.append(chunk)
            self._lines_sent += chunk.lines
            taken.append(chunk.data)
            size += len(chunk.data)
        self.unsent_bytes -= size
        return b"".join(taken)

    def ack(self, lines: int) -> bool:
        """The first `lines` lines of this connection are settled; False when it was not given so many."""
        if not self._lines_acked <= lines <= self._lines_sent:
            return False
        more, self._lines_acked = lines - self._lines_acked, lines
        self.lines -= more
        more += self._acked_of_first
        while self._sent and more >= self._sent[0].lines:
            chunk = self._sent.popleft()
            more -= chunk.lines
            self.bytes -= len(chunk.data)
        self._acked_of_first = more
        return True

    def line(self, number: int) -> bytes | None:
        """Line `number` (from 0) of this connection; None once its chunk is acknowledged, or when there is no such line."""
        index = number - self._lines_acked + self._acked_of_first
        for chunk in self._sent if index >= 0 else ():
            if index < chunk.lines:
                return chunk.data.split(b"\n")[index]
            index -= chunk.lines
        return None
