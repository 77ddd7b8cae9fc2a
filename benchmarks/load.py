"""A load generator in a process of its own: ticks as they happen, at a steady rate.

`python -m benchmarks.load SETTINGS SYMBOLS RATE SECONDS [GATEWAY]` writes a JSON object at its end: ticks sent, and how far it
fell behind. Into Kafka it sends heartbeats as the gateway would; with an address of a gateway each symbol has a connection of its own.
Event time is the wall clock at the moment a tick is handed to the Kafka client or to its socket.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import orjson

from benchmarks.stack import child_environ, read_config
from connectors.kafka_publisher import KafkaPublisher
from connectors.tick_codec import encode_tick
from jobs.config_terms import split_address
from jobs.simulated_market import symbol_names

PROBE_EVERY_S = 2.5
"""A probe's ticks are further apart than `live.interval`: each of them is a leading edge."""
QUIET_UNTIL_S = 30
"""Quiet symbols trade in the first half of a minute only: their bars are closed by the watermark."""
QUIET_EVERY_S = 5.0
_SLOT_S = 0.002


@dataclass(frozen=True, slots=True)
class Roles:
    """Which symbols carry the load, and which are watched for what. The first eight tenths are active."""

    active: tuple[str, ...]
    probes: tuple[str, ...]
    quiet: tuple[str, ...]

    @classmethod
    def of(cls, symbols: int) -> "Roles":
        """A tenth are probes, a tenth are quiet."""
        names, tenth = symbol_names(symbols), max(1, symbols // 10)
        return cls(names[: symbols - 2 * tenth], names[symbols - 2 * tenth : symbols - tenth], names[symbols - tenth :])


class Rota:
    """Names that are due in turn, each `every_s`."""

    def __init__(self, names: tuple[str, ...], every_s: float, begin_s: float) -> None:
        self._due = [(begin_s + every_s * index / len(names), name) for index, name in enumerate(names)]
        self._every_s = every_s

    def due(self, now_s: float) -> Iterator[str]:
        """Those whose time has come."""
        while self._due[0][0] <= now_s:
            at_s, name = self._due.pop(0)
            self._due.append((at_s + self._every_s, name))
            yield name


class Publisher(Protocol):
    """Where ticks go."""

    def publish(self, symbol: str, value: bytes, event_time_ms: int) -> None: ...

    def heartbeat(self, event_time_ms: int) -> None: ...

    def close(self) -> None: ...


class Sockets:
    """A connection to a gateway for each symbol; how far event time has come, the gateway sees for itself."""

    def __init__(self, gateway: str, symbols: tuple[str, ...]) -> None:
        self._sockets = {symbol: socket.create_connection(split_address(gateway), 30) for symbol in symbols}
        for symbol, each in self._sockets.items():
            each.sendall(b'{"op":"hello","client":"load-%s"}\n' % symbol.encode())

    def publish(self, symbol: str, value: bytes, event_time_ms: int) -> None:
        self._sockets[symbol].sendall(value + b"\n")

    def heartbeat(self, event_time_ms: int) -> None:
        pass

    def close(self) -> None:
        for each in self._sockets.values():
            each.close()


class Load:
    """Sends what is due."""

    def __init__(self, publisher: Publisher, source: str | None) -> None:
        self._publisher = publisher
        self._source = source
        self.sent = 0

    def tick(self, symbol: str) -> None:
        """One tick of now."""
        now_ms = time.time_ns() // 1_000_000
        price = 100.0 + self.sent % 100 / 100
        self._publisher.publish(symbol, encode_tick(symbol, price, 100, now_ms, seq=self.sent, source=self._source), now_ms)
        self.sent += 1

    def run(self, roles: Roles, rate: float, seconds: float) -> float:
        """Keep `rate` for `seconds`; returns by how many seconds it was behind at worst."""
        begin_s = time.time()
        probes, quiet = Rota(roles.probes, PROBE_EVERY_S, begin_s), Rota(roles.quiet, QUIET_EVERY_S, begin_s)
        beat_s, active, worst_s = begin_s, 0, 0.0
        while (now_s := time.time()) < begin_s + seconds:
            worst_s = max(worst_s, now_s - begin_s - (active + 1) / rate)
            while active < (now_s - begin_s) * rate:
                self.tick(roles.active[active % len(roles.active)])
                active += 1
            for symbol in probes.due(now_s):
                self.tick(symbol)
            for symbol in quiet.due(now_s):
                if now_s % 60 < QUIET_UNTIL_S:
                    self.tick(symbol)
            if now_s >= beat_s:
                self._publisher.heartbeat(int(now_s * 1_000))
                beat_s += 1
            time.sleep(_SLOT_S)
        return worst_s


def start_load(
    settings: Mapping[str, object], symbols: int, rate: float, seconds: float, gateway: tuple[str, int] | None = None
) -> "subprocess.Popen[bytes]":
    """The generator, started; its summary is on its stdout."""
    where = ["{}:{}".format(*gateway)] if gateway else []
    asked = [orjson.dumps(settings).decode(), str(symbols), str(rate), str(seconds), *where]
    return subprocess.Popen([sys.executable, "-m", "benchmarks.load", *asked], env=child_environ(), stdout=subprocess.PIPE)


def main(settings: str, symbols: str, rate: str, seconds: str, gateway: str = "") -> None:
    names = symbol_names(int(symbols))
    publisher: Publisher = Sockets(gateway, names) if gateway else KafkaPublisher(read_config(orjson.loads(settings)).kafka_connection())
    load = Load(publisher, None if gateway else "load")
    worst_s = load.run(Roles.of(int(symbols)), float(rate), float(seconds))
    publisher.close()
    sys.stdout.buffer.write(orjson.dumps({"sent": load.sent, "behind_ms": worst_s * 1_000}))


if __name__ == "__main__":
    main(*sys.argv[1:])
