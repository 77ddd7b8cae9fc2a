"""The log of duplicates as version 1 of the hot part had it: seconds instead of stretches, in a ring of 128 slots."""

from udfs.state_layout import Hot, Identity, Store

_SLOTS = 128
_CHUNKS = 4096
_SECOND_NS = 1_000_000_000


def clear_log_1(store: Store, hot: Hot) -> list[Identity]:
    """Take it out of the state: every tick in it, with its event time."""
    if hot.log_1 is None or hot.log_1[0] < 0:
        return []
    second, recent, chunks = hot.log_1
    logged = [(second, recent)]
    for slot in range(_SLOTS):
        for chunk in range(chunks.get(slot, 0) + 1):
            part = store.get_seen(slot * _CHUNKS + chunk)
            if part is not None:
                logged.append((part[0], part[1]))
                store.drop_seen(slot * _CHUNKS + chunk)
    # Its "seconds" were longer ones for a long window; the newest of them was the clock's.
    length_ns = hot.clock_ns // _SECOND_NS // second * _SECOND_NS
    return [(number * length_ns + at_ns, source, key) for number, ticks in logged for at_ns, source, key in ticks]
