"""Batches from a reading thread to the event loop, a few at a time: a slow loop slows the reading, memory stays bounded."""

import asyncio
from collections.abc import Callable
from threading import Semaphore
from typing import Generic, TypeVar

T = TypeVar("T")
SLICE = 100
"""Of so many finals the loop takes care at a stretch: less than a client's frame holds. Then clients are sent what waits for them."""
_LOOK_UP_S = 0.5
"""How often a thread that waits for the loop asks whether it still should."""


class Handover(Generic[T]):
    """Calls `take` in the loop with each batch, in order; at most `at_once` of them wait there.

    With `slice_size` a batch goes over in slices, each in a turn of its own. As it is read it may have more finals in it than
    may wait for one client: put there at one stroke, they would have a client cut that takes them as fast as can be.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, take: Callable[[list[T]], None], at_once: int = 4, slice_size: int | None = None
    ) -> None:
        self._loop = loop
        self._take = take
        self._slice_size = slice_size
        self._room = Semaphore(at_once if slice_size is None else 1)
        self._closed = False

    def __call__(self, batch: list[T]) -> None:
        """Hand over one batch from a thread other than the loop's, waiting for room. After `close` it is dropped."""
        size = self._slice_size or max(1, len(batch))
        for first in range(0, len(batch), size):
            self._hand_over(batch[first : first + size])

    def close(self) -> None:
        """Have nothing handed over any more, and nobody wait. Called in the loop."""
        self._closed = True

    def _hand_over(self, part: list[T]) -> None:
        while not self._room.acquire(timeout=_LOOK_UP_S):
            if self._closed:
                return
        if not self._closed:
            self._loop.call_soon_threadsafe(self._give, part)

    def _give(self, part: list[T]) -> None:
        try:
            if not self._closed:
                self._take(part)
        finally:
            self._room.release()
