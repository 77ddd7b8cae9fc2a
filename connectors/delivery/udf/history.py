"""Bars for TradingView's protocol: the columns of a range, or as many bars before an instant as it asks for."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from connectors.delivery.http.bars_query import MAX_ROWS
from connectors.delivery.store.reader import StoredBar, StoreReader
from connectors.delivery.store.records import BarRecord, Series
from connectors.delivery.udf.answers import UdfNoData
from connectors.delivery.udf.symbols import Plot

MS_PER_S = 1_000
_NULL = b"null"
_AT_LEAST = 100
"""Bars read at a time; many in a row may have nothing to show."""


class HistoryQuery(NamedTuple):
    """Bars of a plot that start in [from_s, to_s); with a count, the last that many before `to_s` instead."""

    plot: Plot
    time_frame: str
    from_s: int
    to_s: int
    countback: int | None

    @property
    def series(self) -> Series:
        """Where they are from."""
        return Series(self.plot.stock_id, self.time_frame)


class Point(NamedTuple):
    """One bar as the protocol has it: numbers as they are written in the record. A value of an indicator has no volume."""

    start_ms: int
    prices: tuple[bytes, bytes, bytes, bytes]
    volume: bytes


class _Head(msgspec.Struct, gc=False):
    open: msgspec.Raw
    high: msgspec.Raw
    low: msgspec.Raw
    close: msgspec.Raw
    volume: msgspec.Raw
    results: msgspec.Raw


_head = msgspec.json.Decoder(_Head).decode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def history_json(reader: StoreReader, query: HistoryQuery, forming: BarRecord | None) -> bytes:
    """The answer to `query`; `forming` is the bar of its series that is forming now."""
    start_ms, end_ms = query.from_s * MS_PER_S, query.to_s * MS_PER_S
    is_counted = query.countback is not None
    wanted = query.countback if query.countback is not None else MAX_ROWS
    points = _newest_points(reader, query, None if is_counted else start_ms, end_ms, wanted)
    if forming is not None and forming.start_ms < end_ms and (is_counted or forming.start_ms >= start_ms):
        points = _with_forming(points, query.plot, forming)[-wanted:]
    if points:
        return _columns(points, with_volume=query.plot.indicator is None)
    earlier = [] if is_counted else _newest_points(reader, query, None, start_ms, 1)
    return msgspec.json.encode(UdfNoData("no_data", earlier[0].start_ms // MS_PER_S if earlier else None))


def _newest_points(reader: StoreReader, query: HistoryQuery, start_ms: int | None, end_ms: int, wanted: int) -> list[Point]:
    """The last `wanted` bars of [start_ms, end_ms) that have what the plot shows, ascending; those without are not counted."""
    points: list[Point] = []
    at_once = max(wanted, _AT_LEAST)
    while len(points) < wanted:
        bars = reader.bars(query.series, start_ms=start_ms, end_ms=end_ms, limit=at_once, newest=True)
        points = [*_points(bars, query.plot), *points]
        if len(bars) < at_once:
            break
        end_ms = bars[0].start_ms
    return points[-wanted:]


def _with_forming(points: list[Point], plot: Plot, forming: BarRecord) -> list[Point]:
    """The forming bar is the newest; the store may have its final before the hub takes it away."""
    if points and points[-1].start_ms >= forming.start_ms:
        return points
    return [*points, *_points([forming], plot)]


def _points(bars: Sequence[StoredBar] | Sequence[BarRecord], plot: Plot) -> Iterator[Point]:
    for bar in bars:
        head = _head(bar.value)
        if plot.indicator is None:
            prices = bytes(head.open), bytes(head.high), bytes(head.low), bytes(head.close)
            if _NULL not in prices:
                yield Point(bar.start_ms, prices, bytes(head.volume))
        elif (value := _value(bytes(head.results), plot.indicator.label, plot.output)) != _NULL:
            yield Point(bar.start_ms, (value, value, value, value), b"")


def _value(results: bytes, label: str, output: str | None) -> bytes:
    """The number as it is written; `null` when the indicator is not ready, was not computed then, or had other outputs."""
    value = bytes(_fields(results).get(label, _NULL))
    if output is not None:
        value = bytes(_fields(value).get(output, _NULL)) if value.startswith(b"{") else _NULL
    return _NULL if value.startswith(b"{") else value


def _columns(points: Sequence[Point], *, with_volume: bool) -> bytes:
    columns = [_column(b"t", (b"%d" % (point.start_ms // MS_PER_S) for point in points))]
    columns += [_column(name, (point.prices[place] for point in points)) for place, name in enumerate((b"o", b"h", b"l", b"c"))]
    if with_volume:
        columns.append(_column(b"v", (point.volume for point in points)))
    return b'{"s":"ok",%b}' % b",".join(columns)


def _column(name: bytes, numbers: Iterable[bytes]) -> bytes:
    return b'"%b":[%b]' % (name, b",".join(numbers))
