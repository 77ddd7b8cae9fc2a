"""Waking the task that sends to one client."""

import asyncio
import math


class Alarm:
    """Rings at the earliest of the times it was set to; may be set from anywhere in the loop, and rings once however often it was set."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ringing = asyncio.Event()
        self._timer: asyncio.Handle | None = None
        self._rings_at_s = math.inf

    def wake(self, when_s: float) -> None:
        """Ring at this time of the loop; at once when it has passed."""
        if self._ringing.is_set():
            return
        if when_s <= self._loop.time():
            self._ring()
        elif when_s < self._rings_at_s:
            self.stop()
            # uvloop gives a handle that does not know its time for what is less than half a millisecond away.
            self._timer, self._rings_at_s = self._loop.call_at(when_s, self._ring), when_s

    async def rung(self) -> None:
        """Wait until it rings."""
        await self._ringing.wait()
        self._ringing.clear()

    def stop(self) -> None:
        """Do not ring at the time set."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._rings_at_s = None, math.inf

    def _ring(self) -> None:
        self.stop()
        self._ringing.set()
