"""What a line says of its event time, as integer nanoseconds since the epoch (UTC)."""

import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from connectors.errors import LineRefused
from udfs.model import Reason

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
MAX_MS = (2**63 - 1) // NS_PER_MS
"""The newest whole millisecond that a signed 64-bit count of nanoseconds holds: in the year 2262."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAGNITUDES = ((10**11, NS_PER_S), (10**14, NS_PER_MS), (10**17, 1_000))
_RFC3339 = re.compile(
    r"(?P<minute>\d{4}-\d\d-\d\d[T ]\d\d:\d\d):(?P<second>[0-5]\d|60)(?:\.(?P<fraction>\d+))?"
    r"(?:Z|(?P<sign>[+-])(?P<hours>[01]\d|2[0-3]):(?P<minutes>[0-5]\d))",
    re.ASCII | re.IGNORECASE,
)


def ns_of_ms(event_time_ms: int | float, field: str = "event_time_ms") -> int:
    """Milliseconds, never guessed to be anything else. Raises LineRefused(bad_time) outside 0..2**63 ns."""
    return _in_range(_scaled(event_time_ms, NS_PER_MS), field)


def ns_of_timestamp(timestamp: int | float | str, field: str = "timestamp") -> int:
    """A number by its magnitude (below 1e11 s, 1e14 ms, 1e17 us, else ns) or RFC 3339 text with an offset."""
    if isinstance(timestamp, str):
        return _in_range(_ns_of_rfc3339(timestamp, field), field)
    for limit, unit_ns in _MAGNITUDES:
        if abs(timestamp) < limit:
            return _in_range(_scaled(timestamp, unit_ns), field)
    return _in_range(_scaled(timestamp, 1), field)


def _scaled(number: int | float, unit_ns: int) -> int:
    """`number` units; a double stands for its shortest decimal, rounded half even to the nanosecond."""
    if isinstance(number, int):
        return number * unit_ns
    return int((Decimal(repr(number)) * unit_ns).to_integral_value(ROUND_HALF_EVEN))


def _ns_of_rfc3339(text: str, field: str) -> int:
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise LineRefused(Reason.BAD_TIME, f"{field}: expected RFC 3339 with an offset, got {text[:40]!a}")
    try:
        minute = datetime.fromisoformat(match["minute"]).replace(tzinfo=UTC)
    except ValueError as error:
        raise LineRefused(Reason.BAD_TIME, f"{field}: {error}") from error
    # A leap second (:60) is the first of the next minute, as POSIX counts; digits below a nanosecond are cut off.
    seconds = (minute - _EPOCH) // timedelta(seconds=1) + int(match["second"]) - _offset_s(match)
    return seconds * NS_PER_S + int((match["fraction"] or "0")[:9].ljust(9, "0"))


def _offset_s(match: re.Match[str]) -> int:
    if match["sign"] is None:
        return 0
    offset_s = int(match["hours"]) * 3600 + int(match["minutes"]) * 60
    return -offset_s if match["sign"] == "-" else offset_s


def _in_range(event_time_ns: int, field: str) -> int:
    if 0 <= event_time_ns < 2**63:
        return event_time_ns
    raise LineRefused(Reason.BAD_TIME, f"{field}: outside of 1970-01-01 to 2262-04-11")
