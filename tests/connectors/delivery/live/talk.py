"""A delivery without sockets and with a clock in hand: records, a hub, and clients that keep what they hear."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec

from connectors.delivery.live.connection import Connection
from connectors.delivery.live.hub import Clock, Hub
from connectors.delivery.live.limits import Limits
from connectors.delivery.live.messages import Channel, Mode, Resume, Subscribe
from connectors.delivery.live.server_messages import ServerMessage
from connectors.delivery.live.snapshots import Answer, Question
from connectors.delivery.metrics import Metrics
from connectors.delivery.store.records import BarRecord, read_record

MINUTE_MS = 60_000
DAY_MS = 1_795_305_600_000
"""A day's first instant."""
ANYBODY = type("Anybody", (), {"name": "", "holds": staticmethod(lambda: True)})()

_check = msgspec.json.Decoder(list[ServerMessage]).decode


def record(
    stock_id: str = "A",
    minute: int = 0,
    status: str = "final",
    *,
    revision: int = 0,
    run: int = 1,
    as_of_ms: int | None = None,
    offset: int = 0,
    partition: int = 0,
    time_frame: str = "1min",
    close: float = 10.5,
    results: dict[str, Any] | None = None,
    pad: int = 0,
) -> BarRecord:
    """A record as it is in a topic, read as delivery reads it. `emitted_ms` says its offset, so that it can be told from others."""
    start_ms = DAY_MS + minute * MINUTE_MS
    said: dict[str, Any] = {"v": 1, "stock_id": stock_id, "time_frame": time_frame, "start_ms": start_ms, "end_ms": start_ms + MINUTE_MS}
    said |= {"status": status, "run": run, "revision": revision, "emitted_ms": offset}
    said |= {"open": 10, "high": 11, "low": 9.5, "close": close, "volume": 7, "turnover": 70.25, "vwap": 10.03, "trades": 3}
    said |= {"first_ms": start_ms, "last_ms": start_ms + 1, "complete": True, "results": {"RSI": 55.2} if results is None else results}
    if as_of_ms is not None:
        said["as_of_ms"] = as_of_ms
    if pad:
        said["pad"] = "x" * pad
    return read_record(json.dumps(said).encode(), partition, offset)


def forming(stock_id: str = "A", minute: int = 0, second: int = 0, **more: Any) -> BarRecord:
    """A forming record, `second` seconds into its minute by the symbol's clock."""
    return record(stock_id, minute, "forming", as_of_ms=DAY_MS + minute * MINUTE_MS + second * 1_000, **more)


def no_snapshots(question: Question, take: Callable[[Answer | None], None]) -> None:
    """Where none is asked for."""
    raise AssertionError(question)


@dataclass
class Time:
    """The clock of a test."""

    s: float = 1_000.0
    ms: int = DAY_MS

    def pass_by(self, seconds: float) -> None:
        self.s += seconds
        self.ms += round(seconds * 1_000)


def hub_of(time: Time, limits: Limits | None = None, snapshots: Any = no_snapshots, frames: tuple[str, ...] = ()) -> Hub:
    tokens = count()
    clock = Clock(lambda: time.s, lambda: time.ms)
    return Hub("d1", limits or Limits(), snapshots, clock, Metrics(), frames=frames, new_token=lambda: f"t{next(tokens)}")


@dataclass
class Talker:
    """A client that hears all it is sent, and checks the form and the numbers of it."""

    hub: Hub
    time: Time
    permit: Any = ANYBODY
    admit: Any = None
    heard: list[dict[str, Any]] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    wakes: list[float] = field(default_factory=list)
    seq: int = 0

    def __post_init__(self) -> None:
        self.connection: Connection = self.hub.connect(self, self.permit, self.admit)

    def wake(self, when_s: float) -> None:
        self.wakes.append(when_s)

    def listen(self) -> list[dict[str, Any]]:
        """Take all there is now; the messages heard by it."""
        begin = len(self.heard)
        while (frame := self.connection.next_frame()) is not None:
            self.frames.append(frame)
            _check(frame)
            for message in json.loads(frame):
                self._note(message)
        return self.heard[begin:]

    def _note(self, message: dict[str, Any]) -> None:
        if message["T"] in ("bar", "snapshot"):
            self.seq += 1
        if message["T"] in ("bar", "snapshot", "hb"):
            assert message["msg_seq"] == self.seq
        self.heard.append(message)

    def say(self, **message: Any) -> list[dict[str, Any]]:
        """Send a message, and take what there is then."""
        self.connection.receive(json.dumps(message))
        return self.listen()

    def subscribe(self, *symbols: str, mode: str = "live", time_frames: tuple[str, ...] = ("1min",), **more: Any) -> list[dict[str, Any]]:
        """Subscribe in one channel, and take what there is then."""
        self.connection.subscribe(Subscribe((Channel(channel="bars", symbols=symbols, time_frames=time_frames, mode=Mode(mode), **more),)))
        return self.listen()

    def resume(self, conn: str, seq: int) -> bool:
        """Go on with an earlier connection, of which `seq` was the last message seen."""
        self.seq = seq
        return self.connection.resume(Resume(conn, seq))

    def bars(self) -> list[tuple[str, int, str, int]]:
        """(symbol, minute, status, revision) of every bar heard so far."""
        return [_brief(message) for message in self.heard if message["T"] == "bar"]


def brief(messages: list[dict[str, Any]]) -> list[tuple[str, int, str, int]]:
    """(symbol, minute, status, revision) of the bars among `messages`."""
    return [_brief(message) for message in messages if message["T"] == "bar"]


def _brief(bar: dict[str, Any]) -> tuple[str, int, str, int]:
    return bar["stock_id"], (bar["start_ms"] - DAY_MS) // MINUTE_MS, bar["status"], bar["revision"]
