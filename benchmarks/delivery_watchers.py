"""Many WebSocket clients of a delivery in one process, as light as can be: frames are cut out and searched, not parsed.

`python -m benchmarks.delivery_watchers ASKED` with a JSON object of `Asked` says `ready` on stdout once every client is subscribed.
A line on stdin with the number of bars that were closed of each symbol ends it, once the finals are all there or some
seconds have passed: it writes a JSON object of `Seen`. Times are wall clock on one machine.
"""

import asyncio
import re
import socket
import sys
import time
from contextlib import suppress
from typing import NamedTuple, cast

import orjson
import uvloop

from jobs.config_terms import split_address
from jobs.simulated_market import symbol_names

RECORD = re.compile(rb'"T":"bar".*?"stock_id":"([^"]*)".*?"start_ms":([0-9]+).*?"status":"([a-z]*)".*?"emitted_ms":([0-9]+)')
HANDSHAKE = (
    b"GET /v1/ws HTTP/1.1\r\nHost: %b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
STALLED_BUFFER_BYTES = 4_096
"""What the system keeps for a client that has stopped reading."""
LONGEST_MS = 60_000
LAST_FINALS_S = 15.0
AT_ONCE = 50
"""Clients that connect at the same time."""


class Asked(NamedTuple):
    """What clients there are to be."""

    address: str
    clients: int
    stalled: int
    """More clients, that subscribe and then read no more."""
    symbols: int
    each: int
    """Symbols a client watches."""
    max_hz: float


class Seen(NamedTuple):
    """What those that read were told."""

    records: int
    mbytes: float
    p50_ms: int
    p99_ms: int
    max_ms: int
    finals: int
    missing: int
    twice: int
    lost_connections: int


class Tally:
    """What all clients together have seen."""

    def __init__(self) -> None:
        self.by_ms = [0] * (LONGEST_MS + 1)
        self.bytes = self.lost = self.finals = self.twice = 0
        self.came = asyncio.Event()
        """A final was there for the first time."""

    def percentile(self, share: float) -> int:
        """Milliseconds that so many of all records took at most."""
        wanted, seen = share * sum(self.by_ms), 0
        for ms, count in enumerate(self.by_ms):
            seen += count
            if seen >= wanted and seen:
                return ms
        return 0


class Watcher(asyncio.Protocol):
    """One client."""

    def __init__(self, tally: Tally, asked: Asked, number: int, *, stalls: bool) -> None:
        names = symbol_names(asked.symbols)
        self.symbols = [names[(number * 7 + each) % len(names)] for each in range(asked.each)]
        self._finals: set[tuple[bytes, bytes]] = set()
        self.ready = asyncio.get_running_loop().create_future()
        self._tally, self._asked, self.stalls = tally, asked, stalls
        self._rest = b""
        self._upgraded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._transport.write(HANDSHAKE % self._asked.address.encode())

    def connection_lost(self, exc: Exception | None) -> None:
        self._tally.lost += not self.stalls
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionResetError("the delivery has closed a connection"))

    def data_received(self, data: bytes) -> None:
        self._tally.bytes += len(data)
        data = self._rest + data if self._rest else data
        at = 0
        if not self._upgraded:
            at = data.find(b"\r\n\r\n") + 4
            if at < 4:
                self._rest = data
                return
            if not data.startswith(b"HTTP/1.1 101 "):
                self.ready.set_exception(ConnectionRefusedError(data[:at].decode()))
                return
            self._upgraded = True
            self._subscribe()
        while (frame := _frame(data, at)) is not None:
            begin, at = frame
            self._read(data, begin, at)
        self._rest = data[at:]

    def close(self) -> None:
        self._transport.abort()

    def _subscribe(self) -> None:
        channel = {"channel": "bars", "symbols": self.symbols, "time_frames": ["1min"], "max_hz": self._asked.max_hz}
        text = orjson.dumps({"op": "subscribe", "id": 1, "channels": [channel]})
        self._transport.write(b"\x81\xfe" + len(text).to_bytes(2, "big") + bytes(4) + text)  # masked with zeros

    def _read(self, data: bytes, begin: int, end: int) -> None:
        now_ms = time.time_ns() // 1_000_000
        by_ms = self._tally.by_ms
        for symbol, start_ms, status, emitted_ms in RECORD.findall(data, begin, end):
            by_ms[min(LONGEST_MS, max(0, now_ms - int(emitted_ms)))] += 1
            if status != b"forming":
                self._note_final((symbol, start_ms))
        if not self.ready.done() and data.find(b'"T":"ack"', begin, end) >= 0:
            self.ready.set_result(None)
            if self.stalls:
                self._transport.pause_reading()

    def _note_final(self, bar: tuple[bytes, bytes]) -> None:
        tally = self._tally
        if bar in self._finals:
            tally.twice += 1
        else:
            self._finals.add(bar)
            tally.finals += 1
            tally.came.set()


def _frame(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the payload of the next whole frame begins and ends; a server's frames are not masked."""
    if len(data) < at + 2:
        return None
    size, begin = data[at + 1] & 0x7F, at + 2
    if size >= 126:
        more = 2 if size == 126 else 8
        begin += more
        if len(data) < begin:
            return None
        size = int.from_bytes(data[begin - more : begin], "big")
    return (begin, begin + size) if len(data) >= begin + size else None


async def watch(asked: Asked) -> Seen:
    """Everything."""
    loop, tally = asyncio.get_running_loop(), Tally()
    watchers = [Watcher(tally, asked, number, stalls=number >= asked.clients) for number in range(asked.clients + asked.stalled)]
    for at in range(0, len(watchers), AT_ONCE):
        some = watchers[at : at + AT_ONCE]
        for watcher in some:
            await loop.create_connection(lambda watcher=watcher: watcher, sock=await _connect(asked, stalls=watcher.stalls))
        await asyncio.gather(*(watcher.ready for watcher in some))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    closed = int(await asyncio.to_thread(sys.stdin.readline))
    wanted = asked.clients * asked.each * closed
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_FINALS_S):
            while tally.finals < wanted:
                tally.came.clear()
                await tally.came.wait()
    seen = Seen(
        sum(tally.by_ms), tally.bytes / 1e6, tally.percentile(0.5), tally.percentile(0.99), tally.percentile(1.0),
        tally.finals, wanted - tally.finals, tally.twice, tally.lost,
    )  # fmt: skip
    for watcher in watchers:
        watcher.close()
    return seen


async def _connect(asked: Asked, *, stalls: bool) -> socket.socket:
    made = socket.socket()
    if stalls:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STALLED_BUFFER_BYTES)
    made.setblocking(False)
    await asyncio.get_running_loop().sock_connect(made, split_address(asked.address))
    return made


def main(asked: str) -> None:
    seen = uvloop.run(watch(Asked(**orjson.loads(asked))))
    sys.stdout.write(orjson.dumps(seen._asdict()).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
