"""A thread that keeps an eye on something slow (a topic, another service) so that no request ever waits for it."""

import threading
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")

INTERVAL_S = 2.0
LONGEST_WAIT_S = 30.0
_LEAVE_S = 0.5


class Follower(Generic[T]):
    """Looks each `interval_s` and keeps what it saw last in `newest`, which nobody may change; before the first look that is `nothing`.

    `follow` makes an iterator that looks once a step. When it fails that is logged, and it is made anew, each time after a longer wait.
    """

    def __init__(self, name: str, follow: Callable[[], Iterator[T]], nothing: T, log: Any, *, interval_s: float = INTERVAL_S) -> None:
        self.newest = nothing
        self._name, self._follow, self._log, self._interval_s = name, follow, log, interval_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; what is being waited for is given up with the process."""
        self._stopping.set()
        self._thread.join(_LEAVE_S)

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            steps = self._follow()
            try:
                for self.newest in steps:
                    failures = 0
                    if self._stopping.wait(self._interval_s):
                        break
            except Exception as error:  # whatever it is, what was seen before stands, and delivery goes on
                failures += 1
                if failures == 1:
                    self._log.warning("not_followed", what=self._name, why=str(error) or repr(error))
            finally:
                _close(steps)
            self._stopping.wait(min(LONGEST_WAIT_S, self._interval_s * 2 ** min(failures, 10)))


def _close(steps: Iterator[Any]) -> None:
    """A generator lets go of what it has open."""
    close = getattr(steps, "close", None)
    if close is not None:
        close()
