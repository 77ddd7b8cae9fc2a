"""What tells a client's ticks apart, so that one sent twice counts once: an event time, and a number within its symbol."""

from collections import defaultdict
from collections.abc import Callable

import msgspec

from connectors.gateway.judge import with_field
from connectors.tick_codec import encode_tick

TIMES = ("event_time_ms", "timestamp", "ts")


class _Marks(msgspec.Struct, gc=False):
    """The fields of a line that stamps depend on."""

    stock_id: str | None = None
    symbol: str | None = None
    seq: int | None = None
    id: str | int | None = None
    event_time_ms: object = None
    timestamp: object = None
    ts: object = None


_parse = msgspec.json.Decoder(_Marks).decode


class Stamps:
    """Gives each tick what it lacks. A line is stamped once, when it is handed over: sent again, it has the same bytes.

    `seq` counts from 0 for each symbol. `now_ms` is the event time of ticks that have none.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._next: defaultdict[str, int] = defaultdict(int)

    def tick(self, stock_id: str, price: float, size: float | None, event_time_ms: int | None, id: str | None, flags: int) -> bytes:
        """The line of a tick."""
        time_ms = self._now_ms() if event_time_ms is None else event_time_ms
        seq = self._next[stock_id] if id is None else None
        if seq is not None:
            self._next[stock_id] = seq + 1
        return encode_tick(stock_id, price, size, time_ms, seq=seq, id=id, flags=flags)

    def line(self, line: bytes, event_time_ms: int | None = None) -> bytes:
        """`line` with an event time (`event_time_ms`, or now) and a `seq` if it has none; as it is when it can be no tick."""
        try:
            marks = _parse(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return line
        symbol = marks.stock_id if marks.stock_id is not None else marks.symbol
        if symbol is None:
            return line
        if all(getattr(marks, field) is None for field in TIMES):
            line = with_field(line, b'"event_time_ms":%d' % (self._now_ms() if event_time_ms is None else event_time_ms))
        if marks.seq is not None:
            self._next[symbol] = max(self._next[symbol], marks.seq + 1)
        elif marks.id is None:
            line = with_field(line, b'"seq":%d' % self._next[symbol])
            self._next[symbol] += 1
        return line
