"""All that one client wants of a delivery, and how far each of it is."""

from collections.abc import Sequence

import msgspec

from connectors.client.results.subscription import Stage, Subscription
from connectors.client.results.told import Series
from connectors.delivery.live.messages import Channel, Dropped
from connectors.delivery.live.server_messages import Error


class Wants:
    """Subscriptions in the order they were made, and series that are to be unsubscribed."""

    def __init__(self) -> None:
        self._all: list[Subscription] = []
        self.leaving: tuple[Dropped, ...] = ()
        """What the delivery does not know yet to be wanted no more."""

    def __bool__(self) -> bool:
        return bool(self._all)

    def add(self, channel: Channel) -> Subscription:
        """Want it."""
        self._all.append(Subscription(channel))
        return self._all[-1]

    def remove(self, subscription: Subscription) -> bool:
        """Want it no more; whether it was wanted."""
        if subscription not in self._all:
            return False
        self._all.remove(subscription)
        self.leaving += (subscription.dropped,)
        return True

    def left(self, dropped: Sequence[Dropped]) -> None:
        """The delivery knows that these are wanted no more."""
        self.leaving = tuple(each for each in self.leaving if each not in dropped)

    def at(self, stage: Stage) -> list[Subscription]:
        """Those that are so far."""
        return [each for each in self._all if each.stage is stage]

    def lose(self) -> bool:
        """The delivery keeps nothing of us; whether there is anything to be taken up again."""
        self.leaving = ()
        for subscription in self.at(Stage.SETTLED):
            subscription.stage = Stage.LOST
        return bool(self.at(Stage.LOST))

    def refuse(self, subscriptions: Sequence[Subscription], error: Error) -> None:
        """The delivery does not take these."""
        for subscription in subscriptions:
            subscription.refusal, subscription.stage = error, Stage.REFUSED
        self._all = [each for each in self._all if each.stage is not Stage.REFUSED]


def rows_each(subscriptions: Sequence[Subscription], known: list[Series], wanted: int, limit: int) -> int:
    """How many bars of each series to ask for, so that all snapshots together are within `limit`; `*` stands for the series known."""
    return min(wanted, limit // max(1, sum(each.series_count(known) for each in subscriptions)))


def with_snapshot(subscriptions: Sequence[Subscription], rows: int) -> tuple[Channel, ...]:
    """Their channels, with so many bars of each series."""
    return tuple(msgspec.structs.replace(each.channel, snapshot=rows) for each in subscriptions)
