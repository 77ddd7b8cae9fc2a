"""Who has logged in by the form: opaque tokens for cookies, kept in memory; and how often a wrong key may be tried."""

import secrets
from collections import OrderedDict, deque
from math import ceil

SESSION_S = 12 * 3_600.0
"""A log-in lasts this long; and not beyond the process, nor its key."""
MOST_SESSIONS = 10_000
ATTEMPTS = 10
"""Wrong keys in `ATTEMPTS_WINDOW_S` from one address, before the form takes none from there."""
ATTEMPTS_WINDOW_S = 60.0
MOST_ADDRESSES = 10_000
_TOKEN_BYTES = 32


class Sessions:
    """Log-ins by token, each of them a key's. No clock: it is told the time."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def open(self, key_id: str, now_s: float) -> str:
        """Begin a session of the key `key_id`; its token, 256 random bits. The oldest one makes room when there are too many."""
        while self._open and (len(self._open) >= MOST_SESSIONS or next(iter(self._open.values()))[1] <= now_s):
            self._open.popitem(last=False)
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._open[token] = key_id, now_s + SESSION_S
        return token

    def key_of(self, token: str, now_s: float) -> str | None:
        """The id of the key whose session this is; None when there is none, or no more."""
        key_id, ends_s = self._open.get(token, ("", 0.0))
        return key_id if now_s < ends_s else None

    def close(self, token: str) -> None:
        """End a session, if there is one."""
        self._open.pop(token, None)


class Attempts:
    """Wrong keys by address. No clock: it is told the time."""

    def __init__(self) -> None:
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, address: str, now_s: float) -> int:
        """How many seconds `address` has to wait before its next try; 0 when it need not."""
        failed = self._failed.get(address)
        if failed is None or len(failed) < ATTEMPTS or now_s - failed[0] >= ATTEMPTS_WINDOW_S:
            return 0
        return ceil(ATTEMPTS_WINDOW_S - (now_s - failed[0]))

    def failed(self, address: str, now_s: float) -> None:
        """`address` has tried a wrong key."""
        self._failed.setdefault(address, deque(maxlen=ATTEMPTS)).append(now_s)
        self._failed.move_to_end(address)
        if len(self._failed) > MOST_ADDRESSES:
            self._failed.popitem(last=False)
