"""What the HTTP endpoints answer, as types: OpenAPI is made from them, and all but the bars are encoded by them."""

import msgspec

from udfs.model import Number, Result


class BarsAnswer(msgspec.Struct, frozen=True):
    """Bars by symbol; every symbol asked for is there, with no bars when it has none in the range, or is not known."""

    bars: dict[str, list[Result]]
    next_page_token: str | None
    """What `page_token` of the next page is; null on the last one."""


class LatestAnswer(msgspec.Struct, frozen=True):
    """The newest bar by symbol and time frame; what there is none of is left out."""

    bars: dict[str, dict[str, Result]]


class LastBar(msgspec.Struct, frozen=True):
    """The end of a symbol's newest bar, of its shortest time frame."""

    close: Number | None
    """Null when only volume was traded in it."""
    start_ms: int
    end_ms: int


class SymbolEntry(msgspec.Struct, frozen=True):
    """One symbol of which there are bars."""

    stock_id: str
    price_decimals: int
    """Decimals that its newest prices have, at least 2."""
    time_frames: list[str]
    """Shortest first."""
    last: LastBar


class SymbolsAnswer(msgspec.Struct, frozen=True):
    """Symbols that match, those that begin with the query first."""

    symbols: list[SymbolEntry]
    total: int
    """How many match, whatever the limit."""


class IndicatorEntry(msgspec.Struct, frozen=True):
    """One configured indicator."""

    label: str
    """Its name in `results`."""
    spec: str
    """What it computes, with all parameters."""
    outputs: list[str]
    """Names of its values; empty when it has one value."""
    pane: str
    """`price` when drawn over the bars, `own` when below them."""
    levels: list[float]
    """Reference lines of its own pane."""
    bars_needed: int
    """Bars until there is a value, the bar of the first value included."""


class IndicatorsAnswer(msgspec.Struct, frozen=True):
    """The configured indicators, in their order."""

    indicators: list[IndicatorEntry]


class TimeFrameEntry(msgspec.Struct, frozen=True):
    """One configured time frame."""

    time_frame: str
    duration_ms: int


class TimeFramesAnswer(msgspec.Struct, frozen=True):
    """The configured time frames, shortest first."""

    time_frames: list[TimeFrameEntry]
