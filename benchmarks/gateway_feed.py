"""Clients of the gateway under measurement: lines made beforehand, pushed through sockets as fast as they are taken."""

import random
import selectors
import socket
import time
from typing import NamedTuple

import orjson

from jobs.simulated_market import symbol_names

CHUNK_LINES = 2_000


class Line(NamedTuple):
    """One tick, and its symbol."""

    symbol: str
    text: bytes


def make_lines(count: int, symbols: int, now_ms: int) -> list[Line]:
    """Ticks of many symbols in random order, as a feed of a consolidated tape has them."""
    names, draw = symbol_names(symbols), random.Random(7)
    lines = []
    for seq in range(count):
        symbol = draw.choice(names)
        tick = {"stock_id": symbol, "price": round(draw.uniform(10, 500), 2), "size": 100, "event_time_ms": now_ms, "seq": seq}
        lines.append(Line(symbol, orjson.dumps(tick)))
    return lines


class Client:
    """One connection: it says hello, sends its share, and knows how much of it is acknowledged."""

    def __init__(self, address: tuple[str, int], name: str, lines: list[bytes]) -> None:
        self.lines = len(lines)
        self.acked = 0
        self._socket = socket.create_connection(address)
        self._socket.setblocking(False)
        chunks = [b"\n".join(lines[at : at + CHUNK_LINES]) + b"\n" for at in range(0, len(lines), CHUNK_LINES)]
        self._unsent = [memoryview(chunk) for chunk in reversed([b'{"op":"hello","client":"%s"}\n' % name.encode(), *chunks])]
        self._heard = b""

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def wants(self) -> int:
        """The events to wait for."""
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if self._unsent else 0)

    def write(self) -> None:
        """Send what the socket takes."""
        sent = self._socket.send(self._unsent[-1])
        self._unsent[-1] = self._unsent[-1][sent:]
        if not self._unsent[-1]:
            self._unsent.pop()

    def read(self) -> None:
        """Hear acks."""
        self._heard += self._socket.recv(65_536)
        *answers, self._heard = self._heard.split(b"\n")
        for answer in map(orjson.loads, answers):
            if answer["op"] == "ack":
                self.acked = answer["n"]

    def close(self) -> None:
        self._socket.close()


def push(address: tuple[str, int], lines: list[Line], connections: int) -> float:
    """Send all lines over so many connections, a symbol's always over the same one; seconds until all are acknowledged."""
    shares: list[list[bytes]] = [[] for _ in range(connections)]
    place = {symbol: number % connections for number, symbol in enumerate(sorted({line.symbol for line in lines}))}
    for line in lines:
        shares[place[line.symbol]].append(line.text)
    clients = [Client(address, f"feed-{number}", share) for number, share in enumerate(shares)]
    begun_s = time.monotonic()
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client, client.wants)
        while selector.get_map():
            for key, events in selector.select():
                _serve(selector, key.fileobj, events)
    took_s = time.monotonic() - begun_s
    for client in clients:
        client.close()
    return took_s


def _serve(selector: selectors.BaseSelector, client: Client, events: int) -> None:
    if events & selectors.EVENT_WRITE:
        client.write()
    if events & selectors.EVENT_READ:
        client.read()
    if client.acked == client.lines:
        selector.unregister(client)
    else:
        selector.modify(client, client.wants)
