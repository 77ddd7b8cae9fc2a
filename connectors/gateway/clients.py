"""The clients connected now, by the names of their connections, and how many more may come."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from operator import attrgetter

from connectors.gateway.client import Client
from connectors.gateway.limits import Limits


class Clients:
    """Every open connection. Names are `gateway-number`, and never used twice."""

    def __init__(self, gateway: str, limits: Limits) -> None:
        self._gateway = gateway
        self._limits = limits
        self._clients: dict[str, Client] = {}
        self._by_address: Counter[str] = Counter()
        self._taken = 0
        self._gone = asyncio.Event()

    def __len__(self) -> int:
        return len(self._clients)

    def __iter__(self) -> Iterator[Client]:
        return iter(list(self._clients.values()))

    @property
    def names(self) -> list[str]:
        """The name of each connection, oldest first."""
        return list(self._clients)

    def in_turn(self) -> list[Client]:
        """Every client, the one first that was not read for longest: sockets are read in the order in which reading them begins."""
        return sorted(self._clients.values(), key=attrgetter("last_read"))

    def has_room_for(self, address: str) -> bool:
        """Whether one more connection from `address` is within the limits."""
        limits = self._limits
        return len(self._clients) < limits.max_connections and self._by_address[address] < limits.max_connections_per_address

    def next_name(self) -> str:
        """The name of the next connection."""
        self._taken += 1
        return f"{self._gateway}-{self._taken}"

    def add(self, name: str, client: Client) -> None:
        """Take note of an open connection."""
        self._clients[name] = client
        self._by_address[client.address] += 1

    def get(self, name: str) -> Client | None:
        """The client of a connection; None when it has gone."""
        return self._clients.get(name)

    async def all_gone(self) -> None:
        """Wait until no connection is open."""
        while self._clients:
            self._gone.clear()
            await self._gone.wait()

    def remove(self, name: str) -> None:
        """Forget a connection that has gone."""
        client = self._clients.pop(name, None)
        self._gone.set()
        if client is None:
            return
        self._by_address[client.address] -= 1
        if not self._by_address[client.address]:
            del self._by_address[client.address]
