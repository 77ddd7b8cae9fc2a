"""A delivery's HTTP routes on a real socket, over a real store and hub, without Kafka: records are put in by hand."""

import asyncio
import http.client
import json
import logging
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from connectors.delivery.access.access import Access, AccessSettings, guard
from connectors.delivery.http.deps import HttpDeps
from connectors.delivery.http.problems import problems_middleware
from connectors.delivery.http.request_query import LONGEST_LINE
from connectors.delivery.http.routes import http_routes
from connectors.delivery.live.hub import Clock, Hub
from connectors.delivery.live.limits import Limits
from connectors.delivery.live.snapshots import ReadSnapshots
from connectors.delivery.metrics import Metrics
from connectors.delivery.store.reading import MAX_WAITING, Reading
from connectors.delivery.store.records import BarRecord
from connectors.delivery.store.store import Store
from connectors.topics import Topics
from udfs.frames import parse_frames
from udfs.indicators.descriptions import describe

T = TypeVar("T")

TIMEOUT_S = 20
NOW_MS = 1_795_400_000_000
FRAMES = parse_frames(["1min", "5min", "1hour", "1day"])
INDICATORS = describe({"RSI": "rsi(14)", "MACD": "macd(12,26,9)", "MovingAverage": "sma(20)"})
LATENESS_MS = 900_000


@dataclass(frozen=True)
class Answered:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of a problem document, which it must be."""
        assert self.headers["Content-Type"] == "application/problem+json"
        assert self.json["status"] == self.status
        return self.json["code"]


class Served:
    """The store's writer is whoever calls `take`."""

    def __init__(self, store: Store, hub: Hub, loop: asyncio.AbstractEventLoop, port: int, deps: HttpDeps) -> None:
        self.store, self.hub, self.port, self.deps = store, hub, port, deps
        self._loop = loop
        self._offset = 0

    def take(self, *records: BarRecord) -> None:
        """Finals and revisions, as the intake hands them over: each at the next offset."""
        placed = [record._replace(offset=self._offset + place) for place, record in enumerate(records)]
        self._offset += len(records)
        newer = self.store.apply(placed, {0: self._offset})
        self.call(self.hub.take_results, newer)

    def take_forming(self, *records: BarRecord) -> None:
        self.call(self.hub.take_forming, list(records))

    def call(self, function: Any, *arguments: Any) -> Any:
        """Call it in the loop."""

        async def called() -> Any:
            return function(*arguments)

        return self.run(called())

    def run(self, wanted: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(wanted, self._loop).result(TIMEOUT_S)

    def get(self, path: str, **headers: str) -> Answered:
        return self.ask("GET", path, **headers)

    def ask(self, method: str, path: str, **headers: str) -> Answered:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return Answered(response.status, response.headers, response.read())
        finally:
            connection.close()


@contextmanager
def served(folder: Path, *, limits: Limits | None = None, max_waiting: int = MAX_WAITING, with_keys: bool = False) -> Iterator[Served]:
    """Until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    store = Store(folder / "store.sqlite", bars_kept=10_000)
    reading = Reading(store.reader, max_waiting=max_waiting)
    hub = Hub(
        "t1", limits or Limits(), ReadSnapshots(reading, loop, logging.getLogger(__name__)), Clock(loop.time, lambda: NOW_MS), Metrics()
    )
    deps = HttpDeps(
        reading=reading,
        changes=store.changes,
        hub=hub,
        caught_up=lambda: True,
        frames=FRAMES,
        indicators=INDICATORS,
        allowed_lateness_ms=LATENESS_MS,
        now_ms=lambda: NOW_MS,
        version="0.0",
        topics=Topics("x."),
        with_keys=with_keys,
    )

    async def start() -> web.AppRunner:
        app = web.Application(middlewares=[problems_middleware, guard(Access(None, AccessSettings("session"), loop.time))])
        app.add_routes(http_routes(deps))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1, max_line_size=LONGEST_LINE)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = asyncio.run_coroutine_threadsafe(start(), loop).result(TIMEOUT_S)
    one = Served(store, hub, loop, runner.addresses[0][1], deps)
    try:
        yield one
    finally:
        one.call(hub.stop)
        one.run(runner.cleanup())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(TIMEOUT_S)
        loop.close()
        reading.close()
        store.close()
