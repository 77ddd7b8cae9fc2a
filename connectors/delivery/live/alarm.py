"""Waking the task that sends to one client."""

import asyncio


class Alarm:
    """Rings at the earliest of the times it was set to; may be set from anywhere in the loop, and rings once however often it was set."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ringing = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    def wake(self, when_s: float) -> None:
        """Ring at this time of the loop; at once when it has passed."""
        if self._ringing.is_set():
            return
        if when_s <= self._loop.time():
            self._ring()
        elif self._timer is None or when_s < self._timer.when():
            self.stop()
            self._timer = self._loop.call_at(when_s, self._ring)

    async def rung(self) -> None:
        """Wait until it rings."""
        await self._ringing.wait()
        self._ringing.clear()

    def stop(self) -> None:
        """Do not ring at the time set."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self.stop()
        self._ringing.set()
