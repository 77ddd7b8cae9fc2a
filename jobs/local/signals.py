"""Ctrl-C and SIGTERM, handled for as long as something runs."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def handling(on_signal: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Within the block SIGINT and SIGTERM call `on_signal`; after it, what they called before. Main thread only."""
    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
