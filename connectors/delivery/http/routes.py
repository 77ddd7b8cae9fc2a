"""The HTTP routes of a delivery: bars, what there is to ask for, the stream of events, TradingView's protocol, descriptions."""

from aiohttp import web

from connectors.delivery.http.bars import BarsRoutes
from connectors.delivery.http.catalog import SYMBOLS_PARAMETERS, find_symbols, indicators_answer, symbols_answer, time_frames_answer
from connectors.delivery.http.deps import HttpDeps
from connectors.delivery.http.descriptions import description_routes
from connectors.delivery.http.parameters import parse_query
from connectors.delivery.http.request_query import query_pairs
from connectors.delivery.http.responses import Answer, json_answer, respond
from connectors.delivery.http.sse import stream_routes
from connectors.delivery.udf.routes import UdfRoutes


def http_routes(deps: HttpDeps) -> list[web.RouteDef]:
    """Every route but the WebSocket's, the page's and those about the process itself."""
    return [
        *BarsRoutes(deps).routes(),
        *CatalogRoutes(deps).routes(),
        *stream_routes(deps.hub, deps.offer),
        *UdfRoutes(deps).routes(),
        *description_routes(deps),
    ]


class CatalogRoutes:
    """Symbols, indicators and time frames."""

    def __init__(self, deps: HttpDeps) -> None:
        self._deps = deps
        self._indicators = json_answer(indicators_answer(deps.indicators), deps.cache_control())
        self._time_frames = json_answer(time_frames_answer(deps.frames), deps.cache_control())

    def routes(self) -> list[web.RouteDef]:
        """To be mounted."""
        return [
            web.get("/v1/symbols", self.symbols),
            web.get("/v1/indicators", self.indicators),
            web.get("/v1/time-frames", self.time_frames),
        ]

    async def symbols(self, request: web.Request) -> web.Response:
        """Symbols of which there are bars."""
        wanted = parse_query(query_pairs(request), SYMBOLS_PARAMETERS, self._deps.offer)
        kept = self._deps.cache_control()
        answer = await self._deps.reading.ask(lambda reader: json_answer(symbols_answer(*find_symbols(reader, **wanted)), kept))
        return await respond(request, answer)

    async def indicators(self, request: web.Request) -> web.Response:
        """The configured indicators."""
        return await self._fixed(request, self._indicators)

    async def time_frames(self, request: web.Request) -> web.Response:
        """The configured time frames."""
        return await self._fixed(request, self._time_frames)

    async def _fixed(self, request: web.Request, answer: Answer) -> web.Response:
        parse_query(query_pairs(request), (), self._deps.offer)
        return await respond(request, answer)
