"""The newest bar of every symbol and frame, as a reader of the result topics keeps it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from udfs.frames import parse_frame
from udfs.model import Result, Status


@dataclass(slots=True)
class Newest:
    """What is known of one symbol in one frame: its newest closed bar, and the bar after it while it forms."""

    closed: Result | None = None
    forming: Result | None = None

    @property
    def shown(self) -> Result | None:
        """The bar that event time stands in, as far as it is known."""
        return self.forming or self.closed


@dataclass(slots=True)
class NewestBars:
    """Folds records of `indicator_results` and `indicator_live`, in any order between the two topics."""

    counts: Counter[Status] = field(default_factory=Counter)
    """Records taken, by status."""
    _bars: dict[str, dict[str, Newest]] = field(default_factory=dict)

    def update(self, result: Result) -> bool:
        """Take one record; says whether it is the newest of its symbol and frame.

        Of one bar the highest (run, revision) wins, the later record among equals. A forming record is dropped when
        its bar, or a later one, is closed, and when a later `as_of_ms` of the same bar and run is known.
        """
        self.counts[result.status] += 1
        newest = self._bars.setdefault(result.stock_id, {}).setdefault(result.time_frame, Newest())
        return _take_forming(newest, result) if result.status is Status.FORMING else _take_closed(newest, result)

    @property
    def symbols(self) -> list[str]:
        """Every symbol seen, in alphabetical order."""
        return sorted(self._bars)

    @property
    def frames(self) -> list[str]:
        """Labels of every frame seen, shortest first."""
        labels = {label for frames in self._bars.values() for label in frames}
        return sorted(labels, key=lambda label: parse_frame(label).length_ms)

    def of(self, symbol: str) -> dict[str, Newest]:
        """Frame -> what is known of it."""
        return self._bars.get(symbol, {})

    def last(self, symbol: str) -> Result | None:
        """The bar with the symbol's newest trade that has a price."""
        bars = [bar for newest in self.of(symbol).values() if (bar := newest.shown) and bar.close is not None]
        return max(bars, key=lambda bar: (bar.last_ms, -bar.start_ms), default=None)

    def closed(self, frame: str) -> Iterator[Result]:
        """The newest closed bar of each symbol in `frame`."""
        for frames in self._bars.values():
            newest = frames.get(frame)
            if newest is not None and newest.closed is not None:
                yield newest.closed

    @property
    def with_closed(self) -> int:
        """How many symbols have a closed bar in some frame: of the others `nulls` has nothing to count."""
        return sum(any(newest.closed for newest in frames.values()) for frames in self._bars.values())

    def nulls(self) -> dict[str, int]:
        """Frame -> how many indicators have no value yet in the newest closed bars of all symbols."""
        return {frame: sum(value is None for bar in self.closed(frame) for value in bar.results.values()) for frame in self.frames}


def _take_closed(newest: Newest, result: Result) -> bool:
    known = newest.closed
    if known is not None and (result.start_ms, result.run, result.revision) < (known.start_ms, known.run, known.revision):
        return False
    newest.closed = result
    if newest.forming is not None and newest.forming.start_ms <= result.start_ms:
        newest.forming = None
    return True


def _take_forming(newest: Newest, result: Result) -> bool:
    if newest.closed is not None and result.start_ms <= newest.closed.start_ms:
        return False
    known = newest.forming
    if known is not None and _forming_order(result) < _forming_order(known):
        return False
    newest.forming = result
    return True


def _forming_order(result: Result) -> tuple[int, int, int]:
    return result.start_ms, result.run, result.as_of_ms or 0
