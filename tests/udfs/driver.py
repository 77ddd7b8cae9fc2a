"""One symbol's life as Flink would drive it: records, watermarks, clock, restarts, and the end of a bounded input."""

from collections.abc import Sequence
from typing import Any

import msgspec

from tests.udfs.dict_store import DictStore
from tests.udfs.naive_oracle import Key, Record
from udfs.model import Result, Tick
from udfs.outcome import Outcome
from udfs.rules import Rules
from udfs.state_layout import Hot, layout_of, read_hot
from udfs.symbol_state import SymbolState

MAX_WATERMARK = 2**63 - 1
_NOT_CONTENT = ("v", "stock_id", "status", "run", "revision", "emitted_ms", "cause", "complete", "as_of_ms", "since")


def content(result: Result) -> dict[str, Any]:
    """What a record says of its bar, `since` aside."""
    fields = msgspec.structs.asdict(result)
    return {name: value for name, value in fields.items() if name not in _NOT_CONTENT}


class Driver:
    """Fires only timers that were asked for: event timers in order as the watermark passes them, like the others by the clock."""

    def __init__(self, rules: Rules, run: int = 1, now_ms: int = 0) -> None:
        self.rules = rules
        self.run = run
        self.store = DictStore()
        self.state = SymbolState(rules, run)
        self.held: Hot | None = None
        """The hot part, handed in again as the job does until it restarts."""
        self.now_ms = now_ms
        self.watermark_ms = -1
        self.event_timers: set[int] = set()
        self.processing_timers: set[int] = set()
        self.records: list[Record] = []
        self.results: list[Result] = []
        self.refused: list[tuple[int, int, str]] = []
        self.counted = self.duplicates = self.late = self.split_records = 0

    def record(self, ticks: Sequence[Tick], record_ms: int, partition: int = 0) -> Hot | None:
        """The next record of the symbol's partition."""
        offset = len(self.records)
        placed = [tick._replace(offset=offset, line=line) for line, tick in enumerate(ticks)]
        self.records.append(Record(offset, record_ms, placed))
        outcome = Outcome()
        self.held = self.state.on_ticks(self.store, "IBM", placed, record_ms, partition, self.now_ms, outcome, self.held)
        self.refused += [(offset, refusal.line, refusal.reason.value) for refusal in outcome.refusals]
        self._carry_out(outcome)
        return self.held

    def watermark(self, to_ms: int) -> None:
        """Event time has passed `to_ms` everywhere."""
        if to_ms <= self.watermark_ms:
            return
        self.watermark_ms = to_ms
        while (due := min(self.event_timers, default=MAX_WATERMARK + 1)) <= to_ms:
            self.event_timers.discard(due)
            outcome = Outcome()
            self.state.on_event_timer(self.store, "IBM", due, self.now_ms, outcome, self.held)
            self._carry_out(outcome)

    def clock(self, to_ms: int) -> None:
        """Wall-clock time passes."""
        while (due := min(self.processing_timers, default=to_ms + 1)) <= to_ms:
            self.processing_timers.discard(due)
            self.now_ms = max(self.now_ms, due)
            outcome = Outcome()
            self.state.on_processing_timer(self.store, "IBM", self.now_ms, outcome, self.held)
            self._carry_out(outcome)
        self.now_ms = max(self.now_ms, to_ms)

    def restart(self, rules: Rules | None = None) -> None:
        """The job goes on from a savepoint, maybe under other rules; a fresh run is at hand but must not be taken."""
        self.rules = rules or self.rules
        self.run += 1
        self.store = self.store.reopened()
        self.held = None
        self.state = SymbolState(self.rules, self.run)

    def finish(self) -> None:
        """The input is bounded and has ended: every event timer fires, processing timers are dropped."""
        self.processing_timers.clear()
        self.watermark(MAX_WATERMARK)

    def forming(self) -> list[Result]:
        return self.state.forming(self.store, "IBM", None, self.now_ms)

    def hot(self) -> Hot | None:
        part = self.store.get_hot()
        return None if part is None else read_hot(part, layout_of(self.rules.scales))

    def newest(self) -> dict[Key, Result]:
        """The newest record of each bar, by (run, revision), the later among equals."""
        newest: dict[Key, Result] = {}
        for result in self.results:
            key = (result.time_frame, result.start_ms)
            if key not in newest or (newest[key].run, newest[key].revision) <= (result.run, result.revision):
                newest[key] = result
        return newest

    def contents(self) -> dict[Key, dict[str, Any]]:
        return {key: content(result) for key, result in self.newest().items()}

    def _carry_out(self, outcome: Outcome) -> None:
        self.results += outcome.results
        self.counted += outcome.counted
        self.duplicates += outcome.duplicates
        self.late += outcome.late
        self.split_records += outcome.split_records
        self.event_timers |= set(outcome.event_timers)
        self.processing_timers |= set(outcome.processing_timers)
