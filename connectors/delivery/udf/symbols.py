"""Names of TradingView's protocol as ours and back: resolutions, and symbols of which some are an indicator's values."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from connectors.delivery.http.catalog import Symbol
from connectors.delivery.http.formats import column_names
from connectors.delivery.udf.answers import UdfConfig, UdfFound, UdfSymbol
from udfs.frames import DAY_MS, MINUTE_MS, Frame
from udfs.indicators.descriptions import Description

_DAYS = re.compile(r"1?D")
_OWN_PANE_DECIMALS = 4


class Plot(NamedTuple):
    """What a symbol of the protocol stands for: bars, or one value of an indicator."""

    stock_id: str
    indicator: Description | None = None
    output: str | None = None
    """Of an indicator with several."""

    @property
    def name(self) -> str:
        """`AAPL`, `AAPL#RSI`, `AAPL#MACD.signal`."""
        if self.indicator is None:
            return self.stock_id
        return f"{self.stock_id}#{self.indicator.label}" + (f".{self.output}" if self.output else "")

    def is_value_like(self, text: str) -> bool:
        """Whether it is an indicator's value with `text` in its name, in whatever case."""
        return self.indicator is not None and text.casefold() in self.name.partition("#")[2].casefold()


def parse_plot(name: str, indicators: Sequence[Description]) -> Plot | None:
    """What `name` stands for; None when the indicator is not configured, or the output is missing or none of its."""
    stock_id, is_indicator, rest = name.partition("#")
    if not is_indicator:
        return Plot(stock_id)
    label, _, output = rest.partition(".")
    for each in indicators:
        if each.label == label and rest in column_names(each):
            return Plot(stock_id, each, output or None)
    return None


def plots_of(stock_id: str, indicators: Sequence[Description]) -> list[Plot]:
    """The symbol's bars, then every value of every indicator."""
    return [Plot(stock_id), *(Plot(stock_id, each, output) for each in indicators for output in each.outputs or (None,))]


def resolution_of(frame: Frame) -> str:
    """`1D`, else minutes."""
    return "1D" if frame.length_ms == DAY_MS else str(frame.length_ms // MINUTE_MS)


def frame_of(resolution: str, frames: Sequence[Frame]) -> Frame | None:
    """The configured frame of a resolution; `D` and `1D` are the same."""
    wanted = "1D" if _DAYS.fullmatch(resolution) else resolution
    return next((frame for frame in frames if resolution_of(frame) == wanted), None)


def udf_config(frames: Sequence[Frame]) -> UdfConfig:
    """What this datafeed can do."""
    return UdfConfig(supported_resolutions=[resolution_of(frame) for frame in frames])


def udf_symbol(plot: Plot, symbol: Symbol, frames: Sequence[Frame]) -> UdfSymbol:
    """How `plot` is to be drawn; `symbol` is what the store knows of it. Days begin at 00:00 UTC."""
    resolutions = [resolution_of(frame) for frame in frames]
    minutes = [each for each in resolutions if each != "1D"]
    return UdfSymbol(
        name=plot.name,
        ticker=plot.name,
        full_name=plot.name,
        description=_description(plot),
        type=_type(plot),
        exchange="",
        listed_exchange="",
        pricescale=10 ** _decimals(plot, symbol),
        visible_plots_set="ohlcv" if plot.indicator is None else "c",
        supported_resolutions=resolutions,
        intraday_multipliers=minutes,
        has_intraday=bool(minutes),
        has_daily="1D" in resolutions,
    )


def udf_found(plot: Plot) -> UdfFound:
    """What a search says of it."""
    return UdfFound(symbol=plot.name, full_name=plot.name, description=_description(plot), exchange="", ticker=plot.name, type=_type(plot))


def _description(plot: Plot) -> str:
    if plot.indicator is None:
        return plot.stock_id
    return f"{plot.indicator.spec}{f' {plot.output}' if plot.output else ''} of {plot.stock_id}"


def _type(plot: Plot) -> str:
    return "stock" if plot.indicator is None else "index"


def _decimals(plot: Plot, symbol: Symbol) -> int:
    if plot.indicator is None:
        return symbol.price_decimals
    return symbol.price_decimals + 2 if plot.indicator.pane == "price" else _OWN_PANE_DECIMALS
