"""One subscription as its client sees it: what was asked for, and what came of it so far."""

from collections.abc import Mapping
from enum import Enum, auto
from functools import cached_property
from typing import NamedTuple

from connectors.client.results.arrays import Snapshot
from connectors.client.results.told import Series
from connectors.delivery.live.messages import Channel, Dropped
from connectors.delivery.live.server_messages import Error, Rejected
from udfs.model import Result


class Ending(NamedTuple):
    """Why a connection ends."""

    code: str
    retry_s: float = 0.0
    """How long the delivery wants to be left alone."""
    for_good: bool = False
    """Whether trying again is of no use."""


class Stage(Enum):
    """How far a subscription is."""

    WANTED = auto()
    """Its ack, or one of its first snapshots, is not there yet."""
    SETTLED = auto()
    """Its updates come."""
    LOST = auto()
    """It was settled, on a connection of which the delivery keeps nothing: it is to be taken up again."""
    REFUSED = auto()


class Subscription:
    """What is wanted of one channel, and what it begins with."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.stage = Stage.WANTED
        self.rejected: tuple[Rejected, ...] = ()
        """Symbols and time frames that the delivery does not serve, and why."""
        self.refusal: Error | None = None
        """Why there is no subscription at all."""
        self.rows: dict[Series, list[Result]] = {}

    @cached_property
    def snapshots(self) -> Mapping[Series, Snapshot]:
        """By (symbol, time frame), as far as snapshots were asked for; to be read once it is settled."""
        return {series: Snapshot(*series, bars) for series, bars in self.rows.items()}

    def __getitem__(self, series: Series) -> Snapshot:
        return self.snapshots[series]

    def series_count(self, known: list[Series]) -> int:
        """Of how many series it is; `*` stands for those known."""
        if "*" in self.channel.symbols:
            return sum(time_frame in self.channel.time_frames for _, time_frame in known)
        return len(self.channel.symbols) * len(self.channel.time_frames)

    @property
    def dropped(self) -> Dropped:
        """What to say when it is wanted no more."""
        return Dropped(channel=self.channel.channel, symbols=self.channel.symbols, time_frames=self.channel.time_frames)
