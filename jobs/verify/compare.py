"""All symbols compared, and compared again when there is news of them; with the dead letters, one outcome."""

from collections.abc import Mapping

from jobs.verify.dead_letters import DeadLetters, LettersCheck
from jobs.verify.oracle import Oracle, SymbolHistory
from jobs.verify.outcome import Outcome
from jobs.verify.results import Results
from jobs.verify.rules import Kind, Unproven, place
from jobs.verify.symbols import Provable, SymbolCheck


class Comparison:
    """What the job said against what the ticks say. Keeps an outcome a symbol, so that only news is looked at again."""

    def __init__(self, oracle: Oracle, results: Results, letters: DeadLetters, check: SymbolCheck, limit: int, from_earliest: bool) -> None:
        self.read_to: dict[int, int] = {}
        """Partition of the ticks -> the offset after the last record read."""
        self.log_starts: Mapping[int, int] = {}
        """Partition of the ticks -> its first offset, where that is above 0."""
        self._oracle, self._results, self._letters, self._check = oracle, results, letters, check
        self._limit, self._from_earliest = limit, from_earliest
        self._outcomes: dict[str, Outcome] = {}

    def split_symbols(self) -> tuple[str, ...]:
        """Symbols whose ticks lie in several partitions."""
        return tuple(sorted(symbol for symbol in self._oracle.histories if self._is_split(symbol)))

    def now(self, settled_round: int) -> Outcome:
        """Compare what was read so far; what ticks read after `settled_round` touch may still change."""
        for symbol in self._to_compare():
            history = self._oracle.histories.get(symbol)
            if history is None or history.lives()[0].first_ns < 0:
                self._outcomes[symbol] = self._without_ticks(symbol)
            else:
                self._outcomes[symbol] = self._compare_symbol(history, settled_round)
        self._oracle.touched.clear()
        self._results.touched.clear()
        return self._total(settled_round)

    def _to_compare(self) -> set[str]:
        """Symbols with news, and those whose last comparison need not be the last word."""
        open_symbols = {symbol for symbol, outcome in self._outcomes.items() if outcome.wrong or _is_open(outcome)}
        return open_symbols | self._oracle.touched | self._results.touched

    def _compare_symbol(self, history: SymbolHistory, settled_round: int) -> Outcome:
        said = self._results.symbols.get(history.symbol)
        outcome = Outcome(self._limit)
        if self._is_split(history.symbol):
            outcome.leave(Unproven.SPLIT_SYMBOL, history.symbol, sum(map(len, said.frames.values())) if said else 1)
            return outcome
        if history.before and history.symbol in self._results.forgotten:
            outcome.leave(Unproven.STILL_CHANGING, f"{history.symbol}: dropped while this went on")
            return outcome
        first = history.lives()[0]
        cut = any(partition in self.log_starts for partition in first.partitions)
        from_ns = first.first_ns + history.rules.allowed_lateness_ns if cut else None
        unsettled = [at_ns for life in history.lives() if (at_ns := life.unsettled_from(settled_round)) is not None]
        return self._check.check(history, said, Provable(from_ns, min(unsettled, default=None), bool(self._results.log_starts)))

    def _without_ticks(self, symbol: str) -> Outcome:
        """Results of a symbol that no tick counts for."""
        outcome = Outcome(self._limit)
        said = self._results.symbols.get(symbol)
        for label, bars in said.frames.items() if said else ():
            for start_ms in bars:
                if self.log_starts:
                    outcome.leave(Unproven.LOG_START, symbol)
                else:
                    where = place(symbol, label, start_ms)
                    outcome.differs(Kind.UNEXPECTED_RESULT, where, "", "no result: the symbol has no ticks", "a result")
        return outcome

    def _total(self, settled_round: int) -> Outcome:
        total = Outcome(self._limit)
        for symbol in sorted(self._outcomes):
            total.add(self._outcomes[symbol])
        letters = LettersCheck(self.read_to, self.log_starts, settled_round, self._is_split, self._from_earliest)
        letters.check(self._oracle, self._letters, total)
        total.wrong += self._results.wrong
        total.differences += self._results.differences
        if self._results.log_starts:
            total.leave(Unproven.RESULTS_LOG_START)
        other = self._results.counts["results_of_other_frames"]
        if other:
            total.leave(Unproven.FRAME_NOT_CONFIGURED, "", other)
        return total

    def _is_split(self, symbol: str) -> bool:
        history = self._oracle.histories.get(symbol)
        return history is not None and any(len(life.partitions) > 1 for life in history.lives())


def _is_open(outcome: Outcome) -> bool:
    return any(reason is Unproven.STILL_CHANGING for reason, _ in outcome.unproven)
