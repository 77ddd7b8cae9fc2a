"""What the job counts: kept in Python and handed to Flink's metrics once a second, so that counting costs next to nothing."""

from collections.abc import Sequence

from pyflink.datastream import RuntimeContext

from udfs.functions.records import Decoded
from udfs.model import Reason, Result, Status
from udfs.outcome import Outcome

_FLUSH_MS = 1_000


class Counters:
    """Flink counters of the group `tickloom`: ticks, duplicates, copies, late, ..., and dead letters by reason."""

    def __init__(self, context: RuntimeContext) -> None:
        group = context.get_metrics_group().add_group("tickloom")
        self._names = ("ticks", "duplicates", "frame_copies", "late_ticks", "rounded", "split_records", "finals", "revisions")
        self._counters = {name: group.counter(name) for name in self._names}
        self._letters = {reason: group.add_group("reason", reason.value).counter("dead_letters") for reason in Reason}
        self._counts = dict.fromkeys(self._names, 0)
        self._flush_at_ms = 0

    def record(self, decoded: Decoded, outcome: Outcome, now_ms: int) -> None:
        """Count what became of one record's lines."""
        counts = self._counts
        counts["ticks"] += outcome.counted
        if outcome.duplicates or outcome.late or outcome.split_records or decoded.copies or decoded.rounded:
            counts["duplicates"] += outcome.duplicates
            counts["late_ticks"] += outcome.late
            counts["split_records"] += outcome.split_records
            counts["frame_copies"] += decoded.copies
            counts["rounded"] += decoded.rounded
        for refusal in (*decoded.refusals, *outcome.refusals):
            self._letters[refusal.reason].inc()
        if now_ms >= self._flush_at_ms:
            self.flush(now_ms)

    def results(self, results: Sequence[Result]) -> None:
        """Count finals and revisions."""
        revisions = sum(result.status is Status.REVISED for result in results)
        self._counts["revisions"] += revisions
        self._counts["finals"] += len(results) - revisions

    def flush(self, now_ms: int) -> None:
        """Hand over what was counted since the last time."""
        self._flush_at_ms = now_ms + _FLUSH_MS
        for name, count in self._counts.items():
            if count:
                self._counters[name].inc(count)
                self._counts[name] = 0
