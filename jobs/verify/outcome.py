"""What a check has found: counts, differences up to a limit, and what it could not prove."""

from collections import Counter

from jobs.verify.rules import NS_PER_MS, Difference, Kind, Unproven


class Outcome:
    """Findings on one symbol, or on all of them added up. `wrong` counts every difference, `differences` keeps the first.

    `unsettled_ns`: a difference on a bar ending after that event time may be settled by records still to come.
    """

    def __init__(self, limit: int, unsettled_ns: int | None = None) -> None:
        self.wrong: Counter[Kind] = Counter()
        self.differences: list[Difference] = []
        self.unproven: Counter[tuple[Unproven, str]] = Counter()
        self.counts: Counter[str] = Counter()
        self._limit, self._unsettled_ns = limit, unsettled_ns

    def differs(self, kind: Kind, where: str, field: str, expected: object, found: object) -> None:
        """Note a difference."""
        self.wrong[kind] += 1
        if self.wrong[kind] <= self._limit:
            self.differences.append(Difference(kind, where, field, expected, found))

    def bar_differs(self, kind: Kind, where: str, end_ms: int, field: str, expected: object, found: object) -> None:
        """Note a difference on the bar that ends at `end_ms`, unless it may still change."""
        if self._unsettled_ns is not None and end_ms * NS_PER_MS > self._unsettled_ns:
            self.leave(Unproven.STILL_CHANGING)
        else:
            self.differs(kind, where, field, expected, found)

    def leave(self, reason: Unproven, detail: str = "", count: int = 1) -> None:
        """Count what was not proved."""
        self.unproven[reason, detail] += count

    def add(self, other: "Outcome") -> None:
        """Take over what `other` found."""
        for difference in other.differences:
            if sum(kept.kind is difference.kind for kept in self.differences) < self._limit:
                self.differences.append(difference)
        self.wrong += other.wrong
        self.unproven += other.unproven
        self.counts += other.counts
