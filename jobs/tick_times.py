"""Times as they stand in the columns of tick files: many spellings, time zones, epoch numbers; out comes event time in ns."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

from connectors.errors import LineRefused
from connectors.event_times import NS_PER_S, ns_of_timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"\d{9,19}(\.\d+)?")
_FRACTION = re.compile(r"(?<=:\d\d)[.,](\d+)")
_FORMATS = (
    "%m/%d/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%Y%m%d %H%M%S",
    "%Y%m%d%H%M%S",
    "%m/%d/%Y %H:%M",
)
"""Tried after ISO 8601, in this order; the first that fits is kept for the file. `%m/%d` is read the American way."""


class TickTimes:
    """Parses the time column of one file.

    Takes epoch numbers by magnitude (from 1e8 on, as everywhere), ISO 8601, and `_FORMATS` or the `strptime` format
    given. Local times mean `zone`. A local time that comes twice, when clocks go back, means the first unless that
    would step more than a minute behind the row before; one that does not exist, when they go forward, means as much
    after the change.
    """

    def __init__(self, zone: tzinfo, time_format: str | None = None) -> None:
        self._zone = zone
        self._formats = (time_format,) if time_format else _FORMATS
        self._only_formats = time_format is not None
        self._read: Callable[[str], datetime] | None = None
        self._before: datetime | None = None

    def parse(self, text: str) -> int | None:
        """Epoch nanoseconds of `text`; None when it is no time."""
        text = text.strip()
        if not self._only_formats and _NUMBER.fullmatch(text) and (epoch_ns := _ns_of_number(text)) is not None:
            return epoch_ns
        fraction = _FRACTION.search(text) if not self._only_formats else None
        whole = text[: fraction.start()] + text[fraction.end() :] if fraction else text
        local = self._parse_whole(whole)
        if local is None:
            return None
        moment = self._in_order(local if local.tzinfo else local.replace(tzinfo=self._zone))
        micros = (moment - _EPOCH) // timedelta(microseconds=1)
        return micros * 1_000 + (int(fraction[1][:9].ljust(9, "0")) if fraction else 0)

    def _parse_whole(self, text: str) -> datetime | None:
        for read in (self._read, *self._readers()):
            if read is None:
                continue
            try:
                moment = read(text)
            except ValueError:
                continue
            self._read = read
            return moment
        return None

    def _readers(self) -> list[Callable[[str], datetime]]:
        formats = [_strptime(pattern) for pattern in self._formats]
        return formats if self._only_formats else [datetime.fromisoformat, *formats]

    def _in_order(self, moment: datetime) -> datetime:
        moment = moment.astimezone(UTC) if moment.tzinfo is not self._zone else self._unfolded(moment)
        self._before = moment
        return moment

    def _unfolded(self, local: datetime) -> datetime:
        first, second = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
        steps_back = self._before is not None and first < self._before - timedelta(minutes=1)
        return second if second > first and steps_back else first


def _strptime(pattern: str) -> Callable[[str], datetime]:
    return lambda text: datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is added by the caller


def _ns_of_number(text: str) -> int | None:
    if "." in text:
        whole, _, fraction = text.partition(".")
        return int(whole) * NS_PER_S + int(fraction[:9].ljust(9, "0")) if len(whole) < 12 else None
    try:
        return ns_of_timestamp(int(text))
    except LineRefused:
        return None
