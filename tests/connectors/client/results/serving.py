"""The delivery's own hub, store and WebSocket in a thread, without Kafka: the test says what was published."""

import asyncio
import itertools
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import orjson
import structlog
import uvloop
from aiohttp import web

from connectors.delivery.access.access import Access, AccessSettings, guard
from connectors.delivery.intake.handover import SLICE, Handover
from connectors.delivery.live.hub import Clock, Hub
from connectors.delivery.live.limits import Limits
from connectors.delivery.live.snapshots import ReadSnapshots
from connectors.delivery.live.ws import ws_routes
from connectors.delivery.metrics import Metrics
from connectors.delivery.store.reading import Reading
from connectors.delivery.store.records import BarRecord, read_record
from connectors.delivery.store.store import Store
from connectors.keys import KeyRing
from tests.connectors.gateway.running import now_ms

T = TypeVar("T")
TIMEOUT_S = 20.0


class Serving:
    """A delivery at `address`; what is published is in its store, and on its way to clients, when `publish` returns."""

    def __init__(self, loop: asyncio.AbstractEventLoop, hub: Hub, store: Store, address: str) -> None:
        self._loop, self._hub, self._store, self.address = loop, hub, store, address
        self._offsets = itertools.count()

    def publish(self, *records: dict[str, Any]) -> None:
        read = [read_record(orjson.dumps(record), 0, next(self._offsets)) for record in records]
        finals = [record for record in read if record.status != "forming"]
        if finals:
            won = self._store.apply(finals, {0: finals[-1].offset + 1})
            self.ask(lambda hub: hub.take_results(won))
        self.ask(lambda hub: hub.take_forming([record for record in read if record.status == "forming"]))

    def hand_over(self, records: list[BarRecord]) -> None:
        """To clients alone, as the intake hands over one batch; all of it is taken when this returns."""
        handover = Handover(self._loop, self._hub.take_results, slice_size=SLICE)
        handover(records)
        self.ask(lambda hub: None)

    def ask(self, question: Callable[[Hub], T]) -> T:
        """What `question` says in the delivery's own thread."""

        async def answer() -> T:
            return question(self._hub)

        return in_loop(self._loop, answer())

    def cut_all(self) -> None:
        """Every client's connection breaks."""
        self.ask(lambda hub: [connection._line._transport.abort() for connection in list(hub._connections)])  # type: ignore[attr-defined]

    def forget_all(self) -> None:
        """Nothing is kept of clients that are away."""
        self.ask(lambda hub: [hub.forget(session) for session in list(hub._sessions.values())])


@contextmanager
def serving(
    folder: Path, *, ring: KeyRing | None = None, limits: Limits | None = None, port: int = 0, tls: ssl.SSLContext | None = None
) -> Iterator[Serving]:
    """A delivery until the block ends."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    store = Store(folder / "store.sqlite", 10_000)
    reading = Reading(store.reader)

    async def start() -> tuple[Hub, web.AppRunner, asyncio.Task[None]]:
        snapshots = ReadSnapshots(reading, loop, structlog.get_logger())
        hub = Hub("d1", limits or Limits(heartbeat_interval_s=0.2), snapshots, Clock(loop.time, now_ms), Metrics())
        hub.remember(await reading.ask(lambda reader: reader.latest()))
        access = Access(ring, AccessSettings("session"), loop.time)
        app = web.Application(middlewares=[guard(access)])
        app.add_routes(ws_routes(hub, access))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
        return hub, runner, loop.create_task(beat(hub))

    async def stop() -> None:
        beating.cancel()
        hub.stop()
        await runner.cleanup()

    try:
        hub, runner, beating = in_loop(loop, start())
        try:
            yield Serving(loop, hub, store, "{}:{}".format(*runner.addresses[0]))
        finally:
            in_loop(loop, stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        reading.close()
        store.close()


async def beat(hub: Hub) -> None:
    while True:
        await asyncio.sleep(hub.limits.heartbeat_interval_s)
        hub.beat()


def in_loop(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result(TIMEOUT_S)
