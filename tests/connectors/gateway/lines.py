"""Lines as clients send them, and a connection driven without a socket."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from connectors.gateway.batch import Batch, Origin
from connectors.gateway.budgets import Allowances
from connectors.gateway.coalesce import Coalescer
from connectors.gateway.events import Close, Event, Pause, Send
from connectors.gateway.judge import Judge, TimeGuard
from connectors.gateway.limits import Limits
from connectors.gateway.protocol import Admit, Connection
from udfs.model import Scales

NOW_MS = 1_795_348_669_460
HOUR_MS = 3_600_000
GUARD = TimeGuard(max_future_ms=5_000, max_age_ms=24 * HOUR_MS)


def tick(stock_id: object = "IBM", **fields: object) -> bytes:
    """A good line but for what `fields` say, without its newline."""
    return json.dumps({"stock_id": stock_id, "price": 10.5, "size": 100, "event_time_ms": NOW_MS, **fields}).encode()


def connection(
    limits: Limits | None = None,
    admit: Admit | None = None,
    name: str = "g1-1",
    address: str = "127.0.0.1",
    allowances: Allowances | None = None,
) -> Connection:
    limits = limits or Limits()
    origin, judge = Origin(f"{address}:5000", name, address), Judge(Scales(), limits.max_line_bytes)
    if allowances is None:
        allowances = Allowances(limits.lines_per_second)
    return Connection(origin, limits, judge, GUARD, allowances, 0.0, admit)


@dataclass
class Heard:
    """What came out of a connection, sorted by kind."""

    ticks: list[tuple[int, str, bytes, int]] = field(default_factory=list)
    """Line number, symbol, the line as it goes to Kafka, event time."""
    letters: list[tuple[int, str, bytes, int]] = field(default_factory=list)
    """Line number, reason, what is kept of the line, its true length."""
    said: list[dict[str, Any]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)

    def hear(self, events: Iterable[Event]) -> "Heard":
        for event in events:
            if isinstance(event, Batch):
                self._hear_batch(event)
            elif isinstance(event, Send):
                self.said += [json.loads(line) for line in event.data.splitlines()]
            elif isinstance(event, Pause):
                self.pauses.append(event.seconds)
            elif isinstance(event, Close):
                self.closed.append(event.code)
        return self

    def _hear_batch(self, batch: Batch) -> None:
        self.batches.append(batch)
        for symbol, (indices, times) in batch.verdict.ticks.items():
            for index, time_ms in zip(indices, times, strict=True):
                self.ticks.append((batch.first + index, symbol, batch.value_of([index]), time_ms))
        self.letters += [(each.refusal.line, str(each.refusal.reason), each.original, each.size) for each in batch.refused]
        self.ticks.sort()

    def errors(self) -> list[tuple[int | None, str]]:
        return [(each.get("line"), each["code"]) for each in self.said if each["op"] == "err"]


def heard(*chunks: bytes, of: Connection | None = None, end: bool = False) -> Heard:
    """What a connection makes of `chunks`."""
    one, out = of or connection(), Heard()
    for chunk in chunks:
        out.hear(one.receive(chunk, NOW_MS, 0.0))
    return out.hear(one.end(NOW_MS, 0.0, clean=True)) if end else out


def settle(batches: Iterable[Batch]) -> None:
    """Let everything of `batches` become durable."""
    for batch in batches:
        batch.unsettled = 0


def records_of(*batches: Batch, max_lines: int = 64, max_bytes: int = 128 * 1024) -> list[tuple[str, list[bytes]]]:
    """The records that batches become: symbol and lines."""
    coalescer = Coalescer(max_lines, max_bytes)
    for batch in batches:
        coalescer.add(batch)
    return [(record.symbol, record.value.split(b"\n")) for record in coalescer.take()]
