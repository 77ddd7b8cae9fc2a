"""The admin port: `/metrics` for Prometheus, `/healthz` for whoever restarts the process, `/readyz` for whoever sends clients."""

import asyncio

from aiohttp import web

from connectors.errors import ConnectorError
from connectors.gateway.metrics import prometheus_text
from connectors.gateway.service import Gateway

REACH_S = 2.0
"""How long Kafka may take to answer before the gateway counts as not ready."""
_GATEWAY = web.AppKey("gateway", Gateway)


async def serve_admin(gateway: Gateway, host: str, port: int) -> web.AppRunner:
    """Serve the admin port; `cleanup` of what is returned ends it. Raises OSError."""
    app = web.Application()
    app[_GATEWAY] = gateway
    app.add_routes([web.get("/metrics", _metrics), web.get("/healthz", _healthz), web.get("/readyz", _readyz)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner


async def _metrics(request: web.Request) -> web.Response:
    gateway = request.app[_GATEWAY]
    text = prometheus_text(gateway.metrics, gateway.gauges())
    return web.Response(text=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


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
