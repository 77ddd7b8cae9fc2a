"""Time frames: labels, lengths, and which bar an event time falls into (UTC-aligned)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from udfs.errors import FrameError

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
NS_PER_MS = 1_000_000

_UNITS = {"min": MINUTE_MS, "m": MINUTE_MS, "T": MINUTE_MS, "hour": HOUR_MS, "h": HOUR_MS, "day": DAY_MS, "D": DAY_MS}
_LABEL = re.compile(r"([1-9][0-9]{0,3})(min|hour|day|[mThD])")


@dataclass(frozen=True, slots=True)
class Frame:
    """A time frame. `label` is canonical: `Nmin` below an hour, `Nhour` below a day, `1day`."""

    label: str
    length_ms: int

    def bounds(self, event_time_ns: int) -> tuple[int, int]:
        """[start, end) in epoch ms of the bar that `event_time_ns` falls into."""
        event_time_ms = event_time_ns // NS_PER_MS
        start_ms = event_time_ms - event_time_ms % self.length_ms
        return start_ms, start_ms + self.length_ms


def parse_frame(label: str) -> Frame:
    """The frame called `label`; also takes `1m`, `5T`, `1h`, `1D`. Raises FrameError unless it divides a day evenly."""
    match = _LABEL.fullmatch(label)
    if match is None:
        raise FrameError(label, "expected Nmin, Nhour or 1day")
    length_ms = int(match[1]) * _UNITS[match[2]]
    if DAY_MS % length_ms:
        raise FrameError(label, "does not divide a day evenly")
    return Frame(_canonical_label(length_ms), length_ms)


def parse_frames(labels: Iterable[str]) -> tuple[Frame, ...]:
    """The frames called `labels`, shortest first. Raises FrameError for an unknown, a repeated or a missing one."""
    frames = sorted((parse_frame(label) for label in labels), key=lambda frame: frame.length_ms)
    if not frames:
        raise FrameError("", "at least one time frame is needed")
    for shorter, longer in pairwise(frames):
        if shorter == longer:
            raise FrameError(longer.label, "is listed twice")
    return tuple(frames)


def _canonical_label(length_ms: int) -> str:
    if length_ms == DAY_MS:
        return "1day"
    if length_ms % HOUR_MS == 0:
        return f"{length_ms // HOUR_MS}hour"
    return f"{length_ms // MINUTE_MS}min"


MINUTE = Frame("1min", MINUTE_MS)
