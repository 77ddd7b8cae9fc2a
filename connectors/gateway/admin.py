"""The admin port: `/metrics` for Prometheus, `/healthz` for whoever restarts the process, `/readyz` for whoever sends clients."""

import asyncio
import ssl

from aiohttp import web

from connectors.errors import ConnectorError
from connectors.gateway.metrics import prometheus_text
from connectors.gateway.service import Gateway
from connectors.keys import KeyRing, Scope
from connectors.prometheus import CONTENT_TYPE

REACH_S = 2.0
"""How long Kafka may take to answer before the gateway counts as not ready."""
_GATEWAY = web.AppKey("gateway", Gateway)
_RING = web.AppKey("ring", KeyRing)
_BEARER = "Bearer "


async def serve_admin(
    gateway: Gateway, host: str, port: int, *, tls: ssl.SSLContext | None = None, ring: KeyRing | None = None
) -> web.AppRunner:
    """Serve the admin port; `cleanup` of what is returned ends it. Raises OSError.

    With `ring`, metrics are for keys of the scope `read` or `admin`; whether it lives and is ready may anybody ask.
    """
    app = web.Application()
    app[_GATEWAY] = gateway
    if ring is not None:
        app[_RING] = ring
    app.add_routes([web.get("/metrics", _metrics), web.get("/healthz", _healthz), web.get("/readyz", _readyz)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port, ssl_context=tls).start()
    return runner


async def _metrics(request: web.Request) -> web.Response:
    ring, gateway = request.app.get(_RING), request.app[_GATEWAY]
    if ring is not None and not _may_read(ring, request.headers.get("Authorization", "")):
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"}, text="a key with the scope read is needed\n")
    text = prometheus_text(gateway.metrics, gateway.gauges())
    return web.Response(text=text, headers={"Content-Type": CONTENT_TYPE})


def _may_read(ring: KeyRing, authorization: str) -> bool:
    ring.refresh()
    return authorization.startswith(_BEARER) and ring.find(authorization.removeprefix(_BEARER), Scope.READ, Scope.ADMIN) is not None


async def _healthz(request: web.Request) -> web.Response:
    """That the event loop answers is what this says; a broker away is no reason to restart a gateway."""
    failed = request.app[_GATEWAY].failed.done()
    return web.json_response({"status": "failed" if failed else "ok"}, status=503 if failed else 200)


async def _readyz(request: web.Request) -> web.Response:
    why = await _why_not_ready(request.app[_GATEWAY])
    return web.json_response({"ready": not why, "why": why}, status=503 if why else 200)


async def _why_not_ready(gateway: Gateway) -> list[str]:
    if gateway.stopping:
        return ["stopping"]
    if gateway.paused:
        return ["kafka does not keep up"]
    try:
        await asyncio.to_thread(gateway.publisher.reach, REACH_S)
    except ConnectorError as error:
        return [str(error)]
    return []
