"""Which clients are to be told how far their lines are settled, and when."""

from connectors.gateway.client import Client

SWEEP_S = 0.05
"""Between two looks at acks that were not due yet."""


class Acks:
    """Tells clients what is settled: at once when an ack is due, else a little later; lets go those that wait for nothing more."""

    def __init__(self) -> None:
        self._news: set[Client] = set()
        self._owed: set[Client] = set()
        self._swept_s = float("-inf")

    @property
    def owed(self) -> bool:
        """Whether any client is to be told something."""
        return bool(self._news or self._owed)

    def look_at(self, client: Client) -> None:
        """Something about `client` is new."""
        self._news.add(client)

    def forget(self, client: Client) -> None:
        """`client` has gone."""
        self._news.discard(client)
        self._owed.discard(client)

    def tell(self, now_s: float) -> None:
        """Send what is due."""
        clients, self._news = self._news, set()
        if now_s - self._swept_s >= SWEEP_S:
            self._swept_s = now_s
            clients |= self._owed
        for client in clients:
            self._owed.discard(client)
            self._tell(client, now_s)

    def _tell(self, client: Client, now_s: float) -> None:
        connection = client.connection
        if connection is None:
            return
        answers = connection.answers
        if client.ended and connection.settlement.all_settled:
            for said in answers.last_words(now_s):
                client.write(said.data)
            client.close()
        elif (ack := answers.ack(now_s, at_once=client.ended)) is not None:
            client.write(ack.data)
        elif answers.owes_ack and not answers.muted:
            self._owed.add(client)
