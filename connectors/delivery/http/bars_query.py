"""Queries for bars: their parameters, what may go together, and the token that leads to the next page. Pure."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple
from zlib import crc32

import msgspec

from connectors.delivery.http.parameters import (
    SWITCH_SCHEMA,
    TIME_SCHEMA,
    Offer,
    Parameter,
    always,
    frame_schema,
    labels_schema,
    parse_query,
    read_choice,
    read_frame,
    read_frames,
    read_labels,
    read_switch,
    read_symbols,
    read_symbols_or_all,
    read_text,
    read_time,
    read_whole,
    symbols_schema,
)
from connectors.errors import BadQuery
from udfs.frames import Frame

_decode = msgspec.json.Decoder(tuple[int, str, int]).decode

MAX_ROWS = 10_000
"""Rows of one answer."""
DEFAULT_ROWS = 1_000


class Format(StrEnum):
    """How bars are written."""

    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"


class After(NamedTuple):
    """Where a page ended: the next one goes on behind this bar."""

    stock_id: str
    start_ms: int


@dataclass(frozen=True, slots=True)
class BarsQuery:
    """A query for bars whose start is in `[start_ms, end_ms)`, every part of it checked."""

    symbols: tuple[str, ...]
    frame: Frame
    start_ms: int | None
    end_ms: int | None
    limit: int
    """Rows in all when a start or an end is given, else rows of each symbol."""
    newest_first: bool
    labels: frozenset[str] | None
    """Indicators of each record; None for all of them."""
    include_forming: bool
    format: Format
    after: After | None

    @property
    def is_range(self) -> bool:
        """Whether it is walked page by page; otherwise it is the newest bars of each symbol."""
        return self.start_ms is not None or self.end_ms is not None


class LatestQuery(NamedTuple):
    """A query for the newest bar of each series."""

    symbols: tuple[str, ...] | None
    """None for all of them."""
    frames: tuple[Frame, ...]
    labels: frozenset[str] | None
    include_forming: bool


SYMBOLS = Parameter("symbols", read_symbols, "Symbols separated by commas.", symbols_schema, required=True, listed=True)
FRAME = Parameter(
    "time_frame", read_frame, "A configured time frame; `1m`, `5T`, `1h` and `1D` are understood too.", frame_schema, required=True
)
INDICATORS = Parameter(
    "indicators", read_labels, "Indicators of each bar, by label; empty for none. All of them when absent.", labels_schema, listed=True
)
FORMING = Parameter(
    "include_forming", read_switch, "Whether a bar that is still forming is among them.", always(SWITCH_SCHEMA), default=False
)
PAGE_TOKEN = Parameter(
    "page_token",
    read_text(400),
    "`next_page_token` of the page before; the other parameters stay the same.",
    always({"type": "string", "maxLength": 400, "pattern": "^[A-Za-z0-9_-]+$"}),
)
BARS_PARAMETERS = (
    SYMBOLS,
    FRAME,
    Parameter("start", read_time, "Bars that start at this time or later: epoch ms, or RFC 3339 with an offset.", always(TIME_SCHEMA)),
    Parameter("end", read_time, "Bars that start before this time.", always(TIME_SCHEMA)),
    Parameter(
        "limit",
        read_whole(1, MAX_ROWS),
        "With a start or an end, the rows of a page in all; without, the newest rows of each symbol, at most 10,000 in all.",
        always({"type": "integer", "minimum": 1, "maximum": MAX_ROWS, "default": DEFAULT_ROWS}),
        default=DEFAULT_ROWS,
    ),
    Parameter(
        "sort",
        read_choice("asc", "desc"),
        "By start, within each symbol; `desc` begins with the newest.",
        always({"type": "string", "enum": ["asc", "desc"], "default": "asc"}),
        default="asc",
    ),
    INDICATORS,
    FORMING,
    Parameter(
        "format",
        read_choice(*Format),
        "How the bars are written.",
        always({"type": "string", "enum": [*Format], "default": Format.JSON}),
        default=Format.JSON,
    ),
    PAGE_TOKEN,
)
SYMBOLS_OR_ALL = Parameter(
    "symbols",
    read_symbols_or_all,
    "Symbols separated by commas, or `*` for all.",
    lambda offer: {"oneOf": [{"const": "*", "type": "string"}, symbols_schema(offer)]},
    required=True,
    listed=True,
)
TIME_FRAMES = Parameter(
    "time_frames",
    read_frames,
    "Time frames separated by commas.",
    lambda offer: {"type": "array", "items": frame_schema(offer), "minItems": 1},
    required=True,
    listed=True,
)
LATEST_PARAMETERS = (SYMBOLS_OR_ALL, TIME_FRAMES, INDICATORS, FORMING)


def parse_bars_query(pairs: Iterable[tuple[str, str]], offer: Offer) -> BarsQuery:
    """The query that `pairs` of names and texts ask. Raises BadQuery."""
    values = parse_query(pairs, BARS_PARAMETERS, offer)
    labels, token = values["indicators"], values["page_token"]
    query = BarsQuery(
        symbols=values["symbols"],
        frame=values["time_frame"],
        start_ms=values["start"],
        end_ms=values["end"],
        limit=values["limit"],
        newest_first=values["sort"] == "desc",
        labels=None if labels is None else frozenset(labels),
        include_forming=values["include_forming"],
        format=Format(values["format"]),
        after=None,
    )
    _check(query)
    return query if token is None else _after(query, token)


def parse_latest_query(pairs: Iterable[tuple[str, str]], offer: Offer) -> LatestQuery:
    """The query for newest bars that `pairs` ask. Raises BadQuery."""
    values = parse_query(pairs, LATEST_PARAMETERS, offer)
    labels = values["indicators"]
    return LatestQuery(values["symbols"], values["time_frames"], None if labels is None else frozenset(labels), values["include_forming"])


def page_token(query: BarsQuery, after: After) -> str:
    """The text that leads to the page behind `after`."""
    return base64.urlsafe_b64encode(msgspec.json.encode((_fingerprint(query), *after))).rstrip(b"=").decode()


def _check(query: BarsQuery) -> None:
    if query.start_ms is not None and query.end_ms is not None and query.start_ms > query.end_ms:
        raise BadQuery("bad_range", "end", "is before start")
    if not query.is_range and len(query.symbols) * query.limit > MAX_ROWS:
        raise BadQuery("bad_limit", "limit", f"{len(query.symbols):,} symbols of {query.limit:,} rows; at most {MAX_ROWS:,} in all")


def _after(query: BarsQuery, token: str) -> BarsQuery:
    fingerprint, stock_id, start_ms = _decode_token(token)
    if not query.is_range or fingerprint != _fingerprint(query) or stock_id not in query.symbols:
        raise BadQuery("bad_page_token", "page_token", "belongs to another query")
    return replace(query, after=After(stock_id, start_ms))


def _decode_token(token: str) -> tuple[int, str, int]:
    try:
        return _decode(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, UnicodeDecodeError) as error:
        raise BadQuery("bad_page_token", "page_token", "is not one of ours") from error


def _fingerprint(query: BarsQuery) -> int:
    """What has to stay the same from page to page; how much of a bar is shown, and how, may change."""
    return crc32(repr((query.symbols, query.frame.label, query.start_ms, query.end_ms, query.newest_first)).encode())
