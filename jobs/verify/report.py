"""What a verification says at its end: counts, differences, what was not proved, how fast it was."""

from collections import Counter
from dataclasses import asdict, dataclass

from jobs.verify.outcome import Outcome
from jobs.verify.rules import Unproven

EXIT_OK, EXIT_DEPENDENCY, EXIT_DIFFERENT = 0, 4, 6


@dataclass(frozen=True, slots=True)
class Report:
    """The findings. `counts` is the ledger: lines = counted + duplicates + frame_copies + drops + dead letters (+ other_symbols)."""

    counts: dict[str, int]
    dead_letters: dict[str, int]
    """Lines that had to be refused, by reason."""
    outcome: Outcome
    split_symbols: tuple[str, ...]
    behind: int
    """Records the job had not committed when the waiting was over."""
    seconds: float
    """Spent reading, recomputing and comparing; waiting for the job is not in it."""

    @property
    def ticks_per_s(self) -> int:
        """Lines checked a second."""
        return round(self.counts.get("lines", 0) / self.seconds) if self.seconds > 0 else 0

    @property
    def exit_code(self) -> int:
        """6 with any difference, 4 when the indicators could not be checked, else 0."""
        if self.outcome.wrong:
            return EXIT_DIFFERENT
        return EXIT_DEPENDENCY if self.unproven.get(Unproven.WITHOUT_TALIB) else EXIT_OK

    @property
    def unproven(self) -> dict[str, int]:
        """What was not proved, by reason."""
        reasons: Counter[str] = Counter()
        for (reason, _), count in self.outcome.unproven.items():
            reasons[reason.value] += count
        return dict(reasons.most_common())

    @property
    def own_indicators(self) -> tuple[str, ...]:
        """Labels of indicators by dotted name that values were found of: they are nobody else's to recompute."""
        return tuple(sorted(what for reason, what in self.outcome.unproven if reason is Unproven.OWN_INDICATOR))

    def as_json(self) -> dict[str, object]:
        """Everything, for `--json`."""
        return {
            "ok": not self.outcome.wrong,
            "counts": self.counts,
            "dead_letters": self.dead_letters,
            "differences_by_kind": {kind.value: count for kind, count in self.outcome.wrong.most_common()},
            "differences": [asdict(difference) for difference in self.outcome.differences],
            "not_proved": self.unproven,
            "not_proved_details": [
                {"reason": reason.value, "what": what, "count": count} for (reason, what), count in self.outcome.unproven.items() if what
            ],
            "split_symbols": list(self.split_symbols),
            "behind": self.behind,
            "seconds": round(self.seconds, 3),
            "ticks_per_s": self.ticks_per_s,
        }
