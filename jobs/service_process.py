"""What gateway and delivery have in common as processes: signals, logs, files that change, addresses, descriptors."""

import asyncio
import gc
import logging
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import structlog

from jobs.config import Config
from jobs.config_terms import split_address

YOUNG_OBJECTS = 50_000
"""Objects that are new and still there, before Python looks for garbage among them."""
REFRESH_S = 1.0
"""Between two looks at files that may have changed."""
_ANY_HOST = ("0.0.0.0", "[::]")


class Refreshed(Protocol):
    """Something out of files, which takes up their changes: keys, certificates."""

    problem: str
    """Why the newest files are not in use."""

    def refresh(self) -> bool:
        """Take up changed files; whether there were any."""


async def keep_fresh(watched: Mapping[str, Refreshed | None], log: Any) -> None:
    """Take up changes of each of `watched`, by what the log calls it, and say so, until cancelled."""
    while True:
        await asyncio.sleep(REFRESH_S)
        for event, each in watched.items():
            if each is None or not each.refresh():
                continue
            if each.problem:
                log.error(f"{event}_unreadable", why=each.problem)
            else:
                log.info(f"{event}_changed")


def handle_signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Have SIGTERM and the first Ctrl-C call `stop`; the second Ctrl-C ends the process at once, with 130."""
    seen: set[int] = set()

    def on_signal(number: int) -> None:
        if number == signal.SIGINT and seen:
            os._exit(130)
        seen.add(number)
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)


def json_log(service: str) -> Any:
    """A log of JSON lines on stderr, each with the name of the `service`; what libraries have to say from a warning up is in it too."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    log = structlog.get_logger(service=service)
    logging.basicConfig(level=logging.WARNING, handlers=[_PassOn(log)], force=True)
    return log


class _PassOn(logging.Handler):
    """Puts what a library logs into our log."""

    def __init__(self, log: Any) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        say = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        say(record.getMessage(), logger=record.name, exc_info=record.exc_info)


def advertised(config: Config, section: str, host_name: str) -> str:
    """The address by which other machines reach `section`: as configured, else where it listens, with a name for "any host"."""
    host, port = split_address(config.value(f"{section}.listen"))
    configured: str = config.value(f"{section}.advertise")
    return configured or f"{host_name if host in _ANY_HOST else host}:{port}"


def bind_address(text: str) -> tuple[str, int]:
    """`host:port` as a server takes it."""
    host, port = split_address(text)
    return host.strip("[]"), port


def allow_files(wanted: int) -> None:
    """Let this process have as many descriptors as it may need, as far as the system permits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


def collect_garbage_rarely() -> None:
    """Let Python look for garbage once in a long while, and never at what stands now: to be called when all of that is there.

    A look at everything that some thousand connections hold stops every client for tens of ms. Next to nothing waits for it:
    who has gone is freed at once (tests/connectors/gateway/test_garbage.py).
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 100)
