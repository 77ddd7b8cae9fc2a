"""Routes that describe the others: `/openapi.json`, `/asyncapi.json` and the JSON Schemas."""

from collections.abc import Callable
from functools import cache

from aiohttp import web
from aiohttp.typedefs import Handler

from connectors.delivery.http.asyncapi import asyncapi_document
from connectors.delivery.http.deps import HttpDeps
from connectors.delivery.http.openapi import openapi_document
from connectors.delivery.http.parameters import parse_query
from connectors.delivery.http.request_query import query_pairs
from connectors.delivery.http.responses import Answer, json_answer, respond
from connectors.delivery.http.schemas import RECORDS, record_schema


def description_routes(deps: HttpDeps) -> list[web.RouteDef]:
    """The routes; each document is made when it is first asked for."""

    @cache
    def openapi() -> Answer:
        return json_answer(openapi_document(deps.version, deps.offer, with_keys=deps.with_keys))

    @cache
    def asyncapi() -> Answer:
        return json_answer(asyncapi_document(deps.version, deps.topics))

    def document(make: Callable[[], Answer]) -> Handler:
        async def route(request: web.Request) -> web.Response:
            parse_query(query_pairs(request), (), deps.offer)
            return await respond(request, make())

        return route

    async def schema(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in RECORDS:
            raise web.HTTPNotFound
        return await document(lambda: _schema(name))(request)  # type: ignore[return-value]

    return [
        web.get("/openapi.json", document(openapi)),
        web.get("/asyncapi.json", document(asyncapi)),
        web.get("/schemas/{name}.json", schema),
    ]


@cache
def _schema(name: str) -> Answer:
    return json_answer(record_schema(name))
