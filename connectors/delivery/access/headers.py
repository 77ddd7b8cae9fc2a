"""Headers that every response carries: what a browser may do with it, and which foreign pages may read it."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from connectors.delivery.access.access import Access
from connectors.delivery.page import STYLE_HASH

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' {STYLE_HASH}",
        "img-src 'self'",
        "connect-src 'self'",  # WebSocket of the same origin included
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""The Content-Security-Policy: nothing from elsewhere, nothing inline but the one style of the chart library's logo."""
_ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_FOR_LISTED = {
    "Access-Control-Allow-Methods": "GET",
    "Access-Control-Allow-Headers": "Authorization, If-None-Match, Last-Event-ID",
    "Access-Control-Expose-Headers": "ETag, Link, Retry-After",
    "Access-Control-Max-Age": "600",
}


def headers_of(access: Access) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """What is to be done right before each response is sent (`Application.on_response_prepare`)."""

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(_ALWAYS)
        if not access.settings.origins:
            return
        response.headers.add("Vary", "Origin")
        origin = request.headers.get("Origin", "")
        if access.is_listed(origin):
            response.headers.update({"Access-Control-Allow-Origin": origin, **_FOR_LISTED})

    return add
