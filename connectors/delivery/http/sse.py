"""`/v1/stream`: one client's event stream around a `Connection`, as a WebSocket's is; it is subscribed by its query.

An event's `data` is an array of messages as a WebSocket frame has them, its `id` is `CONN:MSG_SEQ` of the last one numbered.
"""

import asyncio
import logging
from contextlib import suppress

from aiohttp import web

from connectors.delivery.access.access import permit_of
from connectors.delivery.http.parameters import Offer
from connectors.delivery.http.problems import problem
from connectors.delivery.http.request_query import query_pairs
from connectors.delivery.http.stream_query import parse_last_event_id, parse_stream_query
from connectors.delivery.live.alarm import Alarm
from connectors.delivery.live.hub import Hub, retry_ms
from connectors.delivery.live.messages import Resume, Subscribe
from connectors.delivery.live.ws import GOODBYE_S, tune_socket

_log = logging.getLogger(__name__)
_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def stream_routes(hub: Hub, offer: Offer) -> list[web.RouteDef]:
    """The route."""

    async def serve(request: web.Request) -> web.StreamResponse:
        wanted = parse_stream_query(query_pairs(request), offer)
        return await Stream(hub, request).serve(wanted, parse_last_event_id(request.headers.get("Last-Event-ID", "")))

    return [web.get("/v1/stream", serve, allow_head=False)]


class Stream:
    """One client; its task writes to it, nobody else waits for it."""

    def __init__(self, hub: Hub, request: web.Request) -> None:
        self._loop = asyncio.get_running_loop()
        self._hub, self._request = hub, request
        self._alarm = Alarm(self._loop)
        self._response = web.StreamResponse(headers=_HEADERS)
        self._writing = False
        self._last_words: asyncio.Task[None] | None = None
        self.connection = hub.connect(self, permit_of(request))

    def wake(self, when_s: float) -> None:
        """There is something to send, or there will be."""
        self._alarm.wake(when_s)
        if self._writing and self.connection.ending is not None and self._last_words is None:
            self._break_off()

    async def serve(self, wanted: Subscribe, since: Resume | None) -> web.StreamResponse:
        """Until the client is gone, or is to go. One too many is not taken."""
        if self.connection.ending is not None:
            return problem(429, "too_many_connections", "there are too many clients, or this one stops", headers={"Retry-After": "5"})
        if since is None or not self.connection.resume(since):
            self.connection.subscribe(wanted)
        if not self.connection.session.subscriptions:
            self.connection.lost(for_good=True)
            most = self._hub.limits.max_snapshot_rows
            return problem(400, "bad_snapshot", f"snapshots of more than {most:,} bars in all", parameter="snapshot")
        self._hub.metrics.streams += 1
        try:
            with suppress(ConnectionError):
                await self._response.prepare(self._request)
                if self._request.transport is not None:
                    tune_socket(self._request.transport)
                await self._response.write(b"retry: %d\n\n" % retry_ms())
                await self._write()
        except Exception:
            _log.exception("stream_failed")
            if self._request.transport is not None:
                self._request.transport.abort()  # it has begun: no problem document can follow
        finally:
            self._alarm.stop()
            self.connection.lost(for_good=False)
        return self._response

    async def _write(self) -> None:
        while True:
            event = self._next_event()
            if event is not None:
                await self._send(event)
            elif self.connection.ending is not None:
                return
            else:
                await self._alarm.rung()

    def _next_event(self) -> bytes | None:
        frame = self.connection.next_frame()
        if frame is None:
            return None
        return b"id: %b:%d\ndata: %b\n\n" % (self.connection.conn.encode(), self.connection.msg_seq, frame)

    async def _send(self, event: bytes) -> None:
        self._writing, self.connection.sending_since_s = True, self._loop.time()
        await self._response.write(event)
        self._writing, self.connection.sending_since_s = False, None

    def _break_off(self) -> None:
        """The client is to go, and its socket takes nothing: put what it is told last behind what waits, and do not wait long."""
        self._last_words = self._loop.create_task(self._say_last())
        if self._request.transport is not None:
            self._loop.call_later(GOODBYE_S, self._request.transport.abort)

    async def _say_last(self) -> None:
        with suppress(ConnectionError):
            while (event := self._next_event()) is not None:
                await self._response.write(event)
