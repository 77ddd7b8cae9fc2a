"""What a caller was told already: so that no bar's record comes twice, whatever is cut, and it is known what may lack."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from udfs.model import Result, Status

Series: TypeAlias = tuple[str, str]
"""(stock_id, time_frame)."""
_Mark: TypeAlias = tuple[int, int, int]
"""(run, revision, emitted_ms): which record of a bar it is."""


class Gap(NamedTuple):
    """A series was taken up again from a snapshot, as the server had kept nothing of this client: some of it may lack.

    Bars that start in [after_ms, until_ms) may lack altogether; bars before them may have been revised without a word.
    Whoever needs them reads them over HTTP: `/v1/bars?start=...`.
    """

    stock_id: str
    time_frame: str
    after_ms: int | None
    """End of the newest bar told; None when there was none."""
    until_ms: int | None
    """Start of the first bar of the snapshot; None when there is no snapshot of this series."""

    @property
    def bars_may_lack(self) -> bool:
        """Whether the snapshot does not reach back to what was told; else only revisions of older bars may lack."""
        return self.after_ms is None or self.until_ms is None or self.until_ms > self.after_ms


class Told:
    """Remembers the newest bars told of each series: `bars` of them, fewer when there are many series (`budget` in all)."""

    def __init__(self, bars: int, budget: int) -> None:
        self._bars = bars
        self._budget = budget
        self._series: dict[Series, _Memory] = {}

    @property
    def series(self) -> list[Series]:
        """Those of which something was told."""
        return list(self._series)

    def is_news(self, result: Result) -> bool:
        """Whether `result` is to be told; it counts as told then. A bar's older records, its forming after its final, are not."""
        memory = self._memory((result.stock_id, result.time_frame))
        if result.status is Status.FORMING:
            return memory.take_forming(result)
        return memory.take_final(result, max(2, min(self._bars, self._budget // len(self._series))))

    def take_up(self, series: Series, bars: Sequence[Result], since_ms: int | None) -> list[Gap | Result]:
        """Go on from a snapshot: what may lack, then those of its `bars` (oldest first) that were not told yet; they count as told then.

        Of a series of which nothing is known, bars emitted at `since_ms` or later are news.
        """
        memory = self._memory(series)
        gap = Gap(*series, memory.newest_end_ms, bars[0].start_ms if bars else None)
        if memory.finals:
            oldest_ms = min(memory.finals)
            fresh = [bar for bar in bars if bar.start_ms >= oldest_ms]
        elif memory.has_begun:
            fresh = list(bars)
        else:
            fresh = [bar for bar in bars if since_ms is not None and bar.emitted_ms >= since_ms]
        news = [bar for bar in fresh if self.is_news(bar)]
        self.note(series, bars)
        return [gap, *news]

    def note(self, series: Series, bars: Sequence[Result]) -> None:
        """These newest bars of a series, oldest first, count as told; where there are none, all that comes is news."""
        self._memory(series).has_begun = True
        for bar in bars[-self._bars :]:
            self.is_news(bar)

    def gap(self, series: Series) -> Gap:
        """What may lack of a series where there is no snapshot of it."""
        return Gap(*series, self._memory(series).newest_end_ms, None)

    def _memory(self, series: Series) -> "_Memory":
        memory = self._series.get(series)
        if memory is None:
            memory = self._series[series] = _Memory()
        return memory


class _Memory:
    """Of one series."""

    __slots__ = ("finals", "forming", "has_begun", "newest_end_ms")

    def __init__(self) -> None:
        self.finals: dict[int, _Mark] = {}
        """Start of a bar -> its newest record told."""
        self.forming: tuple[int, int, int] = (-1, -1, -1)
        """(start_ms, run, as_of_ms) of the newest forming record told."""
        self.newest_end_ms: int | None = None
        self.has_begun = False
        """Whether there was a snapshot: what it did not have is news."""

    def take_forming(self, result: Result) -> bool:
        mark = (result.start_ms, result.run, result.as_of_ms or 0)
        if result.start_ms in self.finals or (mark[:2] == self.forming[:2] and mark < self.forming):
            return False
        self.forming = mark
        return True

    def take_final(self, result: Result, kept: int) -> bool:
        mark = (result.run, result.revision, result.emitted_ms)
        known = self.finals.get(result.start_ms)
        if known is not None and (mark[:2] < known[:2] or mark == known):
            return False
        self.finals[result.start_ms] = mark
        self.newest_end_ms = max(self.newest_end_ms or result.end_ms, result.end_ms)
        while len(self.finals) > kept:
            del self.finals[min(self.finals)]
        return True
