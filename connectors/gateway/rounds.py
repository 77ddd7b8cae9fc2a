"""Whose turn it is to be looked at: each client comes once a second, however busy the gateway is."""

from connectors.gateway.client import Client
from connectors.gateway.clients import Clients

ROUND_S = 1.0


class Rounds:
    """Clients in turn, spread over a second: a crowd at once would hold up whoever sends.

    A round has the clients that were there when it began; who joins comes in the next one. It is time that decides who is
    due, not how often one asks: asked late, there are more of them.
    """

    def __init__(self, clients: Clients, now_s: float) -> None:
        self._clients = clients
        self._names: list[str] = []
        self._began_s = now_s
        self._done = 0

    def due(self, now_s: float) -> list[Client]:
        """Those whose turn has come since this was asked last."""
        passed = min(1.0, (now_s - self._began_s) / ROUND_S)
        until = int(passed * len(self._names))
        names = self._names[self._done : until]
        self._done = until
        if passed == 1.0:
            self._names, self._began_s, self._done = self._clients.names, now_s, 0
        return [client for client in map(self._clients.get, names) if client is not None]
