"""One subscription as its client sees it: what was asked for, and what came of it so far."""

from collections.abc import Mapping
from enum import Enum, auto
from functools import cached_property
from typing import NamedTuple

from connectors.client.results.arrays import Snapshot
from connectors.client.results.told import Series
from connectors.delivery.live.messages import EVERY_SYMBOL, Channel, Dropped
from connectors.delivery.live.server_messages import Error, Rejected
from udfs.errors import FrameError
from udfs.frames import parse_frame
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

    def is_of(self, series: Series) -> bool:
        """Whether it is of this series."""
        stock_id, time_frame = series
        return time_frame in self._time_frames and not {stock_id, EVERY_SYMBOL}.isdisjoint(self.channel.symbols)

    def series_count(self, known: list[Series]) -> int:
        """Of how many series it is; `*` stands for those known."""
        if EVERY_SYMBOL in self.channel.symbols:
            return sum(map(self.is_of, known))
        return len(self.channel.symbols) * len(self.channel.time_frames)

    @property
    def dropped(self) -> Dropped:
        """What to say when it is wanted no more."""
        return Dropped(channel=self.channel.channel, symbols=self.channel.symbols, time_frames=self.channel.time_frames)

    @cached_property
    def _time_frames(self) -> frozenset[str]:
        """As records call them."""
        return frozenset(map(_canonical, self.channel.time_frames))


def _canonical(time_frame: str) -> str:
    try:
        return parse_frame(time_frame).label
    except FrameError:  # the delivery will say so
        return time_frame
