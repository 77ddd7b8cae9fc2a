"""The records everything else speaks of: Tick, Bar, Result, and the closed sets they use.

Event time is integer nanoseconds since the epoch (UTC) in a tick and integer milliseconds in a bar's bounds.
Prices and sizes of ticks are integers in units of 10**-decimals (`Scales`), so that sums are exact; bars and
results hold doubles.
"""

from dataclasses import dataclass
from enum import IntFlag, StrEnum
from typing import NamedTuple, TypeAlias

import msgspec

Number: TypeAlias = int | float
Value: TypeAlias = float | None
"""What a single-output indicator says of a bar; None means "no value yet"."""
Outputs: TypeAlias = Value | dict[str, float]
"""What a result says of an indicator: one value, or a value for each named output; None while not ready."""


class Reason(StrEnum):
    """Why a line became a dead letter. The list is closed: consumers and counters rely on it."""

    BAD_JSON = "bad_json"
    NOT_OBJECT = "not_object"
    TOO_LONG = "too_long"
    TRUNCATED = "truncated"
    BAD_UTF8 = "bad_utf8"
    MISSING_FIELD = "missing_field"
    BAD_TYPE = "bad_type"
    BAD_SYMBOL = "bad_symbol"
    UNKNOWN_SYMBOL = "unknown_symbol"
    UNKNOWN_TIME_FRAME = "unknown_time_frame"
    BAD_PRICE = "bad_price"
    BAD_SIZE = "bad_size"
    BAD_TIME = "bad_time"
    FUTURE_TIME = "future_time"
    STALE_TIME = "stale_time"
    LATE_TICK = "late_tick"
    KEY_MISMATCH = "key_mismatch"
    OUT_OF_SESSION = "out_of_session"
    UNAUTHORIZED = "unauthorized"
    POISON = "poison"


class Flags(IntFlag):
    """What a trade must not touch; each flag means its own half."""

    NONE = 0
    NO_PRICE = 1
    """Does not set open, high, low, close."""
    NO_VOLUME = 2
    """Does not count in volume, vwap, trades."""


class Status(StrEnum):
    """Where a bar's record stands: still growing, said for the first time, or said again."""

    FORMING = "forming"
    FINAL = "final"
    REVISED = "revised"


class Scales(NamedTuple):
    """How many decimals of a price and of a size are kept. Fixed for the life of a state."""

    price_decimals: int = 8
    size_decimals: int = 8


class Tick(NamedTuple):
    """One trade print of one symbol, as the core counts it. The symbol itself is the key beside it."""

    event_time_ns: int
    price: int
    """In units of 10**-price_decimals, above 0."""
    size: int
    """In units of 10**-size_decimals, 0 or more."""
    flags: int = 0
    """A mask of `Flags`."""
    seq: int | None = None
    trade_id: str | None = None
    source: str | None = None
    offset: int = 0
    """Kafka offset of the record it came in."""
    line: int = 0
    """0-based line within that record."""


class Refusal(NamedTuple):
    """A line that does not count, and why. `line` is 0-based within its record."""

    reason: Reason
    detail: str
    line: int


@dataclass(frozen=True, slots=True)
class Bar:
    """What an indicator sees of a bar that has prices: doubles, in the tape's own units."""

    start_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record of `indicator_results` or `indicator_live`: a bar and what the indicators say of it.

    Fields that are None by default are left out of the record; the others are always written, `null` included.
    The bar is (stock_id, time_frame, start_ms); its newest record has the highest (run, revision).
    """

    v: int
    stock_id: str
    time_frame: str
    start_ms: int
    end_ms: int
    status: Status
    run: int
    revision: int
    emitted_ms: int
    open: Number | None
    high: Number | None
    low: Number | None
    close: Number | None
    volume: Number
    turnover: Number
    vwap: Number | None
    trades: int
    first_ms: int
    last_ms: int
    complete: bool
    results: dict[str, Outputs]
    cause: str | None = None
    """On a revision: `late`."""
    as_of_ms: int | None = None
    """On a forming record: the symbol's clock."""
    since: dict[str, int] | None = None
    """Label -> start of the first bar folded, for indicators added to a running job."""
