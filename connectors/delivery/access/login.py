"""The log-in by form, and who one is then: `POST /login`, `POST /logout`, `GET /v1/session`."""

from typing import Any

import msgspec
from aiohttp import web

from connectors.delivery.access.access import CHALLENGE, Access, permit_of
from connectors.delivery.access.sessions import SESSION_S
from connectors.delivery.http.parameters import NOTHING_OFFERED, parse_query
from connectors.delivery.http.problems import problem
from connectors.delivery.http.request_query import query_pairs
from connectors.delivery.metrics import Metrics
from connectors.delivery.pipeline.answers import SessionAnswer

_encode = msgspec.json.Encoder().encode
_FORM = "application/x-www-form-urlencoded"
_KEPT_BY_NOBODY = {"Cache-Control": "no-store"}


def login_routes(access: Access, metrics: Metrics, log: Any) -> list[web.RouteDef]:
    """The routes. Keys are never logged: what was tried is told by its address and outcome."""

    async def login(request: web.Request) -> web.Response:
        address, now_s = request.remote or "", access.now_s()
        if wait_s := access.attempts.wait_s(address, now_s):
            metrics.logins["limited"] += 1
            return problem(429, "too_many_attempts", "too many wrong keys; try again later", headers={"Retry-After": str(wait_s)})
        if request.content_type != _FORM:
            return problem(415, "unsupported_media_type", f"a form is expected: {_FORM}")
        given = (await request.post()).get("key")
        key = access.key(given.strip()) if isinstance(given, str) else None
        if key is None and access.needs_key:
            access.attempts.failed(address, now_s)
            metrics.logins["refused"] += 1
            log.warning("login_refused", address=address)
            return problem(401, "unauthorized", "this key is not known, or it may not read", headers=CHALLENGE)
        response = _gone_in(request)
        if key is not None:
            metrics.logins["ok"] += 1
            log.info("login", name=key.name, key_id=key.id, address=address)
            token = access.sessions.open(key.id, now_s)
            _set_cookie(access, response, token, int(SESSION_S))
        return response

    async def logout(request: web.Request) -> web.Response:
        if token := request.cookies.get(access.settings.cookie):
            access.sessions.close(token)
        response = _gone_in(request)
        _set_cookie(access, response, "", 0)
        return response

    async def session(request: web.Request) -> web.Response:
        parse_query(query_pairs(request), (), NOTHING_OFFERED)
        permit = permit_of(request)
        assert permit is not None, "the guard lets nobody through to here without one"
        answer = SessionAnswer(auth="keys" if access.needs_key else "none", name=permit.name, scopes=sorted(permit.scopes))
        return web.Response(body=_encode(answer), content_type="application/json", headers=_KEPT_BY_NOBODY)

    return [web.post("/login", login), web.post("/logout", logout), web.get("/v1/session", session)]


def _gone_in(request: web.Request) -> web.Response:
    """Nothing for a script; the page for a form that the browser itself sent."""
    if "text/html" in request.headers.get("Accept", ""):
        return web.Response(status=303, headers={"Location": "./", **_KEPT_BY_NOBODY})
    return web.Response(status=204, headers=_KEPT_BY_NOBODY)


def _set_cookie(access: Access, response: web.Response, token: str, max_age_s: int) -> None:
    settings = access.settings
    response.set_cookie(settings.cookie, token, max_age=max_age_s, path="/", httponly=True, samesite="Strict", secure=settings.secure)
