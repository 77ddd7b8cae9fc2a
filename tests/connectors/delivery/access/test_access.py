"""Who may ask for what: by key, by log-in, by origin and by host name; over real requests on an application of its own."""

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
import structlog
from aiohttp import web

from connectors.delivery.access.access import Access, AccessSettings, Permit, guard, is_open, permit_of
from connectors.delivery.access.headers import headers_of
from connectors.delivery.access.login import login_routes
from connectors.delivery.access.sessions import ATTEMPTS, ATTEMPTS_WINDOW_S, MOST_SESSIONS, SESSION_S, Attempts, Sessions
from connectors.delivery.http.problems import problems_middleware
from connectors.delivery.metrics import Metrics
from connectors.keys import KeyRing, Scope, add_key, revoke_keys

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Clock:
    """A clock that goes when it is told."""

    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Site:
    """An application behind the guard, asked by a client of the standard library; `seen` are the permits that handlers were given."""

    def __init__(self, access: Access, port: int, clock: Clock, seen: list[Permit | None], logged: list[dict[str, Any]]) -> None:
        self.access, self.port, self.clock, self.seen, self.logged = access, port, clock, seen, logged

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer: HTTPResponse = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def log_in(self, key: str, **headers: str) -> Answer:
        return self.ask("POST", "/login", urlencode({"key": key}), **FORM, **headers)

    def cookie(self, key: str) -> str:
        """What a browser that has logged in sends."""
        return self.log_in(key).headers["set-cookie"].partition(";")[0]


@contextmanager
def served(ring: KeyRing | None, settings: AccessSettings) -> Iterator[Site]:
    """The guard, the log-in and a few routes, in a thread's event loop."""
    clock, seen, logged = Clock(), list[Permit | None](), list[dict[str, Any]]()
    access = Access(ring, settings, clock)

    async def note(request: web.Request) -> web.Response:
        seen.append(permit_of(request))
        return web.Response(text="here\n")

    def keep(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        logged.append(event)
        raise structlog.DropEvent

    app = web.Application(middlewares=[problems_middleware, guard(access)])
    app.on_response_prepare.append(headers_of(access))
    log = structlog.wrap_logger(structlog.PrintLogger(), processors=[keep])
    app.add_routes(login_routes(access, Metrics(), log))
    app.add_routes([web.get(path, note) for path in ("/", "/metrics", "/v1/bars", "/v1/dead-letters", "/v1/ws", "/page/js/main.js")])
    loop, port = asyncio.new_event_loop(), Future[int]()

    async def serve(ended: asyncio.Event) -> None:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port.set_result(runner.addresses[0][1])
        await ended.wait()
        await runner.cleanup()

    ended = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve(ended)))
    thread.start()
    try:
        yield Site(access, port.result(20), clock, seen, logged)
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


class Keys(NamedTuple):
    file: Path
    read: str
    admin: str
    ingest: str


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    file = tmp_path / "keys.json"
    read, admin, ingest = (add_key(file, f"desk-{scope}", [scope], 0).text for scope in (Scope.READ, Scope.ADMIN, Scope.INGEST))
    return Keys(file, read, admin, ingest)


@pytest.fixture
def site(keys: Keys) -> Iterator[Site]:
    with served(KeyRing(keys.file), AccessSettings("tickloom_d1")) as up:
        yield up


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def code(answer: Answer) -> str:
    """The code of a problem document."""
    assert answer.headers["content-type"].startswith("application/problem+json")
    document = json.loads(answer.body)
    assert document["status"] == answer.status
    said: str = document["code"]
    return said


# Keys --------------------------------------------------------------------------------------------------------------


def test_what_is_not_named_as_open_needs_a_key_that_may_read(site: Site, keys: Keys) -> None:
    for path in ("/v1/bars", "/metrics", "/v1/session", "/no/such/path"):
        for headers in ({}, bearer(keys.ingest), bearer(keys.read[:-1]), {"Authorization": f"Basic {keys.read}"}):
            refused = site.get(path, **headers)
            assert (refused.status, code(refused), refused.headers["www-authenticate"]) == (401, "unauthorized", 'Bearer realm="tickloom"')
    assert site.seen == []
    assert site.get("/v1/bars", **bearer(keys.read)).status == 200
    assert site.get("/v1/bars", Authorization=f"bearer  {keys.admin}").status == 200
    assert [(permit.name, sorted(permit.scopes)) for permit in site.seen if permit] == [("desk-read", ["read"]), ("desk-admin", ["admin"])]


def test_the_page_with_its_log_in_is_open_and_says_nothing_of_anybody(site: Site) -> None:
    for path in ("/", "/page/js/main.js"):
        assert site.get(path).status == 200
    assert site.seen == [None, None]
    assert is_open("/healthz")
    assert is_open("/readyz")
    assert not any(map(is_open, ("/page", "/v1/page/", "/pages/x", "/metrics", "/v1/ws", "/loginx", "//")))


def test_dead_letters_are_for_the_scope_admin(site: Site, keys: Keys) -> None:
    refused = site.get("/v1/dead-letters", **bearer(keys.read))
    assert (refused.status, code(refused)) == (403, "scope")
    assert site.get("/v1/dead-letters", **bearer(keys.admin)).status == 200


def test_a_websocket_client_may_come_without_a_key_and_not_with_a_wrong_one(site: Site, keys: Keys) -> None:
    assert site.get("/v1/ws").status == 200
    assert site.get("/v1/ws", **bearer(keys.read)).status == 200
    assert site.get("/v1/ws", **bearer(keys.ingest)).status == 401
    assert [permit and permit.name for permit in site.seen] == [None, "desk-read"]


def test_a_permit_holds_until_its_key_is_revoked_and_a_new_key_is_known_at_once(keys: Keys) -> None:
    ring = KeyRing(keys.file)
    access = Access(ring, AccessSettings("c"), Clock())
    permit = access.by_key(keys.read)
    assert permit is not None
    assert permit.holds()
    assert keys.read not in repr(permit)
    later = add_key(keys.file, "later", [Scope.READ], 0).text
    assert access.by_key(later) is not None
    revoke_keys(keys.file, "desk-read")
    ring.refresh()
    assert not permit.holds()
    assert access.by_key(keys.read) is None


def test_a_key_in_the_query_counts_only_where_that_is_allowed(site: Site, keys: Keys) -> None:
    path = f"/v1/bars?token={keys.read}"
    assert site.get(path).status == 401
    with served(KeyRing(keys.file), AccessSettings("c", query_token=True)) as lax:
        assert lax.get(path).status == 200
        assert lax.get(path[:-1]).status == 401


def test_without_keys_everybody_may_read_everything() -> None:
    with served(None, AccessSettings("c")) as site:
        assert site.get("/v1/dead-letters").status == 200
        assert site.get("/v1/session").body == b'{"auth":"none","name":"","scopes":["admin","read"]}'
        assert site.log_in("whatever").status == 204


# Log-in ------------------------------------------------------------------------------------------------------------


def test_the_form_gives_a_cookie_that_no_script_and_no_other_site_gets_at(site: Site, keys: Keys) -> None:
    answer = site.log_in(keys.read)
    name, *attributes = [part.strip() for part in answer.headers["set-cookie"].split(";")]
    assert answer.status == 204
    assert {"HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={SESSION_S:.0f}"} <= set(attributes)
    assert keys.read[14:] not in name
    assert site.get("/v1/session", Cookie=name).body == b'{"auth":"keys","name":"desk-read","scopes":["read"]}'
    assert site.get("/v1/dead-letters", Cookie=name).status == 403
    with served(KeyRing(keys.file), AccessSettings("tickloom_d1", secure=True)) as over_tls:
        assert "Secure" in over_tls.log_in(keys.read).headers["set-cookie"]


def test_a_form_sent_by_the_browser_itself_leads_back_to_the_page(site: Site, keys: Keys) -> None:
    answer = site.log_in(keys.read, Accept="text/html,*/*")
    assert (answer.status, answer.headers["location"]) == (303, "./")


def test_a_log_in_ends_by_log_out_with_its_key_and_with_time(site: Site, keys: Keys) -> None:
    first, second, third = (site.cookie(keys.read) for _ in range(3))
    assert site.ask("POST", "/logout", Cookie=first).status == 204
    assert [site.get("/v1/bars", Cookie=each).status for each in (first, second)] == [401, 200]
    site.clock.now_s += SESSION_S
    assert site.get("/v1/bars", Cookie=third).status == 401
    fourth = site.cookie(keys.read)
    assert site.get("/v1/bars", Cookie=fourth).status == 200
    permit = site.seen[-1]
    assert permit is not None
    assert permit.holds()
    revoke_keys(keys.file, "desk-read")
    assert site.log_in(keys.read).status == 401, "which also has the ring look at its file"
    assert site.get("/v1/bars", Cookie=fourth).status == 401
    assert not permit.holds()


def test_wrong_keys_are_counted_by_address_and_no_key_is_logged(site: Site, keys: Keys) -> None:
    wrong = f"{keys.read[:-4]}AAAA"
    assert [site.log_in(wrong).status for _ in range(ATTEMPTS)] == [401] * ATTEMPTS
    limited = site.log_in(keys.read)
    assert (limited.status, code(limited)) == (429, "too_many_attempts")
    assert 0 < int(limited.headers["retry-after"]) <= ATTEMPTS_WINDOW_S
    site.clock.now_s += ATTEMPTS_WINDOW_S
    assert site.log_in(keys.read).status == 204
    assert [entry["event"] for entry in site.logged] == ["login_refused"] * ATTEMPTS + ["login"]
    assert not any(secret[14:] in str(site.logged) for secret in (wrong, keys.read))


@pytest.mark.parametrize("body", ["", "key=", "other=1", "key=%ff%fe", "key=" + "x" * 5_000])
def test_whatever_the_form_holds_a_wrong_one_is_401(site: Site, body: str) -> None:
    assert site.ask("POST", "/login", body, **FORM).status == 401


def test_only_a_form_is_taken_and_a_key_of_another_scope_does_not_log_in(site: Site, keys: Keys) -> None:
    assert site.ask("POST", "/login", '{"key":"x"}', Content_Type="application/json").status == 415
    assert site.log_in(keys.ingest).status == 401


def test_sessions_are_bounded_and_the_oldest_makes_room() -> None:
    sessions = Sessions()
    first = sessions.open("a", 0.0)
    others = [sessions.open("b", 1.0) for _ in range(MOST_SESSIONS - 1)]
    assert sessions.key_of(first, 2.0) == "a"
    newest = sessions.open("c", 2.0)
    assert sessions.key_of(first, 2.0) is None
    assert (sessions.key_of(others[0], 2.0), sessions.key_of(newest, 2.0)) == ("b", "c")
    assert len({first, newest, *others}) == MOST_SESSIONS + 1


def test_attempts_count_in_a_window_that_slides_and_each_address_for_itself() -> None:
    attempts = Attempts()
    for second in range(ATTEMPTS):
        assert attempts.wait_s("a", second) == 0
        attempts.failed("a", second)
    assert attempts.wait_s("a", ATTEMPTS) == ATTEMPTS_WINDOW_S - ATTEMPTS
    assert attempts.wait_s("b", ATTEMPTS) == 0
    assert attempts.wait_s("a", ATTEMPTS_WINDOW_S) == 0


# Origins and hosts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/ws", "/v1/bars", "/", "/login"])
@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1.evil.example", "http://127.0.0.1:1", "//", "http://[::1"]
)
def test_pages_of_another_origin_are_refused_everywhere(path: str, origin: str) -> None:
    with served(None, AccessSettings("c")) as site:
        refused = site.ask("POST" if path == "/login" else "GET", path, Origin=origin)
        assert (refused.status, code(refused)) == (403, "foreign_origin")
        assert "access-control-allow-origin" not in refused.headers
        assert site.get("/v1/bars", Origin=f"http://127.0.0.1:{site.port}").status == 200


def test_a_listed_origin_may_read_and_is_told_so() -> None:
    with served(None, AccessSettings("c", origins=frozenset({"https://charts.example.org"}))) as site:
        answer = site.get("/v1/bars", Origin="https://charts.example.org")
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "https://charts.example.org")
        assert "access-control-allow-credentials" not in answer.headers
        asked = site.ask("OPTIONS", "/v1/bars", Origin="https://charts.example.org", Access_Control_Request_Method="GET")
        assert (asked.status, asked.headers["access-control-allow-methods"]) == (204, "GET")
        assert "Authorization" in asked.headers["access-control-allow-headers"]
        assert site.get("/v1/bars", Origin="https://charts.example.org.evil").status == 403
        assert site.get("/v1/bars").headers["vary"] == "Origin"


def test_on_loopback_a_host_name_that_is_not_ours_is_refused() -> None:
    with served(None, AccessSettings("c", hosts=frozenset({"127.0.0.1", "localhost", "[::1]"}))) as site:
        assert [site.get("/v1/bars", Host=host).status for host in ("localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:80")] == [200] * 4
        for host in ("evil.example", "127.0.0.1.evil.example:8080", "[::2]:80", ""):
            refused = site.get("/v1/bars", Host=host)
            assert (refused.status, code(refused)) == (403, "foreign_host")
    with served(None, AccessSettings("c")) as site:
        assert site.get("/v1/bars", Host="anything.example").status == 200


# Headers -----------------------------------------------------------------------------------------------------------


def test_every_answer_carries_the_policy_problems_included(site: Site, keys: Keys) -> None:
    for answer in (site.get("/"), site.get("/v1/bars"), site.get("/nothing", **bearer(keys.read)), site.log_in(keys.read)):
        policy = dict(directive.split(" ", 1) for directive in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert (answer.headers["x-content-type-options"], answer.headers["referrer-policy"]) == ("nosniff", "no-referrer")
