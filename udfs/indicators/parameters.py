"""Bounds shared by the indicators: what their parameters may be, and what counts as rounding."""

from udfs.errors import SpecError

MAX_PERIOD = 10_000
"""The longest period taken: a window of that many numbers is kept for each symbol and time frame."""
MAX_FACTOR = 1_000
"""The largest multiple of a spread taken."""
ROUNDING = 1e-15
"""Relative. A spread below this times the window's length may be the rounding of a mean over equal prices."""


def require_period(name: str, period: int, least: int = 1) -> None:
    """Raise SpecError unless `period` is a whole number from `least` to MAX_PERIOD."""
    if type(period) is not int or not least <= period <= MAX_PERIOD:
        raise SpecError(name, f"a period must be a whole number from {least} to {MAX_PERIOD}, got {period!r}")


def require_factor(name: str, factor: float) -> None:
    """Raise SpecError unless `factor` is a number above 0, at most MAX_FACTOR."""
    if type(factor) not in (int, float) or not 0 < factor <= MAX_FACTOR:
        raise SpecError(name, f"a factor must be a number above 0, at most {MAX_FACTOR}, got {factor!r}")
