"""Routes of TradingView's UDF protocol, `/udf/*`: what its charting library asks a datafeed over HTTP.

As the protocol has it, parameters it does not name are passed over, and what cannot be answered is `{"s":"error",..}`.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from connectors.delivery.http.bars_query import MAX_ROWS
from connectors.delivery.http.catalog import Symbol, find_symbol
from connectors.delivery.http.deps import HttpDeps
from connectors.delivery.http.parameters import Offer, Parameter, always, parse_query, read_text, read_whole, shown
from connectors.delivery.http.responses import Answer, json_answer, respond
from connectors.delivery.store.reader import StoreReader
from connectors.delivery.udf.answers import UdfError
from connectors.delivery.udf.history import HistoryQuery, history_json
from connectors.delivery.udf.symbols import Plot, frame_of, parse_plot, plots_of, udf_config, udf_found, udf_symbol
from connectors.errors import BadQuery

_encode = msgspec.json.Encoder().encode

_SECONDS = re.compile(r"-?[0-9]{1,12}")
_MAX_COUNT = 1_000_000
NAME_SCHEMA = {"type": "string", "maxLength": 140, "examples": ["AAPL", "AAPL#RSI", "AAPL#MACD.signal"]}
_SECONDS_SCHEMA = {"type": "integer", "minimum": -(10**12) + 1, "maximum": 10**12 - 1}


def _read_seconds(text: str, _: Offer) -> int:
    if not _SECONDS.fullmatch(text):
        raise ValueError(f"expected seconds since the epoch, not {shown(text)}")
    return int(text)


SYMBOL = Parameter("symbol", read_text(140), "A symbol, or one value of an indicator of it.", always(NAME_SCHEMA), required=True)
SEARCH_PARAMETERS = (
    Parameter(
        "query",
        read_text(140),
        "Part of a name; with a `#` in it, of an indicator's value: `AAPL#R`.",
        always({"type": "string", "maxLength": 140, "default": ""}),
        default="",
    ),
    Parameter("type", read_text(40), "`stock` or `index`; any when empty.", always({"type": "string", "maxLength": 40}), default=""),
    Parameter("exchange", read_text(40), "Not looked at: there is one.", always({"type": "string", "maxLength": 40}), default=""),
    Parameter("limit", read_whole(1, 1_000), "At most.", always({"type": "integer", "minimum": 1, "maximum": 1_000}), default=30),
)
HISTORY_PARAMETERS = (
    SYMBOL,
    Parameter(
        "resolution",
        read_text(8),
        "Minutes, or `1D`.",
        always({"type": "string", "maxLength": 8, "examples": ["1", "60", "1D"]}),
        required=True,
    ),
    Parameter("from", _read_seconds, "Bars that start at this second or later.", always(_SECONDS_SCHEMA), required=True),
    Parameter("to", _read_seconds, "Bars that start before this second.", always(_SECONDS_SCHEMA), required=True),
    Parameter(
        "countback",
        read_whole(1, _MAX_COUNT),
        "The last so many bars before `to`, whatever `from` is; at most 10,000 come.",
        always({"type": "integer", "minimum": 1, "maximum": _MAX_COUNT}),
    ),
)


class UdfRoutes:
    """The protocol's routes, with what they answer from."""

    def __init__(self, deps: HttpDeps) -> None:
        self._deps = deps
        self._kept = deps.cache_control()
        self._config = json_answer(udf_config(deps.frames), self._kept)

    def routes(self) -> list[web.RouteDef]:
        """To be mounted."""
        by_name: dict[str, Callable[[web.Request], Awaitable[Answer]]] = {
            "config": self._say_config,
            "symbols": self._say_symbol,
            "search": self._search,
            "history": self._history,
        }
        return [*(web.get(f"/udf/{name}", _answering(answer)) for name, answer in by_name.items()), web.get("/udf/time", self.time)]

    async def time(self, _: web.Request) -> web.Response:
        """The clock, in seconds since the epoch, as plain text."""
        return web.Response(text=str(self._deps.now_ms() // 1_000), headers={"Cache-Control": "no-store"})

    async def _say_config(self, _: web.Request) -> Answer:
        return self._config

    async def _say_symbol(self, request: web.Request) -> Answer:
        plot = self._plot(self._values(request, (SYMBOL,))["symbol"])
        symbol = await self._deps.reading.ask(lambda reader: _find(reader, plot.stock_id))
        return json_answer(udf_symbol(plot, symbol, self._deps.frames), self._kept)

    async def _search(self, request: web.Request) -> Answer:
        values = self._values(request, SEARCH_PARAMETERS)
        query, limit, kind = values["query"], values["limit"], values["type"]
        stock_id, is_indicator, value = query.partition("#")
        found, _ = await self._deps.reading.ask(lambda reader: reader.symbols(stock_id, limit))
        plots = (plot for each in found for plot in plots_of(each.stock_id, self._deps.indicators if is_indicator else ()))
        matching = (plot for plot in plots if not is_indicator or plot.is_value_like(value))
        entries = (udf_found(plot) for plot in matching)
        return json_answer([entry for entry in entries if kind in ("", entry.type)][:limit], self._kept)

    async def _history(self, request: web.Request) -> Answer:
        values = self._values(request, HISTORY_PARAMETERS)
        plot, frame = self._plot(values["symbol"]), frame_of(values["resolution"], self._deps.frames)
        if frame is None:
            raise BadQuery("bad_resolution", "resolution", f"{shown(values['resolution'])} is not served")
        count = values["countback"]
        query = HistoryQuery(
            plot, frame.label, max(values["from"], 0), max(values["to"], 0), None if count is None else min(count, MAX_ROWS)
        )
        forming = self._deps.hub.forming(query.series)

        def made(reader: StoreReader) -> Answer:
            _find(reader, plot.stock_id)
            return Answer(history_json(reader, query, forming), "application/json", self._kept)

        return await self._deps.reading.ask(made)

    def _values(self, request: web.Request, parameters: tuple[Parameter, ...]) -> dict[str, Any]:
        known = {each.name for each in parameters}
        return parse_query({name: text for name, text in request.query.items() if name in known}.items(), parameters, self._deps.offer)

    def _plot(self, name: str) -> Plot:
        plot = parse_plot(name, self._deps.indicators)
        if plot is None:
            raise _UnknownSymbol
        return plot


class _UnknownSymbol(Exception):
    """There are no bars of it, or no such indicator."""


def _find(reader: StoreReader, stock_id: str) -> Symbol:
    """Raises _UnknownSymbol."""
    symbol = find_symbol(reader, stock_id)
    if symbol is None:
        raise _UnknownSymbol
    return symbol


def _answering(answer: Callable[[web.Request], Awaitable[Answer]]) -> Handler:
    """A route that says what `answer` does, and what is wrong in the protocol's own words; it reads no status."""

    async def route(request: web.Request) -> web.Response:
        try:
            return await respond(request, await answer(request))
        except _UnknownSymbol:
            return _error(200, "unknown_symbol")
        except BadQuery as error:
            return _error(400, str(error))

    return route


def _error(status: int, message: str) -> web.Response:
    body = _encode(UdfError("error", message))
    return web.Response(status=status, body=body, content_type="application/json", headers={"Cache-Control": "no-store"})
