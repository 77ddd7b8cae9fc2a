"""Routes for bars: `/v1/bars` and `/v1/bars/latest`."""

from collections.abc import Iterable
from urllib.parse import urlencode

from aiohttp import web

from connectors.delivery.http.bars_page import Page, is_settled, read_page
from connectors.delivery.http.bars_query import BarsQuery, Format, LatestQuery, page_token, parse_bars_query, parse_latest_query
from connectors.delivery.http.deps import HttpDeps
from connectors.delivery.http.formats import CONTENT_TYPES, bars_csv, bars_json, bars_ndjson, latest_json
from connectors.delivery.http.request_query import Pairs, query_pairs
from connectors.delivery.http.responses import Answer, respond
from connectors.delivery.live.selection import select_indicators
from connectors.delivery.store.reader import StoredBar, StoreReader
from connectors.delivery.store.records import BarRecord, Series


class BarsRoutes:
    """The two routes, with what they answer from."""

    def __init__(self, deps: HttpDeps) -> None:
        self._deps = deps

    def routes(self) -> list[web.RouteDef]:
        """To be mounted."""
        return [web.get("/v1/bars", self.bars), web.get("/v1/bars/latest", self.latest)]

    async def bars(self, request: web.Request) -> web.Response:
        """Bars of some symbols in one time frame; kept until one of their series changes."""
        pairs = query_pairs(request)
        query = parse_bars_query(pairs, self._deps.offer)
        if query.include_forming:
            return await respond(request, await self._answer(query, pairs))
        version = sum(self._deps.changes(Series(symbol, query.frame.label)) for symbol in query.symbols)
        answer = await self._deps.cache.get(("bars", pairs), version, lambda: self._answer(query, pairs))
        return await respond(request, answer)

    async def latest(self, request: web.Request) -> web.Response:
        """The newest bar of each series."""
        query = parse_latest_query(query_pairs(request), self._deps.offer)
        return await respond(request, await self._latest_answer(query))

    async def _answer(self, query: BarsQuery, pairs: Pairs) -> Answer:
        forming = self._forming(query) if query.include_forming else {}
        return await self._deps.reading.ask(lambda reader: self._made(reader, query, pairs, forming))

    def _made(self, reader: StoreReader, query: BarsQuery, pairs: Pairs, forming: dict[str, BarRecord]) -> Answer:
        """In a thread of the reading. Whether it is settled comes first: what is read after that can only be more."""
        settled = self._deps.caught_up() and not query.include_forming
        settled = settled and is_settled(reader, query, self._deps.frames[0].label, self._deps.allowed_lateness_ms)
        page = read_page(reader, query)
        token = None if page.after is None else page_token(query, page.after)
        headers = {} if token is None else {"Link": f'<{_next_url(pairs, token)}>; rel="next"'}
        body = self._body(query, _values(page, query, forming), token)
        return Answer(body, CONTENT_TYPES[query.format], self._deps.cache_control(settled=settled), headers)

    def _body(self, query: BarsQuery, rows: dict[str, list[bytes]], token: str | None) -> bytes:
        labels = query.labels
        if query.format is Format.CSV:
            return bars_csv(rows, [each for each in self._deps.indicators if labels is None or each.label in labels])
        shown = {symbol: [select_indicators(value, labels) for value in values] for symbol, values in rows.items()}
        return bars_ndjson(shown) if query.format is Format.NDJSON else bars_json(shown, token)

    def _forming(self, query: BarsQuery) -> dict[str, BarRecord]:
        found = {symbol: self._deps.hub.forming(Series(symbol, query.frame.label)) for symbol in query.symbols}
        return {symbol: record for symbol, record in found.items() if record is not None and _is_in(query, record.start_ms)}

    async def _latest_answer(self, query: LatestQuery) -> Answer:
        labels = [frame.label for frame in query.frames]
        stored = await self._deps.reading.ask(lambda reader: reader.latest(query.symbols, labels))
        symbols = query.symbols if query.symbols is not None else self._all_symbols(stored, labels if query.include_forming else [])
        every = [Series(symbol, label) for symbol in symbols for label in labels]
        forming = {series: self._deps.hub.forming(series) for series in every} if query.include_forming else {}

        def body() -> bytes:
            rows: dict[str, dict[str, bytes]] = {symbol: {} for symbol in symbols}
            for series in every:
                newest = _newer(forming.get(series), stored.get(series))
                if newest is not None:
                    rows[series.stock_id][series.time_frame] = select_indicators(newest.value, query.labels)
            return latest_json(rows)

        return Answer(await self._deps.reading.ask(lambda _: body()), CONTENT_TYPES[Format.JSON], self._deps.cache_control())

    def _all_symbols(self, stored: Iterable[Series], forming_in: Iterable[str]) -> list[str]:
        """Those with stored bars, and in these time frames those that have only begun."""
        begun = {series.stock_id for label in forming_in for series in self._deps.hub.market.known(label)}
        return sorted(begun | {series.stock_id for series in stored})


def _next_url(pairs: Pairs, token: str) -> str:
    kept = [(name, text) for name, text in pairs if name != "page_token"]
    return "/v1/bars?" + urlencode([*kept, ("page_token", token)], safe=",:")


def _is_in(query: BarsQuery, start_ms: int) -> bool:
    return (query.start_ms is None or query.start_ms <= start_ms) and (query.end_ms is None or start_ms < query.end_ms)


def _newer(forming: BarRecord | None, final: StoredBar | None) -> BarRecord | StoredBar | None:
    """What is known last of a series. The store may have a bar's final before the hub takes its forming record away."""
    return forming if forming is not None and (final is None or forming.start_ms > final.start_ms) else final


def _values(page: Page, query: BarsQuery, forming: dict[str, BarRecord]) -> dict[str, list[bytes]]:
    """Records by symbol; those that are forming, each the newest of its symbol, on the page where the newest bars are."""
    rows = {symbol: [bar.value for bar in bars] for symbol, bars in page.rows.items()}
    has_newest = query.after is None if query.newest_first else page.after is None
    for symbol, record in forming.items() if has_newest else ():
        if _newer(record, max(page.rows[symbol], default=None)) is record:
            rows[symbol].insert(0 if query.newest_first else len(rows[symbol]), record.value)
    return rows
