"""Which ticks have been counted before: a log by stretches of event time, read only for ticks that are not news."""

from bisect import bisect_left
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from udfs.earlier_duplicates import clear_log_1
from udfs.model import Tick
from udfs.state_layout import Hot, Identity, Store

_CHUNKS = 1 << 16
_CHUNK_TICKS = 16
_BUSY_CHUNKS = 16
"""A symbol with more in one long stretch gets short ones, and long ones again when none of these has a chunk. What fits into short ones
without makes nine or ten in a long one: nobody goes back and forth."""
_SECOND_NS = 1_000_000_000
_AT = itemgetter(0)
_Rest: TypeAlias = tuple[set[Identity], int]
"""What is in no chunk of a stretch, and how many chunks it has."""


class Ring(NamedTuple):
    """How event time is laid out: stretches of a length, in so many slots."""

    slots: int
    span_ns: int

    @classmethod
    def of(cls, slots: int, window_ms: int) -> "Ring":
        """One that holds the window with room to spare, of whole seconds."""
        return cls(slots, _SECOND_NS * max(1, -(-window_ms // ((slots - 2) * 1_000))))


class DuplicatesLog:
    """Knows a tick again by source, event time and id (else seq), within `window_ms` before the symbol's clock.

    Event time is cut into stretches of some seconds. The newest ticks of the clock's stretch lie in the hot part, those
    of the clock's very instant always. What does not fit goes into chunks of that stretch, each newer than the one before,
    so that a tick is looked for by bisection; when event time enters another stretch the rest becomes chunk 0, and says
    how many chunks there are. Stretches lie in a ring of slots that the clock overwrites as it moves on: few long ones,
    a put each sixteen ticks, until the symbol is so busy that a chunk in the middle might grow large; then many short ones.
    Ticks with neither id nor seq are never duplicates.
    """

    __slots__ = ("_long", "_short", "_window_ns")

    def __init__(self, window_ms: int) -> None:
        self._window_ns = window_ms * 1_000_000
        self._long, self._short = Ring.of(16, window_ms), Ring.of(128, window_ms)

    def fits(self, hot: Hot) -> bool:
        """Whether the log is laid out as this window and the symbol's pace want it; if not, `lay_anew` before anything else."""
        if hot.span_ns == self._long.span_ns and hot.slots == self._long.slots:
            return hot.chunks <= _BUSY_CHUNKS
        is_quiet = not hot.busy and not hot.chunks
        return not is_quiet and hot.span_ns == self._short.span_ns and hot.slots == self._short.slots

    def lay_anew(self, store: Store, hot: Hot) -> None:
        """Take over what was written for another pace or window, or by an earlier version."""
        is_busy = hot.chunks > _BUSY_CHUNKS
        known = self._clear(store, hot) if hot.slots else clear_log_1(store, hot)
        hot.slots, hot.span_ns = self._short if is_busy else self._long
        hot.stretch, hot.recent, hot.chunks, hot.stale, hot.busy, hot.log_1 = -1, set(), 0, 0, 0, None
        newest_ns = -1
        for event_time_ns, source, key in sorted(known, key=_AT):
            if event_time_ns < hot.clock_ns - self._window_ns:
                continue
            stretch, at_ns = divmod(event_time_ns, hot.span_ns)
            if stretch != hot.stretch:
                self._enter(store, hot, stretch)
            if event_time_ns > newest_ns:
                self._write(store, hot, (at_ns, source, key))
            else:  # ticks of one instant stay together
                hot.recent.add((at_ns, source, key))
            newest_ns = event_time_ns

    def note(self, store: Store, hot: Hot, tick: Tick) -> None:
        """Write down a tick newer than the clock, without a look."""
        event_time_ns, _, _, _, seq, trade_id, source, _, _ = tick
        key = seq if trade_id is None else trade_id
        stretch = event_time_ns // hot.span_ns
        if stretch != hot.stretch:
            self._enter(store, hot, stretch)
        if key is not None:
            self._write(store, hot, (event_time_ns % hot.span_ns, source, key))

    def seen(self, store: Store, hot: Hot, tick: Tick) -> bool:
        """Whether a tick not newer than the clock was counted before; if it was not, it is written down."""
        event_time_ns, _, _, _, seq, trade_id, source, _, _ = tick
        key = seq if trade_id is None else trade_id
        if key is None or event_time_ns < hot.clock_ns - self._window_ns:
            return False
        stretch, at_ns = divmod(event_time_ns, hot.span_ns)
        if stretch > hot.stretch:  # ticks were counted without the log
            self._enter(store, hot, hot.clock_ns // hot.span_ns)
        is_current = stretch == hot.stretch
        newest, chunks = (hot.recent, hot.chunks) if is_current else self._rest(store, hot, stretch)
        chunk = 0 if any(known[0] <= at_ns for known in newest) else self._find(store, hot, stretch, chunks, at_ns)
        ticks = self._chunk(store, hot, stretch, chunk) if chunk else newest
        identity = at_ns, source, key
        if identity in ticks:
            return True
        ticks.add(identity)
        if chunk:
            store.put_seen(_key(hot, stretch, chunk), (stretch, ticks))
            return False
        if len(ticks) > 2 * _CHUNK_TICKS:
            ticks, chunks = self._split(store, hot, stretch, ticks, chunks)
        if is_current:
            hot.recent, hot.chunks = ticks, chunks
        else:
            self._put_rest(store, hot, stretch, ticks, chunks)
        return False

    # The clock's stretch -------------------------------------------------------------------------------------------

    def _write(self, store: Store, hot: Hot, identity: Identity) -> None:
        """Write down what is newer than anything in its stretch."""
        if len(hot.recent) >= _CHUNK_TICKS:
            hot.chunks = self._append(store, hot, hot.stretch, hot.chunks, hot.recent)
            hot.recent = set()
        hot.recent.add(identity)

    def _enter(self, store: Store, hot: Hot, stretch: int) -> None:
        self._leave(store, hot)
        hot.stretch, hot.recent, hot.chunks = stretch, set(), 0
        part = store.get_seen(_key(hot, stretch, 0)) if hot.busy >> stretch % hot.slots & 1 else None
        hot.stale = 0 if part is None else part[2]

    def _leave(self, store: Store, hot: Hot) -> None:
        """Keep what the hot part has of a stretch, and drop what is left in its slot of the one before."""
        if not hot.recent and not hot.chunks:
            return
        for chunk in range(hot.chunks + 1, hot.stale + 1):
            store.drop_seen(_key(hot, hot.stretch, chunk))
        hot.busy &= ~(1 << hot.stretch % hot.slots)
        self._put_rest(store, hot, hot.stretch, hot.recent, hot.chunks)

    # Any stretch ---------------------------------------------------------------------------------------------------

    @staticmethod
    def _rest(store: Store, hot: Hot, stretch: int) -> _Rest:
        """Chunk 0 of a stretch that the clock has left, or has never been in."""
        part = store.get_seen(_key(hot, stretch, 0))
        if part is None:
            return set(), 0
        if part[0] != stretch:
            for chunk in range(1, part[2] + 1):
                store.drop_seen(_key(hot, stretch, chunk))
            return set(), 0
        return part[1], part[2]

    @staticmethod
    def _put_rest(store: Store, hot: Hot, stretch: int, ticks: set[Identity], chunks: int) -> None:
        if chunks:
            hot.busy |= 1 << stretch % hot.slots
        store.put_seen(_key(hot, stretch, 0), (stretch, ticks, chunks))

    @staticmethod
    def _chunk(store: Store, hot: Hot, stretch: int, chunk: int) -> set[Identity]:
        part = store.get_seen(_key(hot, stretch, chunk))
        return part[1] if part is not None and part[0] == stretch else set()

    def _append(self, store: Store, hot: Hot, stretch: int, chunks: int, ticks: set[Identity]) -> int:
        """Keep ticks newer than all chunks of their stretch as its next one; how many there are then."""
        chunk = min(chunks + 1, _CHUNKS - 1)
        full = self._chunk(store, hot, stretch, chunk) if chunk == chunks else set()
        store.put_seen(_key(hot, stretch, chunk), (stretch, ticks | full))
        return chunk

    def _split(self, store: Store, hot: Hot, stretch: int, ticks: set[Identity], chunks: int) -> _Rest:
        """Move the older half into a chunk, ticks of one instant staying together; what remains."""
        middle_ns = sorted(map(_AT, ticks))[len(ticks) // 2]
        older = {known for known in ticks if known[0] < middle_ns}
        if older:
            chunks = self._append(store, hot, stretch, chunks, older)
        return ticks - older, chunks

    def _find(self, store: Store, hot: Hot, stretch: int, chunks: int, at_ns: int) -> int:
        """The chunk whose part of the stretch an instant falls into, 0 beyond all of them: they follow each other in time."""
        found = bisect_left(
            range(1, chunks + 1), at_ns, key=lambda chunk: max(map(_AT, self._chunk(store, hot, stretch, chunk)), default=-1)
        )
        return found + 1 if found < chunks else 0

    def _clear(self, store: Store, hot: Hot) -> list[Identity]:
        """Everything written down, with its event time; the log is empty afterwards."""
        self._leave(store, hot)
        known: list[Identity] = []
        for slot in range(hot.slots):
            part = store.get_seen(slot * _CHUNKS)
            if part is None:
                continue
            stretch, ticks, chunks = part
            for chunk in range(1, chunks + 1):
                ticks |= self._chunk(store, hot, stretch, chunk)
                store.drop_seen(slot * _CHUNKS + chunk)
            store.drop_seen(slot * _CHUNKS)
            known += [(stretch * hot.span_ns + at_ns, source, key) for at_ns, source, key in ticks]
        return known


def _key(hot: Hot, stretch: int, chunk: int) -> int:
    return stretch % hot.slots * _CHUNKS + chunk
