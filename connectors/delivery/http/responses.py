"""Answers as they leave: ETag and 304, gzip, how long they may be kept; and those kept here while nothing they read has changed."""

import asyncio
import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha1

import msgspec
from aiohttp import web

from connectors.delivery.http.request_query import Pairs

REVALIDATE = "no-cache"
"""It may be kept, and is asked for with `If-None-Match` before it is shown again."""
SETTLED = "max-age=86400, immutable"
"""No tick can change it; a job that begins anew can, so it is not kept for ever."""
MAX_KEPT_BYTES = 64 * 2**20
_GZIP_FROM = 1_024
"""Bytes; below that it saves nothing."""
_GZIP_LEVEL = 1
_HEADER_GZIP = 31
"""zlib's window of 32 KiB, with gzip's header."""


@dataclass(slots=True)
class Answer:
    """The body of a response with what belongs to it, gzip made at first use."""

    body: bytes
    content_type: str
    cache_control: str = REVALIDATE
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    gzipped: bytes | None = None

    def __post_init__(self) -> None:
        """A weak tag: gzip or not, it is the same answer. SHA-1 is the quickest that processors have built in."""
        self.etag = f'W/"{sha1(self.body, usedforsecurity=False).hexdigest()[:24]}"'

    @property
    def size(self) -> int:
        """Bytes that it takes here, more or less."""
        return len(self.body) * 5 // 4 + sum(map(len, self.headers.values())) + 1_024


Made = asyncio.Future[Answer]
Asked = tuple[str, Pairs]
"""What is asked, and how."""


class AnswerCache:
    """Answers by what was asked and version, the longest unused dropped first; of one that is being made there is only one."""

    def __init__(self, max_bytes: int = MAX_KEPT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._sizes: dict[Asked, int] = {}
        self._kept: OrderedDict[Asked, tuple[int, Made]] = OrderedDict()

    async def get(self, asked: Asked, version: int, make: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer to `asked`, made anew unless it was for the same `version`. Raises whatever `make` does."""
        kept = self._kept.get(asked)
        if kept is not None and kept[0] == version:
            self._kept.move_to_end(asked)
            return kept[1].result() if kept[1].done() else await asyncio.shield(kept[1])
        self._drop(asked)
        made: Made = asyncio.ensure_future(make())
        self._kept[asked] = version, made
        made.add_done_callback(lambda _: self._settle(asked, made))
        return await asyncio.shield(made)

    def _settle(self, asked: Asked, made: Made) -> None:
        failed = made.cancelled() or made.exception() is not None
        if self._kept.get(asked, (0, None))[1] is not made:
            return
        if failed:
            del self._kept[asked]
            return
        self._sizes[asked] = made.result().size + _length(asked)
        self._bytes += self._sizes[asked]
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, asked: Asked) -> None:
        self._kept.pop(asked, None)
        self._bytes -= self._sizes.pop(asked, 0)


async def respond(request: web.Request, answer: Answer) -> web.Response:
    """`answer` as `request` wants it: not at all if it has it already, compressed if it takes that."""
    headers = {"ETag": answer.etag, "Cache-Control": answer.cache_control, "Vary": "Accept-Encoding", **answer.headers}
    if _has_it(request, answer):
        return web.Response(status=304, headers=headers)
    if len(answer.body) < _GZIP_FROM or not _takes_gzip(request.headers.get("Accept-Encoding", "")):
        return web.Response(body=answer.body, content_type=answer.content_type, headers=headers)
    if answer.gzipped is None:
        answer.gzipped = await asyncio.to_thread(_gzip, answer.body)
    return web.Response(body=answer.gzipped, content_type=answer.content_type, headers={**headers, "Content-Encoding": "gzip"})


def json_answer(value: object, cache_control: str = REVALIDATE) -> Answer:
    """The answer that `value`, a msgspec Struct or plain data, is as JSON."""
    return Answer(msgspec.json.encode(value), "application/json", cache_control)


def _length(asked: Asked) -> int:
    name, pairs = asked
    return len(name) + sum(len(parameter) + len(text) for parameter, text in pairs)


def _has_it(request: web.Request, answer: Answer) -> bool:
    if "If-None-Match" not in request.headers:
        return False
    own = answer.etag.removeprefix('W/"').removesuffix('"')
    return any(tag.value in (own, "*") for tag in request.if_none_match or ())


def _takes_gzip(accepted: str) -> bool:
    for coding in accepted.lower().split(","):
        name, _, parameters = coding.partition(";")
        if name.strip() in ("gzip", "*"):
            return parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _HEADER_GZIP)
    return packer.compress(body) + packer.flush()
