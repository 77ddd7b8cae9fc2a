"""What the job counts: kept in Python and handed to Flink's metrics once a second, so that counting costs next to nothing."""

from collections.abc import Sequence

from pyflink.datastream import RuntimeContext

from udfs.functions.records import Decoded
from udfs.model import Reason, Refusal, Result, Status
from udfs.outcome import Outcome

COUNTED = {
    "ticks": "ticks counted in their bars",
    "late_ticks": "those among them whose bar was closed",
    "duplicates": "ticks that had been counted before",
    "frame_copies": "copies for another time frame than `1min`",
    "rounded": "ticks with more decimals than are kept",
    "drops": "records that dropped their symbol",
    "split_symbols": "symbols met in a second partition since the start",
    "finals": "bars said for the first time",
    "revisions": "bars said again",
}
"""Name -> what it counts."""
_FLUSH_MS = 1_000


class Counters:
    """Flink counters of the group `tickloom`: those of `COUNTED`, and dead letters by reason. They begin at 0 with each start."""

    def __init__(self, context: RuntimeContext) -> None:
        group = context.get_metrics_group().add_group("tickloom")
        self._counters = {name: group.counter(name) for name in COUNTED}
        self._letters = {reason: group.add_group("reason", reason.value).counter("dead_letters") for reason in Reason}
        self._counts = dict.fromkeys(COUNTED, 0)
        self._split: set[str] = set()
        self._flush_at_ms = 0

    def oddities(self, symbol: str, decoded: Decoded, refusals: Sequence[Refusal], outcome: Outcome) -> None:
        """Count what became of a record that was more, or less, than plain ticks."""
        counts = self._counts
        if outcome.split_records and symbol not in self._split:
            self._split.add(symbol)
            counts["split_symbols"] += 1
        counts["frame_copies"] += decoded.copies
        counts["rounded"] += decoded.rounded
        counts["drops"] += decoded.drop
        for refusal in refusals:
            self._letters[refusal.reason].inc()

    def results(self, results: Sequence[Result]) -> None:
        """Count finals and revisions."""
        revisions = sum(result.status is Status.REVISED for result in results)
        self._counts["revisions"] += revisions
        self._counts["finals"] += len(results) - revisions

    def flush(self, outcome: Outcome, now_ms: int) -> None:
        """Hand over what was counted, and what `outcome` has added up, since the last time; not twice within a second."""
        if now_ms < self._flush_at_ms:
            return
        self._flush_at_ms = now_ms + _FLUSH_MS
        counts = self._counts
        counts["ticks"], counts["duplicates"], counts["late_ticks"] = outcome.counted, outcome.duplicates, outcome.late
        outcome.counted = outcome.duplicates = outcome.late = 0
        for name, count in counts.items():
            if count:
                self._counters[name].inc(count)
                counts[name] = 0
