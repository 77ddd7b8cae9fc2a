"""Which ticks have been counted before: a log by second of event time, read only for ticks that are not news."""

from udfs.model import Tick
from udfs.state_layout import Hot, Identity, Store

_SLOTS = 256
_CHUNKS = 4096
_CHUNK_TICKS = 16
_SECOND_NS = 1_000_000_000


class DuplicatesLog:
    """Knows a tick again by source, event time and id (else seq), within `window_ms` before the symbol's clock.

    The newest ticks of the clock's second lie in the hot part, those of the clock's very instant always. What does
    not fit goes into chunks of that second, and when event time enters another second the rest becomes chunk 0.
    Seconds lie in a ring of slots that the clock overwrites as it moves on. Ticks with neither id nor seq are never
    duplicates.
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
            self._flush_chunk(store, hot)
        hot.recent.add((event_time_ns % self._second_ns, source, key))

    def seen(self, store: Store, hot: Hot, tick: Tick) -> bool:
        """Whether a tick not newer than the clock was counted before; if it was not, it is written down."""
        event_time_ns, _, _, _, seq, trade_id, source, _, _ = tick
        key = seq if trade_id is None else trade_id
        if key is None or event_time_ns < hot.clock_ns - self._window_ns:
            return False
        second = event_time_ns // self._second_ns
        identity = (event_time_ns % self._second_ns, source, key)
        if second == hot.recent_second:
            known = identity in hot.recent or (event_time_ns < hot.clock_ns and self._in_chunks(store, hot, second, identity, 1))
            if not known:
                hot.recent.add(identity)
            return known
        if self._in_chunks(store, hot, second, identity, 0):
            return True
        rest = self._chunk(store, second, 0)
        store.put_seen(second % _SLOTS * _CHUNKS, (second, rest | {identity}))
        return False

    def _enter(self, store: Store, hot: Hot, second: int) -> None:
        if hot.recent:
            store.put_seen(hot.recent_second % _SLOTS * _CHUNKS, (hot.recent_second, hot.recent))
        hot.recent_second, hot.recent = second, set()
        slot = second % _SLOTS
        for chunk in range(1, hot.chunks.pop(slot, 0) + 1):
            store.drop_seen(slot * _CHUNKS + chunk)

    def _flush_chunk(self, store: Store, hot: Hot) -> None:
        slot = hot.recent_second % _SLOTS
        chunk = min(hot.chunks.get(slot, 0) + 1, _CHUNKS - 1)
        hot.chunks[slot] = chunk
        full = self._chunk(store, hot.recent_second, chunk) if chunk == _CHUNKS - 1 else set()
        store.put_seen(slot * _CHUNKS + chunk, (hot.recent_second, hot.recent | full))
        hot.recent = set()

    def _in_chunks(self, store: Store, hot: Hot, second: int, identity: Identity, first: int) -> bool:
        chunks = hot.chunks.get(second % _SLOTS, 0)
        return any(identity in self._chunk(store, second, chunk) for chunk in range(first, chunks + 1))

    def _chunk(self, store: Store, second: int, chunk: int) -> set[Identity]:
        part = store.get_seen(second % _SLOTS * _CHUNKS + chunk)
        return part[1] if part is not None and part[0] == second else set()
