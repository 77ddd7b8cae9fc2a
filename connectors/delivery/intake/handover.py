"""Batches from a reading thread to the event loop, a few at a time: a slow loop slows the reading, memory stays bounded."""

import asyncio
from collections.abc import Callable
from threading import Semaphore
from typing import Generic, TypeVar

T = TypeVar("T")
_LOOK_UP_S = 0.5
"""How often a thread that waits for the loop asks whether it still should."""


class Handover(Generic[T]):
    """Calls `take` in the loop with each batch, in order; at most `at_once` of them wait there."""

    def __init__(self, loop: asyncio.AbstractEventLoop, take: Callable[[T], None], at_once: int = 4) -> None:
        self._loop = loop
        self._take = take
        self._room = Semaphore(at_once)
        self._closed = False

    def __call__(self, batch: T) -> None:
        """Hand over one batch from a thread other than the loop's, waiting for room. After `close` it is dropped."""
        while not self._room.acquire(timeout=_LOOK_UP_S):
            if self._closed:
                return
        if not self._closed:
            self._loop.call_soon_threadsafe(self._give, batch)

    def close(self) -> None:
        """Have nothing handed over any more, and nobody wait. Called in the loop."""
        self._closed = True

    def _give(self, batch: T) -> None:
        try:
            if not self._closed:
                self._take(batch)
        finally:
            self._room.release()
