"""What goes wrong over HTTP, as problem documents (RFC 9457) with a stable `code`."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from connectors.delivery.http.parameters import shown
from connectors.errors import BadQuery, StoreUnusable, TooBusy

CONTENT_TYPE = "application/problem+json"
RETRY = {"Retry-After": "1"}
CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 500: "internal"}
"""Codes of what aiohttp itself says; any other status is `http_STATUS`."""

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What was wrong with a request. `code` says it to programs and never changes, `detail` says it to people."""

    type: str = "about:blank"
    title: str
    """The status in words, as RFC 9457 wants it of `about:blank`."""
    status: int
    code: str
    detail: str
    parameter: str | msgspec.UnsetType = msgspec.UNSET
    """The query parameter that cannot be taken, when it is one."""


def problem(status: int, code: str, detail: str, *, parameter: str | None = None, headers: Mapping[str, str] | None = None) -> web.Response:
    """A response with the problem document."""
    about = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        parameter=msgspec.UNSET if parameter is None else parameter,
    )
    kept_out = {"Cache-Control": "no-store", **(headers or {})}
    return web.Response(status=status, body=_encode(about), content_type=CONTENT_TYPE, headers=kept_out)


@web.middleware
async def problems_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error of a route behind it leaves as a problem document; what nobody foresaw is logged, and 500."""
    try:
        return await handler(request)
    except BadQuery as error:
        return problem(400, error.code, error.detail, parameter=error.parameter)
    except TooBusy:
        return problem(429, "too_many_requests", "too many requests wait for the store", headers=RETRY)
    except StoreUnusable as error:
        return problem(503, "store_unusable", str(error), headers=RETRY)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _problem_of_aiohttp(request, error)
    except Exception:
        _log.exception("http_failed")
        return problem(500, CODES[500], "the request failed; the log says more")


def _problem_of_aiohttp(request: web.Request, error: web.HTTPException) -> web.Response:
    path = shown(request.path)
    details = {404: f"there is nothing at {path}", 405: f"{path} does not take {shown(request.method)}"}
    kept = {name: value for name, value in error.headers.items() if name in ("Allow", "Retry-After", "WWW-Authenticate")}
    code = CODES.get(error.status, f"http_{error.status}")
    return problem(error.status, code, details.get(error.status, error.reason), headers=kept)
