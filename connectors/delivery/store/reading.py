"""Reading the store away from the event loop: a few threads with a reader each, and a bound on what waits for them."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from connectors.delivery.store.reader import StoreReader
from connectors.errors import TooBusy

T = TypeVar("T")

THREADS = 2
MAX_WAITING = 256
"""Questions that may wait for a thread; one more is refused."""


class Reading:
    """The store, to be asked from the event loop. `open_reader` is called once a thread, at its first question."""

    def __init__(self, open_reader: Callable[[], StoreReader], threads: int = THREADS, max_waiting: int = MAX_WAITING) -> None:
        self._open = open_reader
        self._max_waiting = max_waiting
        self._waiting = 0
        self._own = threading.local()
        self._readers: list[StoreReader] = []
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="reading")

    async def ask(self, question: Callable[[StoreReader], T], *, urgent: bool = False) -> T:
        """The answer of one thread's reader. Raises TooBusy when too many wait, unless it is urgent."""
        if self._waiting >= self._max_waiting and not urgent:
            raise TooBusy(self._waiting)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._answer, question)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Wait for the answers that are being made, and let go of the store."""
        self._pool.shutdown(cancel_futures=True)
        for reader in self._readers:
            reader.close()

    def _answer(self, question: Callable[[StoreReader], T]) -> T:
        if not hasattr(self._own, "reader"):
            self._own.reader = self._open()
            self._readers.append(self._own.reader)
        return question(self._own.reader)
