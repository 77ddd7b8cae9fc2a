"""A symbol's parts in Flink's keyed state. Descriptor names never change: a renamed one would be silently empty."""

import pickle

from pyflink.common import Types
from pyflink.datastream import RuntimeContext
from pyflink.datastream.state import MapState, MapStateDescriptor, ValueState, ValueStateDescriptor

from udfs.state_layout import Part

_PICKLED = Types.PICKLED_BYTE_ARRAY


class FlinkStore:
    """The `Store` of the key at hand. Parts are pickled builtins, see `udfs.state_layout`.

    PyFlink pickles what it is given; the hot part is given as bytes, pickled here, so that whoever keeps it has them too.
    """

    def __init__(self, context: RuntimeContext) -> None:
        self._hot: ValueState = context.get_state(ValueStateDescriptor("hot", _PICKLED()))
        self._partials: ValueState = context.get_state(ValueStateDescriptor("partials", _PICKLED()))
        self._frames: MapState = context.get_map_state(MapStateDescriptor("frames", Types.STRING(), _PICKLED()))
        self._history: MapState = context.get_map_state(MapStateDescriptor("history", Types.STRING(), _PICKLED()))
        self._seen: MapState = context.get_map_state(MapStateDescriptor("seen", Types.INT(), _PICKLED()))
        self.kept = b""
        """The hot part that was put last, whatever its symbol, pickled."""
        self.get_partials = self._partials.value
        self.put_partials = self._partials.update
        self.put_frame = self._frames.put
        self.drop_frame = self._frames.remove
        self.put_history = self._history.put
        self.drop_history = self._history.remove
        self.put_seen = self._seen.put
        self.drop_seen = self._seen.remove

    def get_hot(self) -> Part | None:
        """The hot part."""
        kept: Part | bytes | None = self._hot.value()
        return pickle.loads(kept) if isinstance(kept, bytes) else kept  # version 1 was not given as bytes

    def put_hot(self, part: Part) -> None:
        """Keep the hot part."""
        self.kept = pickle.dumps(part)
        self._hot.update(self.kept)

    def get_frame(self, label: str) -> Part | None:
        """One frame's closed bars and indicator states."""
        part: Part | None = self._frames.get(label)
        return part

    def get_history(self, slot: str) -> Part | None:
        """One bar of `frame/slot`."""
        bar: Part | None = self._history.get(slot)
        return bar

    def get_seen(self, slot: int) -> Part | None:
        """One second of the duplicates' log, or a chunk of it."""
        part: Part | None = self._seen.get(slot)
        return part

    def clear(self) -> None:
        """Forget the symbol."""
        for state in (self._hot, self._partials, self._frames, self._history, self._seen):
            state.clear()
