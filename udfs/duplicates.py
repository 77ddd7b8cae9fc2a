"""Which ticks have been counted before: a log by second of event time, read only for ticks that are not news."""

from bisect import bisect_left
from operator import itemgetter
from typing import cast

from udfs.model import Tick
from udfs.state_layout import Hot, Identity, Store

_SLOTS = 128
_CHUNKS = 4096
_CHUNK_TICKS = 16
_SECOND_NS = 1_000_000_000
_AT = itemgetter(0)


class DuplicatesLog:
    """Knows a tick again by source, event time and id (else seq), within `window_ms` before the symbol's clock.

    The newest ticks of the clock's second lie in the hot part, those of the clock's very instant always. What does
    not fit goes into chunks of that second, each newer than the one before, so that a tick is looked for by bisection;
    when event time enters another second the rest becomes chunk 0. Seconds lie in a ring of slots that the clock
    overwrites as it moves on. Ticks with neither id nor seq are never duplicates.
    """

    __slots__ = ("_second_ns", "_window_ns")

    def __init__(self, window_ms: int) -> None:
        self._window_ns = window_ms * 1_000_000
        # A long window has longer "seconds": the ring must hold it with room to spare.
        self._second_ns = _SECOND_NS * max(1, -(-window_ms // ((_SLOTS - 2) * 1_000)))

    def note(self, store: Store, hot: Hot, tick: Tick) -> None:
        """Write down a tick newer than the clock, without a look."""
        event_time_ns, _, _, _, seq, trade_id, source, _, _ = tick
        key = seq if trade_id is None else trade_id
        second = event_time_ns // self._second_ns
        if second != hot.recent_second:
            self._enter(store, hot, second)
        if key is None:
            return
        if len(hot.recent) >= _CHUNK_TICKS:
            self._append(store, hot, second, hot.recent)
            hot.recent = set()
        hot.recent.add((event_time_ns % self._second_ns, source, key))

    def seen(self, store: Store, hot: Hot, tick: Tick) -> bool:
        """Whether a tick not newer than the clock was counted before; if it was not, it is written down."""
        event_time_ns, _, _, _, seq, trade_id, source, _, _ = tick
        key = seq if trade_id is None else trade_id
        if key is None or event_time_ns < hot.clock_ns - self._window_ns:
            return False
        second, at_ns = divmod(event_time_ns, self._second_ns)
        is_current = second == hot.recent_second
        newest = hot.recent if is_current else self._rest(store, hot, second)
        chunk = 0 if any(known[0] <= at_ns for known in newest) else self._find(store, hot, second, at_ns)
        ticks = self._chunk(store, second, chunk) if chunk else newest
        if (at_ns, source, key) in ticks:
            return True
        ticks.add((at_ns, source, key))
        if chunk == 0 and len(ticks) > 2 * _CHUNK_TICKS:
            ticks = self._split(store, hot, second, ticks)
        if chunk == 0 and is_current:
            hot.recent = ticks
        else:
            store.put_seen(second % _SLOTS * _CHUNKS + chunk, (second, ticks))
        return False

    def _enter(self, store: Store, hot: Hot, second: int) -> None:
        if hot.recent:
            store.put_seen(hot.recent_second % _SLOTS * _CHUNKS, (hot.recent_second, hot.recent))
        hot.recent_second, hot.recent = second, set()
        self._clear(store, hot, second)

    @staticmethod
    def _clear(store: Store, hot: Hot, second: int) -> None:
        """Drop the chunks of the second that had the slot before."""
        slot = second % _SLOTS
        for chunk in range(1, hot.chunks.pop(slot, 0) + 1):
            store.drop_seen(slot * _CHUNKS + chunk)

    def _append(self, store: Store, hot: Hot, second: int, ticks: set[Identity]) -> None:
        """Keep ticks newer than all chunks of their second as its next one."""
        slot = second % _SLOTS
        chunk = min(hot.chunks.get(slot, 0) + 1, _CHUNKS - 1)
        hot.chunks[slot] = chunk
        full = self._chunk(store, second, chunk) if chunk == _CHUNKS - 1 else set()
        store.put_seen(slot * _CHUNKS + chunk, (second, ticks | full))

    def _split(self, store: Store, hot: Hot, second: int, ticks: set[Identity]) -> set[Identity]:
        """Move the older half into a chunk, ticks of one instant staying together; what remains."""
        middle_ns = sorted(map(_AT, ticks))[len(ticks) // 2]
        older = {known for known in ticks if known[0] < middle_ns}
        if older:
            self._append(store, hot, second, older)
        return ticks - older

    def _find(self, store: Store, hot: Hot, second: int, at_ns: int) -> int:
        """The chunk whose stretch of the second an instant falls into, 0 beyond all of them: they follow each other in time."""
        chunks = hot.chunks.get(second % _SLOTS, 0)
        found = bisect_left(range(1, chunks + 1), at_ns, key=lambda chunk: max(map(_AT, self._chunk(store, second, chunk)), default=-1))
        return found + 1 if found < chunks else 0

    def _rest(self, store: Store, hot: Hot, second: int) -> set[Identity]:
        """Chunk 0 of a second that the clock has left, or has never been in."""
        part = store.get_seen(second % _SLOTS * _CHUNKS)
        if part is None or part[0] != second:
            self._clear(store, hot, second)
            return set()
        return cast("set[Identity]", part[1])

    @staticmethod
    def _chunk(store: Store, second: int, chunk: int) -> set[Identity]:
        part = store.get_seen(second % _SLOTS * _CHUNKS + chunk)
        return part[1] if part is not None and part[0] == second else set()
