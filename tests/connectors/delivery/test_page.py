"""The page's files over HTTP: right types, tags that save bytes, and no way out of their folders."""

import asyncio
import gzip
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from connectors.delivery.page import LIBRARY, page_routes
from tests.docs.markdown import ROOT

PAGE = ROOT / "connectors" / "delivery" / "page"
T = TypeVar("T")
Ask = Callable[[TestClient[web.Request, web.Application]], Awaitable[T]]


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    folder = tmp_path / "assets"
    folder.mkdir()
    (folder / LIBRARY).write_text("export const version = 5;\n")
    (folder / "LICENSE").write_text("Apache License\n")
    (folder / "secret.txt").write_text("not for you")
    return folder


def serve(assets: Path, ask: "Ask[T]") -> T:
    async def run() -> T:
        app = web.Application()
        app.add_routes(page_routes(assets))
        async with TestClient(TestServer(app), auto_decompress=False) as client:
            return await ask(client)

    return asyncio.run(run())


def test_every_file_comes_with_its_type(assets: Path) -> None:
    async def ask(client: TestClient[web.Request, web.Application]) -> dict[str, str]:
        paths = ["/", "/page/js/main.js", "/page/css/tokens.css", "/page/favicon.svg", f"/assets/{LIBRARY}", "/assets/LICENSE"]
        return {path: (await client.get(path)).headers["Content-Type"] for path in paths}

    assert serve(assets, ask) == {
        "/": "text/html; charset=utf-8",
        "/page/js/main.js": "text/javascript; charset=utf-8",
        "/page/css/tokens.css": "text/css; charset=utf-8",
        "/page/favicon.svg": "image/svg+xml",
        f"/assets/{LIBRARY}": "text/javascript; charset=utf-8",
        "/assets/LICENSE": "text/plain; charset=utf-8",
    }


def test_who_has_a_file_is_told_so_and_who_takes_it_packed_gets_it_packed(assets: Path) -> None:
    async def ask(client: TestClient[web.Request, web.Application]) -> tuple[list[int], bytes, list[str | None]]:
        plain = await client.get("/", headers={"Accept-Encoding": "identity"})
        packed = await client.get("/", headers={"Accept-Encoding": "gzip, br"})
        again = await client.get("/", headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]})
        other = await client.get("/", headers={"Accept-Encoding": "gzip", "If-None-Match": '"something-else"'})
        assert gzip.decompress(await packed.read()) == await plain.read()
        tags = [each.headers.get("ETag") for each in (plain, packed, again)]
        return [each.status for each in (plain, packed, again, other)], await again.read(), tags

    statuses, body, tags = serve(assets, ask)
    assert statuses == [200, 200, 304, 200]
    assert body == b""
    assert tags[0] != tags[1] == tags[2]


@pytest.mark.parametrize(
    "path",
    [
        "/page/../page.py", "/page/%2e%2e/page.py", "/page/..%2fpage.py", "/page/js/../../page.py", "/page//etc/passwd", "/page/js",
        "/page/index.htm",
        "/assets/secret.txt", "/assets/../secret.txt", "/assets/%2e%2e%2fsecret.txt", "/assets/.stamp", "/assets/NOTICE",
    ],
)  # fmt: skip
def test_nothing_else_is_to_be_had(assets: Path, path: str) -> None:
    (assets.parent / "secret.txt").write_text("not for you")

    async def ask(client: TestClient[web.Request, web.Application]) -> int:
        reader, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())  # a path as it is: clients tidy it up
        answer = await reader.read()
        writer.close()
        return int(answer.split()[1])

    assert serve(assets, ask) in (400, 404)


def test_without_the_library_the_page_is_there_and_the_library_is_not(tmp_path: Path) -> None:
    async def ask(client: TestClient[web.Request, web.Application]) -> tuple[int, int]:
        return (await client.get("/")).status, (await client.get(f"/assets/{LIBRARY}")).status

    assert serve(tmp_path / "nowhere", ask) == (200, 404)


def test_the_page_refers_to_files_that_are_there_and_to_no_other_origin() -> None:
    html = (PAGE / "index.html").read_text()
    for reference in re.findall(r'(?:src|href)="(page/[^"]+)"', html):
        assert (PAGE / reference.removeprefix("page/")).is_file(), reference
    for module in (PAGE / "js").rglob("*.js"):
        for imported in re.findall(r'^(?:import|export) .*?from "([^"]+)";$', module.read_text(), re.MULTILINE | re.DOTALL):
            assert (module.parent / imported).resolve().is_file(), (module, imported)
    foreign = re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(?:https?:)?//', html)
    assert foreign == []


def test_every_module_is_asked_for_at_once() -> None:
    html = (PAGE / "index.html").read_text()
    modules = {f"page/{file.relative_to(PAGE).as_posix()}" for file in (PAGE / "js").rglob("*.js")}
    assert set(re.findall(r'<(?:link rel="modulepreload" href|script type="module" src)="(page/[^"]+)"', html)) == modules


def test_the_page_carries_no_code_and_no_style_of_its_own_in_its_markup() -> None:
    html = (PAGE / "index.html").read_text()
    assert not re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", html)
    assert re.findall(r"<script[^>]*>[^<]", html) == []


def test_every_label_leads_to_an_element_that_is_there_once() -> None:
    html = (PAGE / "index.html").read_text()
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    used = re.findall(r'\b(?:for|aria-controls|aria-labelledby|aria-describedby)="([^"]+)"', html)
    used += [name for module in (PAGE / "js").rglob("*.js") for name in re.findall(r'byId\("([a-z-]+)"\)', module.read_text())]
    assert set(used) <= set(ids)
