"""The gateway itself: clients on one side, the publisher on the other, and the timers between them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from connectors.clients import KafkaConnection
from connectors.gateway import control_lines
from connectors.gateway.acks import Acks
from connectors.gateway.back_pressure import BackPressure
from connectors.gateway.batch import Batch, Origin
from connectors.gateway.budgets import Allowances
from connectors.gateway.client import GOODBYE_S, Client
from connectors.gateway.clients import Clients
from connectors.gateway.departures import Departures
from connectors.gateway.events import Close, Event, Pause, Send
from connectors.gateway.judge import Judge
from connectors.gateway.limits import GatewaySettings
from connectors.gateway.metrics import Metrics
from connectors.gateway.protocol import Admit, Connection
from connectors.gateway.publisher import GatewayPublisher
from connectors.gateway.pulse import Pulse
from connectors.gateway.rounds import Rounds
from udfs.model import Refusal

LOOKS = 100
"""Times a second that those clients are looked at whose turn has come."""
PULSE_S = 1.0
"""Between two heartbeats."""
POLL_S = 0.005
"""Between two looks at what has become durable, while anything is under way."""
LAST_READ_S = 0.25
"""At the end, how long to go on reading what clients have sent already."""
RATE, END = "rate", "end"
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
        self.publisher = GatewayPublisher(
            kafka, self.metrics, self._on_settled, self._on_refused, buffer_bytes=settings.buffer_bytes, now_ms=now_ms
        )
        self.pulse = Pulse(self.publisher, self.metrics, loop, settings)
        self.failed: asyncio.Future[None] = loop.create_future()
        self.stopping = False
        self._settings = settings
        self._loop = loop
        self._now_ms = now_ms
        self._log = log
        self._admit = admit
        self._judge = Judge(settings.scales, settings.limits.max_line_bytes)
        self._departures = Departures(self.publisher, loop, settings, self._on_flushed)
        self._back_pressure = BackPressure(self.clients, self.metrics, loop, log)
        self._allowances = Allowances(settings.limits.lines_per_second)
        self._acks = Acks()
        self._reads = 0
        self._polled = asyncio.Event()
        self._polling: asyncio.Handle | None = None
        self._rounds = Rounds(self.clients, loop.time())
        self._next_look = loop.call_later(1 / LOOKS, self._look)
        self._next_beat = loop.call_later(PULSE_S, self._beat)

    @property
    def paused(self) -> bool:
        """Whether no socket is read because Kafka does not keep up."""
        return self._back_pressure.holds

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
        self._back_pressure.join(client)

    def receive(self, client: Client, connection: Connection, data: bytes) -> None:
        """A client has sent bytes."""
        self.metrics.bytes += len(data)
        self._reads += 1
        client.last_read = self._reads
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
        if connection.answers.said_hello:
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
        for refused in batch.refused:
            self.publisher.publish_dead_letter(batch, refused)
        self._departures.add(batch)

    def _on_flushed(self) -> None:
        if self.publisher.full:
            self._back_pressure.begin()
        self._poll_soon()

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
        if self.publisher.roomy:
            self._back_pressure.end()
        self._acks.tell(self._loop.time())
        if self.publisher.records or self._acks.owed:
            self._poll_soon()

    def _on_settled(self, batch: Batch) -> None:
        self.metrics.ack_latency.observe(self._loop.time() - batch.received_s, len(batch.texts))
        client = self.clients.get(batch.origin.connection)
        if client is not None and client.connection is not None:
            client.connection.settlement.advance()
            self._acks.look_at(client)

    def _on_refused(self, batch: Batch, refusal: Refusal) -> None:
        client = self.clients.get(batch.origin.connection)
        if client is not None and client.connection is not None:
            reason, detail, line = refusal
            self._carry_out(client, [*client.connection.answers.error(reason, detail, self._loop.time(), line)])

    # Once a second -------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        self._next_look = self._loop.call_later(1 / LOOKS, self._look)
        now_ms, now_s = self._now_ms(), self._loop.time()
        for client in self._rounds.due(now_s):
            if client.connection is not None:
                self._carry_out(client, client.connection.check(now_ms, now_s, is_read=not client.waits))

    def _beat(self) -> None:
        self._next_beat = self._loop.call_later(PULSE_S, self._beat)
        now_s = self._loop.time()
        if not self.paused:
            self._departures.flush()  # a heartbeat overtakes no line
            connections = (client.connection for client in self.clients)
            feeds = [connection.feed for connection in connections if connection is not None and not connection.closed]
            self.pulse.beat(feeds, self._now_ms(), now_s)
        self._allowances.forget_rested(now_s)
        self.pulse.look_for_partitions(now_s)

    # The end -------------------------------------------------------------------------------------------------------

    async def stop(self) -> int:
        """Take in what was sent already, wait until it is durable, say so and goodbye. How many records are given up."""
        self.stopping = True
        await asyncio.sleep(LAST_READ_S)
        self._next_look.cancel()
        self._next_beat.cancel()
        for client in self.clients:
            client.wait(END)
            self._take_last(client)
        self._departures.flush()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._drained(), self._settings.drain_timeout_s - LAST_READ_S - 2 * GOODBYE_S)
        self._say_goodbye()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.clients.all_gone(), 2 * GOODBYE_S)
        if self._polling is not None:
            self._polling.cancel()
        await self.pulse.end()
        given_up = self.publisher.records
        self.publisher.close()
        return given_up

    def _take_last(self, client: Client) -> None:
        """One that hears no acks would not send again what is left of it: its stream ends here."""
        connection = client.connection
        if connection is not None and not connection.answers.said_hello:
            client.take_rest()
            self._carry_out(client, connection.end(self._now_ms(), self._loop.time(), clean=True))

    async def _drained(self) -> None:
        while (self.publisher.records or self._departures.lines) and self.publisher.failure is None:
            await self._polled.wait()
            self._polled.clear()

    def _say_goodbye(self) -> None:
        for client in self.clients:
            connection = client.connection
            if connection is not None and connection.answers.listens and not client.closing:
                self._carry_out(client, connection.bye("shutdown", self._loop.time()))
            else:
                client.close()

    def gauges(self) -> dict[str, float]:
        """What there is now, by the names of `metrics.GAUGES`."""
        lag_s = self.pulse.lag_s(self._now_ms())
        return {
            "open_connections": len(self.clients),
            "paused_connections": sum(client.waits for client in self.clients),
            "queue_records": self.publisher.records,
            "queue_bytes": self.publisher.bytes,
            **({} if lag_s is None else {"heartbeat_lag_seconds": lag_s}),
        }
