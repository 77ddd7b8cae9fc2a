"""The routes of the page: its own files and the chart library that set-up copied, held in memory, each with its type and ETag."""

import gzip
import hashlib
from pathlib import Path
from typing import NamedTuple

from aiohttp import web

STYLE_HASH = "'sha256-3pRED1tOXas1FXFoPb9TGCjmYe9XQsmO9OV23khV2nY='"
"""The Content-Security-Policy source of the one style element that the chart library makes, for its logo."""
LIBRARY = "lightweight-charts.standalone.production.mjs"
NOTICES = ("LICENSE", "NOTICE")
_FOLDER = Path(__file__).parent / "page"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    "": "text/plain; charset=utf-8",
}
_REVALIDATE = "no-cache"
"""Browsers keep the files and ask each time whether they are still these: a new version is seen at once."""


class PageFile(NamedTuple):
    """One file as it is sent: `packed` is the gzipped form of `body`."""

    content_type: str
    body: bytes
    packed: bytes
    etag: str

    @classmethod
    def read(cls, file: Path) -> "PageFile":
        """The file as it is now; its suffix, which must be a known one, says its type."""
        body = file.read_bytes()
        return cls(_TYPES[file.suffix], body, gzip.compress(body, mtime=0), hashlib.sha256(body).hexdigest()[:32])


def page_routes(assets: Path) -> list[web.RouteDef]:
    """`/`, `/page/...` and `/assets/...`: whatever is in the page's folder, and of `assets` the library with its notices.

    A path is looked up among the files found now, so none leads out of the folders. Without the library `/assets` answers 404, and
    the page says what is missing.
    """
    own = {
        file.relative_to(_FOLDER).as_posix(): PageFile.read(file) for file in _FOLDER.rglob("*") if file.suffix in _TYPES and file.is_file()
    }
    library = {name: PageFile.read(assets / name) for name in (LIBRARY, *NOTICES) if (assets / name).is_file()}

    async def index(request: web.Request) -> web.Response:
        return _answer(request, own["index.html"])

    async def page(request: web.Request) -> web.Response:
        return _answer(request, own.get(request.match_info["path"]))

    async def asset(request: web.Request) -> web.Response:
        return _answer(request, library.get(request.match_info["path"]))

    return [web.get("/", index), web.get("/page/{path:.+}", page), web.get("/assets/{path:.+}", asset)]


def _answer(request: web.Request, file: PageFile | None) -> web.Response:
    """The file, packed for those who take it packed; 304 for those who have it."""
    if file is None:
        raise web.HTTPNotFound(text="there is no such file\n")
    packed = "gzip" in request.headers.get("Accept-Encoding", "")
    etag = f"{file.etag}-gzip" if packed else file.etag
    headers = {"ETag": f'"{etag}"', "Cache-Control": _REVALIDATE, "Vary": "Accept-Encoding"}
    if any(tag.value in (etag, "*") for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = file.content_type
    if packed:
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=file.packed if packed else file.body, headers=headers)
