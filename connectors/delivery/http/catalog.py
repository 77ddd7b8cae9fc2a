"""What there is to ask for: symbols as the store knows them, indicators and time frames as configured."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from connectors.delivery.http.answers import (
    IndicatorEntry,
    IndicatorsAnswer,
    LastBar,
    SymbolEntry,
    SymbolsAnswer,
    TimeFrameEntry,
    TimeFramesAnswer,
)
from connectors.delivery.http.parameters import Parameter, always, read_text, read_whole
from connectors.delivery.store.reader import StoredBar, StoreReader, SymbolFrames
from connectors.delivery.store.records import Series
from connectors.tick_lines import is_symbol
from udfs.frames import Frame
from udfs.indicators.descriptions import Description
from udfs.model import Number

MAX_SYMBOLS, DEFAULT_SYMBOLS = 10_000, 1_000
MIN_DECIMALS, MAX_DECIMALS = 2, 8
QUERY = Parameter(
    "query",
    read_text(64),
    "Part of a symbol's name; capital and small letters are alike.",
    always({"type": "string", "maxLength": 64, "default": ""}),
    default="",
)
SYMBOLS_PARAMETERS = (
    QUERY,
    Parameter(
        "limit",
        read_whole(1, MAX_SYMBOLS),
        "Symbols at most.",
        always({"type": "integer", "minimum": 1, "maximum": MAX_SYMBOLS, "default": DEFAULT_SYMBOLS}),
        default=DEFAULT_SYMBOLS,
    ),
)


class _Prices(msgspec.Struct, gc=False):
    """The prices of a record as they are written."""

    open: msgspec.Raw
    high: msgspec.Raw
    low: msgspec.Raw
    close: msgspec.Raw


_prices = msgspec.json.Decoder(_Prices).decode
_number = msgspec.json.Decoder(Number | None).decode


class Symbol(NamedTuple):
    """A symbol with its newest bar in each frame it has bars of, shortest frame first; there is one at least."""

    stock_id: str
    newest: dict[str, StoredBar]

    @property
    def price_decimals(self) -> int:
        """Decimals of the newest prices, within `MIN_DECIMALS` and `MAX_DECIMALS`."""
        found = (_decimals(bytes(price)) for bar in self.newest.values() for price in msgspec.structs.astuple(_prices(bar.value)))
        return min(max(found, default=MIN_DECIMALS), MAX_DECIMALS)


def find_symbols(reader: StoreReader, query: str, limit: int) -> tuple[list[Symbol], int]:
    """Symbols that match, and how many do."""
    found, total = reader.symbols(query, limit)
    newest = reader.latest([each.stock_id for each in found])
    symbols = (_symbol(each, newest) for each in found)
    return [each for each in symbols if each.newest], total


def find_symbol(reader: StoreReader, stock_id: str) -> Symbol | None:
    """The symbol of that name; None when there are no bars of it."""
    if not is_symbol(stock_id):
        return None
    symbol = _symbol(SymbolFrames(stock_id, reader.time_frames_of(stock_id)), reader.latest([stock_id]))
    return symbol if symbol.newest else None


def symbols_answer(symbols: Iterable[Symbol], total: int) -> SymbolsAnswer:
    """What `/v1/symbols` says of them."""
    return SymbolsAnswer([_entry(each) for each in symbols], total)


def indicators_answer(indicators: Iterable[Description]) -> IndicatorsAnswer:
    """What `/v1/indicators` says."""
    return IndicatorsAnswer(
        [IndicatorEntry(each.label, each.spec, list(each.outputs), each.pane, list(each.levels), each.bars_needed) for each in indicators]
    )


def time_frames_answer(frames: Iterable[Frame]) -> TimeFramesAnswer:
    """What `/v1/time-frames` says."""
    return TimeFramesAnswer([TimeFrameEntry(frame.label, frame.length_ms) for frame in frames])


def _symbol(found: SymbolFrames, newest: dict[Series, StoredBar]) -> Symbol:
    every = ((frame, newest.get(Series(found.stock_id, frame))) for frame in found.time_frames)
    return Symbol(found.stock_id, {frame: bar for frame, bar in every if bar is not None})


def _entry(symbol: Symbol) -> SymbolEntry:
    last = next(iter(symbol.newest.values()))
    close = _number(_prices(last.value).close)
    return SymbolEntry(symbol.stock_id, symbol.price_decimals, list(symbol.newest), LastBar(close, last.start_ms, last.end_ms))


def _decimals(price: bytes) -> int:
    return max(MIN_DECIMALS, len(price.partition(b".")[2]))
