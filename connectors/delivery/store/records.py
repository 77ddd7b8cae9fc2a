"""Result records as delivery keeps them and passes them on: a few fields read, the bytes left as they are."""

from functools import lru_cache
from typing import Annotated, NamedTuple, TypeAlias

import msgspec

from connectors.errors import DecodeError
from connectors.tick_lines import is_symbol
from udfs.errors import FrameError
from udfs.frames import MINUTE_MS, parse_frame
from udfs.model import Status

MINUTES = 2**32
"""Bars start at whole minutes of the epoch, fewer than these: up to the year 10136."""
Version: TypeAlias = tuple[int, int, int, int]
"""(run, revision, partition, offset): the total order among the records of one bar, whatever order they are met in.

Within a partition the later record wins among equals. A symbol lies in one partition unless a foreign producer or
added partitions split it; then the higher partition wins, so that every reading of the topic ends alike.
"""

_Whole: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Start: TypeAlias = Annotated[int, msgspec.Meta(ge=0, lt=MINUTES * MINUTE_MS, multiple_of=MINUTE_MS)]


class Series(NamedTuple):
    """The bars of one symbol in one time frame."""

    stock_id: str
    time_frame: str
    """Canonical."""


class BarRecord(NamedTuple):
    """One record of `indicator_results` or `indicator_live`, and where it lies."""

    stock_id: str
    time_frame: str
    start_ms: int
    end_ms: int
    status: Status
    run: int
    revision: int
    as_of_ms: int | None
    """The symbol's clock, on forming records."""
    emitted_ms: int | None
    """When the job said it, by its clock."""
    partition: int
    offset: int
    value: bytes
    """The record as it is in the topic: one JSON object in valid UTF-8 on one line, `{` first."""

    @property
    def series(self) -> Series:
        """The symbol and frame it is of."""
        return Series(self.stock_id, self.time_frame)

    @property
    def version(self) -> Version:
        """Of one bar the record with the highest is the newest."""
        return self.run, self.revision, self.partition, self.offset


class _Head(msgspec.Struct, gc=False):
    """What delivery has to know of a record; the decoder checks that the rest is JSON and makes nothing of it."""

    stock_id: str
    time_frame: str
    start_ms: _Start
    end_ms: _Whole
    status: Status
    run: _Whole
    revision: _Whole
    as_of_ms: _Whole | None = None
    emitted_ms: _Whole | None = None


_decode = msgspec.json.Decoder(_Head).decode
_new_record = tuple.__new__


def read_record(value: bytes | None, partition: int, offset: int) -> BarRecord:
    """The record `value` holds. Raises DecodeError where it could not be kept, or not be put into a message as it is."""
    if value is None:
        raise DecodeError("not a result record: no value")
    try:
        head = _decode(value)
        _check_text(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"not a result record: {error}") from error
    if head.end_ms <= head.start_ms:
        raise DecodeError(f"not a result record: it ends at {head.end_ms}, before it starts at {head.start_ms}")
    if not is_symbol(head.stock_id):
        raise DecodeError(f"not a result record: stock_id {head.stock_id[:64]!r} is no symbol")
    if not _is_canonical(head.time_frame):
        raise DecodeError(f"not a result record: time_frame {head.time_frame[:64]!r} is no canonical label")
    return _new_record(
        BarRecord,
        (head.stock_id, head.time_frame, head.start_ms, head.end_ms, head.status, head.run, head.revision, head.as_of_ms, head.emitted_ms,
         partition, offset, value),
    )  # fmt: skip


def _check_text(value: bytes) -> None:
    """Messages are joined from records' bytes: `{` first, no line break, valid UTF-8 where the decoder did not look."""
    if value[:1] != b"{" or b"\n" in value or b"\r" in value:
        raise DecodeError("not a result record: more than one line, or spaces before it")
    if not value.isascii():
        value.decode()


@lru_cache(maxsize=4_096)
def _is_canonical(label: str) -> bool:
    try:
        return parse_frame(label).label == label
    except FrameError:
        return False
