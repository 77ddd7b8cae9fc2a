"""Who may ask for what: API keys, log-ins by cookie, and the host names and web origins that are ours."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from connectors.delivery.access.sessions import Attempts, Sessions
from connectors.delivery.http.problems import problem
from connectors.keys import Key, KeyRing, Scope

READERS = (Scope.READ, Scope.ADMIN)
WEBSOCKET = "/v1/ws"
"""A client may come there without a key, and show it in its first message."""
OPEN = frozenset({"/", "/healthz", "/readyz", "/login", "/logout", "/openapi.json", "/asyncapi.json", "/favicon.ico"})
OPEN_FOLDERS = ("/page/", "/assets/", "/schemas/")
"""What is the same for everybody, the log-in form among it."""
ADMIN_ONLY = frozenset({"/v1/dead-letters"})
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="tickloom"'}
_BEARER = "bearer "
_PORT = re.compile(r":[0-9]*$")


@dataclass(frozen=True, slots=True)
class Permit:
    """What somebody may do, for as long as it `holds`: until the key is revoked or the log-in ends."""

    name: str
    """The key's holder."""
    scopes: frozenset[Scope]
    holds: Callable[[], bool] = field(repr=False)


EVERYBODY = Permit("", frozenset(READERS), lambda: True)
"""What anybody may do where no keys are asked for."""


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """What the configuration says of access."""

    cookie: str
    """The cookie's name. Cookies of a host are shared by its ports: each instance has a name of its own."""
    secure: bool = False
    """Whether TLS is spoken: then browsers send the cookie over TLS only."""
    origins: frozenset[str] = frozenset()
    """Foreign web origins that may connect, such as `https://charts.example.org`."""
    hosts: frozenset[str] | None = None
    """The names (in small letters, without a port) by which it may be called; None is any.

    On loopback it keeps out pages that have their own name resolved to it (DNS rebinding)."""
    query_token: bool = False
    """Whether `?token=` may hold a key."""


class Access:
    """Judges requests. `ring` None lets everybody in."""

    def __init__(self, ring: KeyRing | None, settings: AccessSettings, now_s: Callable[[], float]) -> None:
        self.settings = settings
        self.sessions = Sessions()
        self.attempts = Attempts()
        self.now_s = now_s
        self._ring = ring

    @property
    def needs_key(self) -> bool:
        """Whether keys are asked for."""
        return self._ring is not None

    def by_key(self, text: str | None) -> Permit | None:
        """The permit of the key `text`; None when it is no key that may read. A key just made is known at once."""
        if self._ring is None:
            return EVERYBODY
        ring = self._ring
        key = ring.find(text, *READERS) or (self.key(text) if text else None)
        return None if key is None else Permit(key.name, frozenset(key.scopes), lambda: ring.has(key.id, *READERS))

    def key(self, text: str | None) -> Key | None:
        """The key that `text` is, if it may read, by what the file says right now."""
        if self._ring is None:
            return None
        self._ring.refresh()
        return self._ring.find(text, *READERS)

    def of(self, request: web.Request) -> Permit | None:
        """The permit of whoever asks: by the header, else the cookie, else (where that is allowed) the query's token."""
        if self._ring is None:
            return EVERYBODY
        authorization = request.headers.get("Authorization")
        if authorization is not None:
            return self.by_key(authorization[len(_BEARER) :].strip()) if authorization.lower().startswith(_BEARER) else None
        if (token := request.cookies.get(self.settings.cookie)) and (permit := self._by_session(self._ring, token)):
            return permit
        return self.by_key(request.query.get("token")) if self.settings.query_token else None

    def is_foreign(self, request: web.Request) -> bool:
        """Whether a page of another origin asks, one that is not listed."""
        origin = request.headers.get("Origin")
        return origin is not None and not self.is_listed(origin) and origin.partition("://")[2].lower() != request.host.lower()

    def is_listed(self, origin: str) -> bool:
        """Whether pages of this foreign origin may connect."""
        return origin.lower() in self.settings.origins

    def is_called_by_its_name(self, request: web.Request) -> bool:
        """Whether the request names a host that is ours, or none (no browser does that)."""
        host = request.headers.get("Host")
        return host is None or self.settings.hosts is None or _PORT.sub("", host.lower()) in self.settings.hosts

    def _by_session(self, ring: KeyRing, token: str) -> Permit | None:
        key_id = self.sessions.key_of(token, self.now_s())
        key = None if key_id is None else ring.get(key_id, *READERS)
        if key is None:
            return None
        return Permit(key.name, frozenset(key.scopes), lambda: self._by_session(ring, token) is not None)


_PERMIT = web.RequestKey("permit", Permit)


def permit_of(request: web.Request) -> Permit | None:
    """The permit of a request that came through the guard; None at what is open to anybody, and for a WebSocket client without a key."""
    return request.get(_PERMIT)


def guard(access: Access) -> Middleware:
    """The middleware that lets requests through to their handlers, and answers the others with a problem document."""

    @web.middleware
    async def through(request: web.Request, handler: Handler) -> web.StreamResponse:
        if (refused := _refusal(access, request)) is not None:
            return refused
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return web.Response(status=204)
        if is_open(request.path):
            return await handler(request)
        permit = access.of(request)
        if permit is None and not (request.path == WEBSOCKET and "Authorization" not in request.headers):
            return problem(
                401, "unauthorized", "a key with the scope read is needed: Authorization: Bearer KEY, or log in", headers=CHALLENGE
            )
        if permit is not None and request.path in ADMIN_ONLY and Scope.ADMIN not in permit.scopes:
            return problem(403, "scope", "a key with the scope admin is needed")
        if permit is not None:
            request[_PERMIT] = permit
        return await handler(request)

    return through


def is_open(path: str) -> bool:
    """Whether anybody may ask for `path`. What is not named here needs a key."""
    return path in OPEN or path.startswith(OPEN_FOLDERS)


def _refusal(access: Access, request: web.Request) -> web.Response | None:
    if not access.is_called_by_its_name(request):
        return problem(403, "foreign_host", "this host name is not ours; delivery.advertise or delivery.allowed_origins can name it")
    if access.is_foreign(request):
        return problem(403, "foreign_origin", "pages of this origin may not connect; delivery.allowed_origins can list it")
    return None
