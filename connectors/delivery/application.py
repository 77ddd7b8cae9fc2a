"""The aiohttp application: every route of a delivery, and what surrounds each of them."""

from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from connectors.delivery.access.access import WEBSOCKET, guard
from connectors.delivery.access.headers import headers_of
from connectors.delivery.access.login import login_routes
from connectors.delivery.http.problems import problems_middleware
from connectors.delivery.http.routes import http_routes
from connectors.delivery.live.ws import ws_routes
from connectors.delivery.metrics import prometheus_text
from connectors.delivery.page import page_routes
from connectors.delivery.pipeline.answers import HealthAnswer, ReadyAnswer
from connectors.delivery.pipeline.pipeline import pipeline_routes
from connectors.delivery.service import Delivery
from connectors.prometheus import CONTENT_TYPE

MOST_BYTES_IN = 64 * 1024
"""Nobody has more to say over HTTP than the log-in form."""
STREAM = "/v1/stream"
_encode = msgspec.json.Encoder().encode


def application(delivery: Delivery, log: Any) -> web.Application:
    """Everything that `delivery` serves. Whatever is asked is counted, judged, and answered with our headers."""
    access, metrics = delivery.access, delivery.metrics
    app = web.Application(middlewares=[_count(delivery), problems_middleware, guard(access)], client_max_size=MOST_BYTES_IN)
    app.on_response_prepare.append(headers_of(access))
    app.add_routes([*_health_routes(delivery), *login_routes(access, metrics, log), *page_routes(delivery.settings.assets)])
    app.add_routes(pipeline_routes(delivery.pipeline, delivery.standing.status))
    app.add_routes(http_routes(delivery.http_deps()))
    app.add_routes(ws_routes(delivery.hub, access, compression=delivery.settings.compression))
    return app


def _count(delivery: Delivery) -> Middleware:
    """Counts answers by route and status, and how long they took; what stays open is counted when it ends."""
    metrics, now_s = delivery.metrics, delivery.now_s

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        begun_s = now_s()
        response = await handler(request)
        resource = request.match_info.route.resource
        route = "none" if resource is None else resource.canonical
        metrics.requests[route, str(response.status)] += 1
        if route not in (WEBSOCKET, STREAM):
            metrics.request_time.observe(now_s() - begun_s, 1)
        return response

    return count


def _health_routes(delivery: Delivery) -> list[web.RouteDef]:
    async def metrics(request: web.Request) -> web.Response:
        text = prometheus_text(delivery.metrics, delivery.standing.taken(), delivery.standing.gauges())
        return web.Response(text=text, headers={"Content-Type": CONTENT_TYPE})

    async def healthz(request: web.Request) -> web.Response:
        """That the event loop answers is what this says; a broker away is no reason to restart a delivery."""
        return _answer(HealthAnswer(status="ok"), 200)

    async def readyz(request: web.Request) -> web.Response:
        why = delivery.standing.why_not_ready()
        return _answer(ReadyAnswer(ready=not why, why=why), 503 if why else 200)

    return [web.get("/metrics", metrics), web.get("/healthz", healthz), web.get("/readyz", readyz)]


def _answer(said: msgspec.Struct, status: int) -> web.Response:
    return web.Response(body=_encode(said), status=status, content_type="application/json", headers={"Cache-Control": "no-store"})
