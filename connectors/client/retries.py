"""Where to connect, and how long to wait before the next try."""

import random
import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

Address: TypeAlias = tuple[str, int]
Addresses: TypeAlias = str | Sequence[str] | Callable[[], Sequence[str]]
"""`host:port`, several of them in order of preference, or what finds them out before each try; it may block, and raise ConnectorError."""
_ADDRESS = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:\s]+)):(?P<port>[0-9]{1,5})")


def parse_address(text: str) -> Address:
    """`host:port` or `[::1]:port`. Raises ValueError."""
    match = _ADDRESS.fullmatch(text)
    if match is None or not 0 < int(match["port"]) < 65_536:
        raise ValueError(f"expected host:port, got {text!r}")
    return match["six"] or match["host"], int(match["port"])


def finder(addresses: Addresses) -> Callable[[], list[Address]]:
    """What to call for the addresses of the next try. Raises ValueError for one that is none."""
    if callable(addresses):
        return lambda: [parse_address(each) for each in addresses()]
    fixed = [parse_address(each) for each in ([addresses] if isinstance(addresses, str) else addresses)]
    return lambda: fixed


class Retries:
    """Waits that double from one failure to the next, up to `longest_s`, and are never quite regular: many clients come back."""

    def __init__(self, draw: random.Random, first_s: float = 0.1, longest_s: float = 3.0) -> None:
        self._draw = draw
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0

    def failed(self) -> float:
        """How long to wait after one more failure."""
        wait_s = min(self._longest_s, self._first_s * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return wait_s * self._draw.uniform(0.5, 1.0)

    def succeeded(self) -> None:
        """It worked: the next failure is the first again."""
        self._failures = 0
