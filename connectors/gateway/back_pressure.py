"""Sockets are not read while Kafka does not keep up: TCP passes that on to the clients, and nothing is dropped."""

import asyncio
from typing import Any

from connectors.gateway.client import Client
from connectors.gateway.clients import Clients
from connectors.gateway.metrics import Metrics

QUEUE = "queue"
"""Why a socket is not read."""
WORTH_SAYING_S = 1.0
"""A pause that was longer is logged."""


class BackPressure:
    """Holds all clients at once, and lets them go on. Lives in one event loop."""

    def __init__(self, clients: Clients, metrics: Metrics, loop: asyncio.AbstractEventLoop, log: Any) -> None:
        self._clients = clients
        self._metrics = metrics
        self._loop = loop
        self._log = log
        self._since_s: float | None = None

    @property
    def holds(self) -> bool:
        """Whether no socket is read."""
        return self._since_s is not None

    def begin(self) -> None:
        """Read no more."""
        if self._since_s is not None:
            return
        self._since_s = self._loop.time()
        self._metrics.pauses += 1
        for client in self._clients:
            client.wait(QUEUE)

    def join(self, client: Client) -> None:
        """A client has come: it waits as the others do."""
        if self.holds:
            client.wait(QUEUE)
            self._loop.call_soon(client.hold)

    def end(self) -> None:
        """Read on, those first that were not read for longest; it may have to begin again meanwhile."""
        if self._since_s is None:
            return
        held_s = self._loop.time() - self._since_s
        self._since_s = None
        if held_s > WORTH_SAYING_S:
            self._log.warning("reading_resumed", paused_s=round(held_s, 1))
        for client in self._clients:
            if client.connection is not None:
                client.connection.stood_still(held_s)
        for client in self._clients.in_turn():
            if self.holds:  # what one of them had sent already was too much again
                break
            client.go_on(QUEUE)
