"""Each symbol's hot part as it was last kept: who holds on to it saves reading Flink's state for each record."""

import pickle

from udfs.state_layout import Hot

FEW = 1_000
"""Symbols whose hot parts are held as objects. Those of more lie all over the memory, out of the processor's caches: to wait
for them takes longer than to read one piece of bytes (docs/decisions/0016)."""


class HotParts:
    """What one task holds. A task that fails is opened anew and reads Flink's state."""

    def __init__(self) -> None:
        self._objects: dict[str, Hot] | None = {}
        self._pickled: dict[str, bytes] = {}

    def get(self, symbol: str) -> Hot | None:
        """The symbol's hot part, None when it is not held."""
        if self._objects is not None:
            return self._objects.get(symbol)
        pickled = self._pickled.get(symbol)
        return None if pickled is None else Hot(*pickle.loads(pickled)[1:])

    def hold(self, symbol: str, hot: Hot, pickled: bytes) -> None:
        """Hold on to the part, which was kept as `pickled`."""
        if self._objects is None:
            self._pickled[symbol] = pickled
            return
        self._objects[symbol] = hot
        if len(self._objects) > FEW:
            self._pickled = {name: pickle.dumps(held.part()) for name, held in self._objects.items()}
            self._objects = None

    def forget(self, symbol: str) -> None:
        """Hold on to it no more."""
        self._pickled.pop(symbol, None)
        if self._objects is not None:
            self._objects.pop(symbol, None)
