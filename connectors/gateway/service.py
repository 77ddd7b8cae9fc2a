"""The gateway itself: clients on one side, the publisher on the other, and the timers between them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from connectors.clients import KafkaConnection
from connectors.gateway import control_lines
from connectors.gateway.acks import Acks
from connectors.gateway.batch import Batch, Origin
from connectors.gateway.budgets import Allowances
from connectors.gateway.client import GOODBYE_S, Client
from connectors.gateway.clients import Clients
from connectors.gateway.coalesce import Coalescer
from connectors.gateway.events import Close, Event, Pause, Send
from connectors.gateway.heartbeat import heartbeat_ms
from connectors.gateway.judge import Judge
from connectors.gateway.limits import GatewaySettings
from connectors.gateway.linger import Linger
from connectors.gateway.metrics import Metrics
from connectors.gateway.protocol import Admit, Connection
from connectors.gateway.publisher import RECORD_BYTES, GatewayPublisher

LOOKS = 20
"""Times a second that a part of the clients is looked at, each client once a second: a crowd at once would hold up whoever sends."""
POLL_S = 0.005
"""Between two looks at what has become durable, while anything is under way."""
FLUSH_BYTES = 1024 * 1024
"""Lines that wait for company are sent at once when they are more than this."""
LAST_READ_S = 0.25
"""At the end, how long to go on reading what clients have sent already."""
TURN_BYTES = 64 * 1024
"""A socket that gives this much at once waits until the others had their turn: uvloop would read on, up to 8 MB."""
LOOK_S = 2.0
"""How long Kafka may take to say how many partitions there are."""
QUEUE, RATE, TURN, END = "queue", "rate", "turn", "end"
"""Why a socket is not read."""


class Gateway:
    """Takes batches of every client, hands records to Kafka, tells clients what is durable. Lives in one event loop.

    `failed` ends with a PublishError when Kafka refuses for good. Raises KafkaUnreachable and TopicMissing when made.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        kafka: KafkaConnection,
        loop: asyncio.AbstractEventLoop,
        now_ms: Callable[[], int],
        log: Any,
        admit: Admit | None = None,
    ) -> None:
        self.metrics = Metrics()
        self.clients = Clients(settings.name, settings.limits)
        self.publisher = GatewayPublisher(kafka, self.metrics, self._on_settled, buffer_bytes=settings.buffer_bytes, now_ms=now_ms)
        self.failed: asyncio.Future[None] = loop.create_future()
        self.stopping = False
        self.last_beat_ms: int | None = None
        """What the newest heartbeat said."""
        self._settings = settings
        self._loop = loop
        self._now_ms = now_ms
        self._log = log
        self._admit = admit
        self._judge = Judge(settings.scales, settings.limits.max_line_bytes)
        self._coalescer = Coalescer(settings.ticks_per_record, RECORD_BYTES)
        self._linger = Linger(settings.linger_s)
        self._allowances = Allowances(settings.limits.lines_per_second)
        self._acks = Acks()
        self._paused_since_s: float | None = None
        self._reads = 0
        self._polled = asyncio.Event()
        self._flushing: asyncio.Handle | None = None
        self._polling: asyncio.Handle | None = None
        self._looking: asyncio.Future[None] | None = None
        self._look_again_s = loop.time() + settings.partitions_every_s
        self._looks = 0
        self._next_look = loop.call_later(1 / LOOKS, self._look)

    @property
    def paused(self) -> bool:
        """Whether no socket is read because Kafka does not keep up."""
        return self._paused_since_s is not None

    # Clients -------------------------------------------------------------------------------------------------------

    def welcome(self, client: Client, peer: str) -> None:
        """A client has connected from the address and port `peer`."""
        if self.stopping or not self.clients.has_room_for(client.address):
            self.metrics.turned_away += 1
            client.write(control_lines.bye("shutdown" if self.stopping else "too_many_connections"))
            client.close()
            return
        name = self.clients.next_name()
        guard, limits = self._settings.guard, self._settings.limits
        origin, now_s = Origin(peer, name, client.address), self._loop.time()
        client.connection = Connection(origin, limits, self._judge, guard, self._allowances, now_s, self._admit)
        self.clients.add(name, client)
        self.metrics.connections += 1
        if self.paused:
            client.wait(QUEUE)
            self._loop.call_soon(client.hold)

    def receive(self, client: Client, connection: Connection, data: bytes) -> None:
        """A client has sent bytes."""
        self.metrics.bytes += len(data)
        self._reads += 1
        client.last_read = self._reads
        if len(data) >= TURN_BYTES:
            client.wait(TURN)
            self._loop.call_soon(client.go_on, TURN)
        self._carry_out(client, connection.receive(data, self._now_ms(), self._loop.time()))

    def end(self, client: Client, connection: Connection, *, clean: bool) -> None:
        """A client has sent all it will."""
        self._carry_out(client, connection.end(self._now_ms(), self._loop.time(), clean=clean))
        self.look_after(client)

    def lose(self, client: Client, connection: Connection) -> None:
        """A client's socket is gone; its lines go on without it."""
        self._carry_out(client, connection.end(self._now_ms(), self._loop.time(), clean=False))
        self.clients.remove(connection.origin.connection)
        self._acks.forget(client)
        if connection.said_hello:
            settled = connection.settlement
            origin = connection.origin
            self._log.info("client_gone", client=origin.client, connection=origin.connection, lines=settled.received, acked=settled.settled)

    def look_after(self, client: Client) -> None:
        """See soon whether `client` is to be told something, or to be let go."""
        self._acks.look_at(client)
        self._poll_soon()

    def _carry_out(self, client: Client, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Batch):
                self._take(event)
            elif isinstance(event, Send):
                client.write(event.data)
            elif isinstance(event, Pause):
                client.wait(RATE)
                self._loop.call_later(event.seconds, client.go_on, RATE)
            else:
                self._cut(client, event)

    def _cut(self, client: Client, close: Close) -> None:
        self.metrics.cuts[close.code] += 1
        client.close()

    # Lines ---------------------------------------------------------------------------------------------------------

    def _take(self, batch: Batch) -> None:
        self.metrics.lines += len(batch.texts)
        self.metrics.ticks += len(batch.texts) - len(batch.refused)
        for refused in batch.refused:
            self.publisher.publish_dead_letter(batch, refused)
        self._coalescer.add(batch)
        batch.unsettled -= 1
        if self._coalescer.size > FLUSH_BYTES or self.publisher.full:
            self._flush()
        elif self._flushing is None:
            wait_s = self._linger.wait_s(self._loop.time())
            self._flushing = self._loop.call_later(wait_s, self._flush) if wait_s else self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        self._linger.flushed(self._coalescer.lines, self._loop.time())
        for record in self._coalescer.take():
            self.publisher.publish(record)
        if self.publisher.full and not self.paused:
            self._pause()
        self._poll_soon()

    def _pause(self) -> None:
        self._paused_since_s = self._loop.time()
        self.metrics.pauses += 1
        for client in self.clients:
            client.wait(QUEUE)

    def _resume(self, paused_since_s: float) -> None:
        paused_s = self._loop.time() - paused_since_s
        self._paused_since_s = None
        if paused_s > 1.0:
            self._log.warning("reading_resumed", paused_s=round(paused_s, 1))
        for client in self.clients:
            if client.connection is not None:
                client.connection.stood_still(paused_s)
        for client in self.clients.in_turn():
            if self.paused:  # what one of them had sent already was too much again
                break
            client.go_on(QUEUE)

    # What has become durable ---------------------------------------------------------------------------------------

    def _poll_soon(self) -> None:
        if self._polling is None:
            self._polling = self._loop.call_later(POLL_S, self._poll)

    def _poll(self) -> None:
        self._polling = None
        self.publisher.poll()
        self._polled.set()
        if self.publisher.failure is not None and not self.failed.done():
            self.failed.set_exception(self.publisher.failure)
        if self._paused_since_s is not None and self.publisher.roomy:
            self._resume(self._paused_since_s)
        self._acks.tell(self._loop.time())
        if self.publisher.records or self._acks.owed:
            self._poll_soon()

    def _on_settled(self, batch: Batch) -> None:
        self.metrics.ack_latency.observe(self._loop.time() - batch.received_s, len(batch.texts))
        client = self.clients.get(batch.origin.connection)
        if client is not None and client.connection is not None:
            client.connection.settlement.advance()
            self._acks.look_at(client)

    # Once a second -------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        self._next_look = self._loop.call_later(1 / LOOKS, self._look)
        now_ms, now_s = self._now_ms(), self._loop.time()
        for client in self.clients.part(self._looks, LOOKS):
            if client.connection is not None:
                self._carry_out(client, client.connection.check(now_ms, now_s, is_read=not client.waits))
        self._looks = (self._looks + 1) % LOOKS
        if self._looks == 0:
            self._second(now_ms, now_s)

    def _second(self, now_ms: int, now_s: float) -> None:
        if not self.paused:
            self._beat(now_ms, now_s)
        self._allowances.forget_rested(now_s)
        self._look_for_partitions(now_s)

    def _beat(self, now_ms: int, now_s: float) -> None:
        self._flush()  # a heartbeat overtakes no line
        feeds = [client.connection.feed for client in self.clients if client.connection is not None and not client.connection.closed]
        event_ms = heartbeat_ms(feeds, now_ms, now_s, self._settings.feed_timeout_s)
        self.last_beat_ms = event_ms
        if event_ms is not None and self.publisher.heartbeat(event_ms):
            self.metrics.heartbeats += 1

    def _look_for_partitions(self, now_s: float) -> None:
        if now_s < self._look_again_s or (self._looking is not None and not self._looking.done()):
            return
        self._look_again_s = now_s + self._settings.partitions_every_s
        self._looking = self._loop.run_in_executor(None, self.publisher.look_for_partitions, LOOK_S)

    # The end -------------------------------------------------------------------------------------------------------

    async def stop(self) -> int:
        """Take in what was sent already, wait until it is durable, say so and goodbye. How many records are given up."""
        self.stopping = True
        await asyncio.sleep(LAST_READ_S)
        self._next_look.cancel()
        for client in self.clients:
            client.wait(END)
        self._flush()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._drained(), self._settings.drain_timeout_s - LAST_READ_S - 2 * GOODBYE_S)
        self._say_goodbye()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.clients.all_gone(), 2 * GOODBYE_S)
        if self._polling is not None:
            self._polling.cancel()
        if self._looking is not None:
            await self._looking
        given_up = self.publisher.records
        self.publisher.close()
        return given_up

    async def _drained(self) -> None:
        while self.publisher.records and self.publisher.failure is None:
            await self._polled.wait()
            self._polled.clear()

    def _say_goodbye(self) -> None:
        for client in self.clients:
            connection = client.connection
            if connection is not None and connection.listens:
                self._carry_out(client, connection.bye("shutdown", self._loop.time()))
            else:
                client.close()

    def gauges(self) -> dict[str, float]:
        """What there is now, by the names of `metrics.GAUGES`."""
        lag_ms = 0 if self.last_beat_ms is None else self._now_ms() - self.last_beat_ms
        return {
            "open_connections": len(self.clients),
            "paused_connections": sum(client.waits for client in self.clients),
            "queue_records": self.publisher.records,
            "queue_bytes": self.publisher.bytes,
            "heartbeat_lag_seconds": max(0, lag_ms) / 1_000,
        }
