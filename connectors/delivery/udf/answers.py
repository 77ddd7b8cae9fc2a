"""What TradingView's UDF protocol has a datafeed say, as types; the names are the protocol's."""

from typing import Literal

import msgspec

from udfs.model import Number


class UdfConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the datafeed can do."""

    supported_resolutions: list[str]
    supports_search: bool = True
    supports_group_request: bool = False
    supports_marks: bool = False
    supports_timescale_marks: bool = False
    supports_time: bool = True
    exchanges: list[dict[str, str]] = []
    symbols_types: list[dict[str, str]] = []


class UdfSymbol(msgspec.Struct, frozen=True, kw_only=True):
    """How a symbol is to be drawn; an indicator's value is a symbol with closes only."""

    name: str
    ticker: str
    full_name: str
    description: str
    type: str
    exchange: str
    listed_exchange: str
    pricescale: int
    minmov: int = 1
    session: str = "24x7"
    timezone: str = "Etc/UTC"
    format: str = "price"
    visible_plots_set: Literal["ohlcv", "c"]
    supported_resolutions: list[str]
    intraday_multipliers: list[str]
    has_intraday: bool
    has_daily: bool
    has_weekly_and_monthly: bool = False
    volume_precision: int = 8
    data_status: str = "streaming"


class UdfFound(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol that a search found."""

    symbol: str
    full_name: str
    description: str
    exchange: str
    ticker: str
    type: str


class UdfBars(msgspec.Struct, frozen=True, kw_only=True):
    """Bars as columns, ascending in time. An indicator's value has no volume."""

    s: Literal["ok"]
    t: list[int]
    """Starts, in seconds since the epoch."""
    o: list[Number]
    h: list[Number]
    l: list[Number]  # noqa: E741 - the protocol's name
    c: list[Number]
    v: list[Number] | msgspec.UnsetType = msgspec.UNSET


class UdfNoData(msgspec.Struct, frozen=True, omit_defaults=True):
    """There are no bars in the range."""

    s: Literal["no_data"]
    nextTime: int | None = None
    """Where the newest bar before the range starts, when there is one."""


class UdfError(msgspec.Struct, frozen=True):
    """What was asked for cannot be answered."""

    s: Literal["error"]
    errmsg: str
