"""The bars of one answer: read from the store for a checked query, up to the end of its page."""

from typing import NamedTuple

from connectors.delivery.http.bars_query import After, BarsQuery
from connectors.delivery.store.reader import StoredBar, StoreReader
from connectors.delivery.store.records import Series


class Page(NamedTuple):
    """Bars by symbol; every symbol asked for is there."""

    rows: dict[str, list[StoredBar]]
    after: After | None
    """Where the next page goes on; None when this is the last one."""


def read_page(reader: StoreReader, query: BarsQuery) -> Page:
    """The page that `query` asks for."""
    if not query.is_range:
        series = [_series(query, symbol) for symbol in query.symbols]
        newest = reader.snapshot(series, query.limit).bars
        return Page({each.stock_id: _sorted(query, newest[each]) for each in series}, None)
    rows: dict[str, list[StoredBar]] = {symbol: [] for symbol in query.symbols}
    left, last = query.limit, query.after
    for symbol in query.symbols[query.symbols.index(last.stock_id) if last else 0 :]:
        found = _range(reader, query, symbol, left + 1)
        rows[symbol] = found[:left]
        if rows[symbol]:
            last = After(symbol, rows[symbol][-1].start_ms)
        if len(found) > left:
            return Page(rows, last)
        left -= len(found)
    return Page(rows, None)


def is_settled(reader: StoreReader, query: BarsQuery, shortest: str, allowed_lateness_ms: int) -> bool:
    """Whether every tick of the range would come too late now: so far are the symbols' newest bars of the frame `shortest`.

    The range ends where its last bar does, which may be later than the `end` that was asked for.
    """
    if query.end_ms is None:
        return False
    settled_ms = -(-query.end_ms // query.frame.length_ms) * query.frame.length_ms + allowed_lateness_ms
    return all((newest := _newest(reader, Series(symbol, shortest))) is not None and newest > settled_ms for symbol in query.symbols)


def _range(reader: StoreReader, query: BarsQuery, symbol: str, limit: int) -> list[StoredBar]:
    """The next bars of a symbol: of the one where the last page ended, those behind its end."""
    start_ms, end_ms = query.start_ms, query.end_ms
    if query.after is not None and query.after.stock_id == symbol:
        start_ms, end_ms = (start_ms, query.after.start_ms) if query.newest_first else (query.after.start_ms + 1, end_ms)
    return _sorted(query, reader.bars(_series(query, symbol), start_ms=start_ms, end_ms=end_ms, limit=limit, newest=query.newest_first))


def _sorted(query: BarsQuery, bars: list[StoredBar]) -> list[StoredBar]:
    return bars[::-1] if query.newest_first else bars


def _series(query: BarsQuery, symbol: str) -> Series:
    return Series(symbol, query.frame.label)


def _newest(reader: StoreReader, series: Series) -> int | None:
    newest = reader.bars(series, limit=1, newest=True)
    return newest[0].start_ms if newest else None
