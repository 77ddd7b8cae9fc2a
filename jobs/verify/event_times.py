"""Event times of lines, read again: whatever form they have, as integer ns since the epoch (UTC)."""

import re
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from jobs.verify.rules import NS_PER_MS

_RFC3339 = re.compile(r"(\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}):([0-5]\d|60)(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_UNITS_BY_MAGNITUDE = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3))
_EXACT = Context(prec=400, rounding=ROUND_HALF_EVEN)


def event_time_ns(fields: dict[str, Any], timestamp_ms: int) -> int:
    """The event time a line states, else its record's. Raises ValueError for none that can be, or out of [0, 2**63) ns."""
    given = fields.get("event_time_ms")
    if given is not None:
        return _in_range(_scaled(given, NS_PER_MS))
    for name in ("timestamp", "ts"):
        given = fields.get(name)
        if given is not None:
            return _in_range(_rfc3339(given) if type(given) is str else _by_magnitude(given))
    return _in_range(timestamp_ms * NS_PER_MS)


def _in_range(given_ns: int) -> int:
    if not 0 <= given_ns < 2**63:
        raise ValueError(given_ns)
    return given_ns


def _by_magnitude(given: int | float) -> int:
    return _scaled(given, next((unit for below, unit in _UNITS_BY_MAGNITUDE if abs(given) < below), 1))


def _scaled(given: int | float, unit_ns: int) -> int:
    """`given` units in ns; a double stands for its shortest decimal, rounded half even."""
    if type(given) is int:
        return given * unit_ns
    return int((Decimal(repr(given)) * unit_ns).to_integral_value(context=_EXACT))


def _rfc3339(text: str) -> int:
    """A leap second is the first of the next minute; digits below a nanosecond are cut off."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(text)
    minute, second, fraction, offset = match.groups()
    moment = datetime.fromisoformat(f"{minute[:10]}T{minute[11:]}:00{'+00:00' if offset in 'Zz' else offset}")
    seconds = round(moment.timestamp()) + int(second)
    return seconds * 10**9 + int((fraction or "0")[:9].ljust(9, "0"))
