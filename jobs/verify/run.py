"""One verification from beginning to end: read, wait for the job, compare, and look again at what may still come."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

from connectors.consumer import Record
from jobs.verify.compare import Comparison
from jobs.verify.dead_letters import DeadLetters
from jobs.verify.oracle import Oracle
from jobs.verify.outcome import Outcome
from jobs.verify.report import Report
from jobs.verify.results import Results
from jobs.verify.rules import WAITED_FOR, Rules
from jobs.verify.symbols import SymbolCheck

_POLL_S = 0.5


class Topic(Protocol):
    """A topic that is read from its beginning, a stretch at a time."""

    def log_starts(self) -> Mapping[int, int]:
        """Partition -> its first offset, where that is above 0."""

    def read_on(self) -> Iterator[Record]:
        """The committed records from where the last call ended to the end found now; each partition in offset order."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What a verification reads."""

    ticks: Topic
    results: Topic
    dead_letters: Topic
    committed: Callable[[], Mapping[int, int]]
    """Partition -> offset up to which the job has taken the ticks in for good."""


@dataclass(frozen=True, slots=True)
class Options:
    """How long to wait, and how much to show."""

    wait_s: float = 60.0
    """For the job to reach the end, and for differences that records to come may settle; 0 does not wait."""
    settle_s: float = 7.0
    """Without news for this long, nothing more is expected."""
    limit: int = 10
    """Differences of a kind to keep."""
    from_earliest: bool = True
    """Whether the job began at the earliest tick."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The clock a verification waits by."""

    now: Callable[[], float]
    sleep: Callable[[float], None]


class Verification:
    """Compares what the job said with what the ticks say, until both agree or time is up."""

    def __init__(
        self,
        rules: Rules,
        indicators: Mapping[str, str],
        talib: ModuleType | None,
        sources: Sources,
        ticks_topic: str,
        options: Options,
        timing: Timing,
        say: Callable[[str], None],
    ) -> None:
        self._sources, self._options, self._timing, self._say = sources, options, timing, say
        self._oracle = Oracle(rules)
        self._results = Results(frozenset(span.label for span in rules.spans), rules.symbols, options.limit, self._oracle.dropped)
        self._letters = DeadLetters(ticks_topic)
        check = SymbolCheck(rules, indicators, talib, options.limit)
        self._comparison = Comparison(self._oracle, self._results, self._letters, check, options.limit, options.from_earliest)
        self._round_times: list[float] = []
        self._waited_s = 0.0

    def run(self) -> Report:
        """Everything; says on the way what it waits for."""
        began = self._timing.now()
        deadline = began + self._options.wait_s
        self._say("reading the ticks")
        self._read_ticks()
        behind = self._wait_for_job(deadline)
        self._say("reading the results and comparing")
        news_at = self._timing.now()
        if not behind and self._options.wait_s:
            deadline = max(deadline, news_at + self._options.settle_s)
        self._read_results()
        self._read_ticks()
        outcome = self._comparison.now(self._settled_round())
        if _may_settle(outcome):
            self._say(f"{outcome.wrong.total()} differences so far: waiting for results still to come")
        while _may_settle(outcome) and self._timing.now() < min(deadline, news_at + self._options.settle_s):
            self._sleep()
            if self._read_results() + self._read_ticks():
                news_at = self._timing.now()
            outcome = self._comparison.now(self._settled_round())
        return self._report(outcome, behind, self._timing.now() - began - self._waited_s)

    # Reading -------------------------------------------------------------------------------------------------------

    def _read_ticks(self) -> int:
        records = 0
        read, read_to = self._oracle.read, self._comparison.read_to
        for partition, offset, timestamp_ms, key, value in self._sources.ticks.read_on():
            read(partition, offset, timestamp_ms, key, value)
            read_to[partition] = offset + 1
            records += value is not None
        self._comparison.log_starts = self._sources.ticks.log_starts()
        self._oracle.end_round()
        self._round_times.append(self._timing.now())
        return records

    def _read_results(self) -> int:
        self._results.log_starts = self._sources.results.log_starts()
        self._letters.log_start = bool(self._sources.dead_letters.log_starts())
        records = 0
        for record in self._sources.results.read_on():
            self._results.read(record.partition, record.offset, record.key, record.value)
            records += 1
        for record in self._sources.dead_letters.read_on():
            self._letters.read(record.value)
            records += 1
        return records

    # Waiting -------------------------------------------------------------------------------------------------------

    def _wait_for_job(self, deadline: float) -> int:
        """Wait until the job has taken in what was read; how many records it lacks when time is up."""
        goal = dict(self._comparison.read_to)
        if not self._options.wait_s:
            return 0
        behind = self._behind(goal)
        said = 0.0
        while behind and self._timing.now() < deadline:
            if self._timing.now() >= said:
                self._say(f"waiting for the job to take in the ticks: {behind} records to go (--no-wait compares at once)")
                said = self._timing.now() + 10
            self._sleep()
            behind = self._behind(goal)
        if behind:
            self._say(f"the job is {behind} records behind, and time is up: comparing what there is")
        return behind

    def _behind(self, goal: Mapping[int, int]) -> int:
        committed = self._sources.committed()
        starts = self._sources.ticks.log_starts()
        return sum(max(0, offset - committed.get(partition, starts.get(partition, 0))) for partition, offset in goal.items())

    def _sleep(self) -> None:
        before = self._timing.now()
        self._timing.sleep(_POLL_S)
        self._waited_s += self._timing.now() - before

    def _settled_round(self) -> int:
        """The newest reading of ticks whose effects must be there by now; the first reading's must be."""
        latest = self._timing.now() - self._options.settle_s
        return max(1, sum(read_at <= latest for read_at in self._round_times))

    def _report(self, outcome: Outcome, behind: int, seconds: float) -> Report:
        counts = Counter(self._oracle.counts)
        counts.update(self._results.counts)
        counts.update(self._letters.counts)
        counts.update(outcome.counts)
        counts["symbols"] = len(self._oracle.histories)
        return Report(dict(counts), dict(self._oracle.dead_letters()), outcome, self._comparison.split_symbols(), behind, seconds)


def _may_settle(outcome: Outcome) -> bool:
    return any(kind in WAITED_FOR for kind in outcome.wrong)
