"""docs/reference/reasons.md, a row for each of `Reason`: `python -m tests.docs.make_reasons` writes it."""

from pathlib import Path
from typing import NamedTuple

from udfs.model import Reason

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "reasons.md"


class Row(NamedTuple):
    """Who finds out, what it means, and what to do about it."""

    stage: str
    means: str
    to_do: str


BOTH, JOB, GATEWAY, LATER = "gateway, job", "job", "gateway", "-"
FIX = "mend the producer; the record's `detail` names the field"
ROWS = {
    Reason.BAD_JSON: Row(BOTH, "the line is no JSON, or the record has no value", "one object a line, `\\n` only between lines"),
    Reason.NOT_OBJECT: Row(BOTH, "JSON, but a list, a number or text instead of an object", "one object a line"),
    Reason.TOO_LONG: Row(GATEWAY, "longer than a line may be", "send ticks, not documents"),
    Reason.TRUNCATED: Row(GATEWAY, "the connection ended within a line", "end lines with `\\n` and connections with an orderly close"),
    Reason.BAD_UTF8: Row(BOTH, "bytes that are no UTF-8", "encode as UTF-8"),
    Reason.MISSING_FIELD: Row(BOTH, "no `stock_id` (or `symbol`), or no `price`", FIX),
    Reason.BAD_TYPE: Row(BOTH, "a field of another type, such as a price in quotes", FIX),
    Reason.BAD_SYMBOL: Row(BOTH, "not 1 to 64 characters of `A-Za-z0-9._:/=^+-`", "map the feed's names to such"),
    Reason.UNKNOWN_SYMBOL: Row(LATER, "kept for lists of allowed symbols", ""),
    Reason.UNKNOWN_TIME_FRAME: Row(BOTH, "a `time_frame` that is none", "leave the field out: a tick belongs to every time frame"),
    Reason.BAD_PRICE: Row(BOTH, "not above 0, above 1e12, or 0 with the decimals kept", "`ticks.price_decimals` for very small prices"),
    Reason.BAD_SIZE: Row(BOTH, "below 0 or above 1e15", FIX),
    Reason.BAD_TIME: Row(BOTH, "no event time between 1970 and 2262, or text that is not RFC 3339 with an offset", FIX),
    Reason.FUTURE_TIME: Row(
        BOTH,
        "event time more than `ticks.max_future` ahead: of the gateway's clock, or of its own record's timestamp",
        "set the producer's clock; look for seconds sent as ms",
    ),
    Reason.STALE_TIME: Row(GATEWAY, "older than `ticks.max_age` on a live connection", "say `replay` for history"),
    Reason.LATE_TICK: Row(
        JOB,
        "older than the symbol's clock less `bars.allowed_lateness`",
        "raise that, or compute anew with `--fresh` after an ordered replay; one tick far ahead makes all others late",
    ),
    Reason.KEY_MISMATCH: Row(JOB, "the line is of another symbol than its record's key", "key by `stock_id`; one symbol a record"),
    Reason.OUT_OF_SESSION: Row(LATER, "kept for trading sessions", ""),
    Reason.UNAUTHORIZED: Row(
        GATEWAY,
        "the key of a connection is wrong, or a line looks like a broken hello; only its length and hash are kept",
        "give the feed the right key",
    ),
    Reason.POISON: Row(BOTH, "a line at which the decoder itself failed: a fault of ours", "report it with the original; the job goes on"),
}
HEAD = """\
# Reasons of dead letters

<!-- made by `python -m tests.docs.make_reasons`; a test compares -->

Why a line does not count, in the field `reason` of its record in [`dead_letters`](topics.md#dead_letters) and in the label `reason` of its
[counter](metrics.md). The list is closed. `tickloom dlq ls` lists them, `tickloom dlq show` shows one with its line. *Stage* is
who finds out: the gateway looks at every line that comes over TCP, the job at all others.

| reason | stage | means | what to do |
|---|---|---|---|
"""


def page() -> str:
    """The page as it should be; a reason without a row is an error."""
    return HEAD + "".join(f"| `{reason}` | {' | '.join(cell or '-' for cell in ROWS[reason])} |\n" for reason in Reason)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(PAGE)
