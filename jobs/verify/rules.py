"""The settings the meaning of a history depends on, in the units the oracle counts in, and its closed sets of names."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """A time frame by its label and its length in ns; bars start at whole multiples of it since the epoch (UTC)."""

    label: str
    length_ns: int


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides which ticks count and which bars they make. Durations are ns, decimals count digits."""

    spans: tuple[Span, ...]
    price_decimals: int = 8
    size_decimals: int = 8
    max_future_ns: int = 5_000 * NS_PER_MS
    allowed_lateness_ns: int = 900_000 * NS_PER_MS
    out_of_orderness_ns: int = 1_000 * NS_PER_MS
    deduplicate: bool = True
    deduplicate_window_ns: int = 120_000 * NS_PER_MS
    symbols: frozenset[str] | None = None
    """Only these are recomputed; None is all of them."""


class Kind(StrEnum):
    """What can be different between the results and the recomputation."""

    MISSING_RESULT = "missing_result"
    UNEXPECTED_RESULT = "unexpected_result"
    WRONG_CONTENT = "wrong_content"
    WRONG_COMPLETE = "wrong_complete"
    WRONG_INDICATOR = "wrong_indicator"
    MISSING_INDICATOR = "missing_indicator"
    DUPLICATE_RESULT = "duplicate_result"
    REVISION_GAP = "revision_gap"
    EMPTY_REVISION = "empty_revision"
    WRONG_STATUS = "wrong_status"
    UNREADABLE_RESULT = "unreadable_result"
    DEAD_LETTER_MISSING = "dead_letter_missing"
    DEAD_LETTER_UNEXPECTED = "dead_letter_unexpected"
    DEAD_LETTER_REASON = "dead_letter_reason"


WAITED_FOR = frozenset(Kind) - {Kind.DUPLICATE_RESULT, Kind.EMPTY_REVISION, Kind.WRONG_STATUS, Kind.UNREADABLE_RESULT}
"""Differences that records still to come may settle."""


class Unproven(StrEnum):
    """Why something was not proved either way."""

    NOT_CLOSED = "not_closed"
    """A bar without a result that its symbol's clock has not closed."""
    LOG_START = "log_start_above_0"
    """The partition's oldest ticks are gone, and with them the symbol's clock, bars or indicators at its beginning."""
    SPLIT_SYMBOL = "split_symbol"
    """The symbol's ticks lie in several partitions: their order is nobody's."""
    FRAME_ADDED = "frame_added_later"
    """A bar from before the frame was configured, or the one it was first seen in."""
    FRAME_NOT_CONFIGURED = "frame_not_configured"
    INDICATOR_ADDED = "indicator_added_later"
    """A bar said before the indicator was configured."""
    INDICATOR_CHANGED = "indicator_changed"
    """A value said by what had the label before."""
    INDICATOR_NOT_CONFIGURED = "indicator_not_configured"
    OWN_INDICATOR = "own_indicator"
    """An indicator by dotted name: there is no second opinion on it."""
    WITHOUT_TALIB = "indicators_not_checked"
    RESULTS_LOG_START = "results_log_start_above_0"
    """The oldest results are gone, and with them all records of a bar, or its first."""
    DEAD_LETTERS_LOG_START = "dead_letters_log_start_above_0"
    JOB_START = "job_start"
    """The job was told to begin elsewhere than at the earliest tick."""
    STILL_CHANGING = "still_changing"
    """Touched by ticks so new that the job may not have said it yet."""
    SYMBOL_FILTER = "symbol_filter"
    """Dead letters that only a run over all symbols can place."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be: where, which field, and what was expected and found."""

    kind: Kind
    where: str
    field: str
    expected: object
    found: object


def place(symbol: str, label: str, start_ms: int) -> str:
    """How a bar is named in messages."""
    start = datetime.fromtimestamp(start_ms / 1000, UTC)
    return f"{symbol} {label} {start:%Y-%m-%dT%H:%M}Z ({start_ms})"
