"""Which ticks count, decided again: one symbol's history in partition order, and all of them together."""

from collections import Counter, deque
from typing import NamedTuple

from jobs.verify.bars import MINUTE_NS, Content, Sums, bars_of
from jobs.verify.lines import Copy, Drop, LineParser, Parsed, ParsedTick
from jobs.verify.rules import NS_PER_MS, Rules, Span
from udfs.model import Reason

_PRUNE_EVERY = 50_000


class Place(NamedTuple):
    """Where a line lies in the ticks topic."""

    partition: int
    offset: int
    line: int


class Round(NamedTuple):
    """What one reading of new ticks did to a symbol: nothing before `unsettled_ns` changed by it."""

    number: int
    unsettled_ns: int


class SymbolHistory:
    """One symbol's counted ticks as sums per minute, its clock, and what it must remember to refuse duplicates.

    A symbol that is dropped begins another history, `before` being the one that ended: they share nothing.
    """

    __slots__ = (
        "_clock_before", "_kept", "_low", "before", "clock_ns", "ended", "first_ns", "minutes", "partitions", "rounds", "rules", "seen",
        "symbol",
    )  # fmt: skip

    def __init__(self, symbol: str, rules: Rules, before: "SymbolHistory | None" = None) -> None:
        self.symbol = symbol
        self.rules = rules
        self.before = before
        self.ended = False
        """Dropped: every bar has been said as it stood."""
        self.clock_ns = -1
        """Newest event time counted; -1 before the first."""
        self.first_ns = -1
        """Event time of the first tick counted."""
        self.minutes: dict[int, Sums] = {}
        self.partitions: set[int] = set()
        """Where ticks of it lie, be it that they do not count."""
        self.seen: dict[int, set[tuple[str | None, int | str]]] = {}
        self.rounds: deque[Round] = deque()
        self._kept = 0
        self._low = self._clock_before = -1

    def take(self, tick: ParsedTick, place: Place, latest_ns: int) -> Reason | bool:
        """Count `tick`; a Reason if it is refused, False if it is a duplicate. `latest_ns`: the newest event time allowed."""
        event_time_ns = tick.event_time_ns
        if event_time_ns > latest_ns:
            return Reason.FUTURE_TIME
        clock_ns = self.clock_ns
        if clock_ns >= 0 and event_time_ns < clock_ns - self.rules.allowed_lateness_ns:
            return Reason.LATE_TICK
        if self.rules.deduplicate and self._is_repeat(tick):
            return False
        self._count(tick, place)
        return True

    def _is_repeat(self, tick: ParsedTick) -> bool:
        key = tick.seq if tick.trade_id is None else tick.trade_id
        if key is None:
            return False
        event_time_ns = tick.event_time_ns
        name = (tick.source, key)
        names = self.seen.get(event_time_ns)
        if names is None:
            self.seen[event_time_ns] = {name}
            self._prune()
        elif name not in names:
            names.add(name)
        elif event_time_ns >= self.clock_ns - self.rules.deduplicate_window_ns:
            return True
        return False

    def _prune(self) -> None:
        self._kept += 1
        if self._kept >= _PRUNE_EVERY:
            oldest = self.clock_ns - self.rules.deduplicate_window_ns
            self.seen = {event_time_ns: names for event_time_ns, names in self.seen.items() if event_time_ns >= oldest}
            self._kept = 0

    def _count(self, tick: ParsedTick, place: Place) -> None:
        event_time_ns, seq = tick.event_time_ns, tick.seq
        if seq is None:
            order = (event_time_ns, 0, place.offset, place.line, tick.source or "", tick.trade_id or "", tick.price)
        else:
            order = (event_time_ns, 1, seq, place.line, tick.source or "", tick.trade_id or "", tick.price)
        start_ns = event_time_ns - event_time_ns % MINUTE_NS
        minute = self.minutes.get(start_ns)
        if minute is None:
            minute = self.minutes[start_ns] = Sums(event_time_ns)
        minute.add(order, tick.price, tick.size, tick.sets_price, tick.has_volume)
        if event_time_ns > self.clock_ns:
            self.clock_ns = event_time_ns
        if event_time_ns < self._low or self._low < 0:
            self._low = event_time_ns
        if self.first_ns < 0:
            self.first_ns = event_time_ns

    def end_round(self, number: int) -> None:
        """Note what the ticks since the last call may have changed."""
        if self._low >= 0:
            self.rounds.append(Round(number, min(self._low, self._clock_before - self.rules.out_of_orderness_ns)))
        self._low, self._clock_before = -1, self.clock_ns

    def end(self, partition: int, number: int) -> None:
        """A record of `partition`, read in the given round, drops the symbol."""
        self.partitions.add(partition)
        self.ended = True
        changed_ns = self._clock_before - self.rules.out_of_orderness_ns
        self.rounds.append(Round(number, changed_ns if self._low < 0 else min(self._low, changed_ns)))

    def lives(self) -> "list[SymbolHistory]":
        """The histories of the symbol up to this one, oldest first."""
        lives, life = [self], self.before
        while life is not None:
            lives.append(life)
            life = life.before
        return lives[::-1]

    def unsettled_from(self, rounds_after: int) -> int | None:
        """Bars ending after this event time (ns) may still change by ticks read after round `rounds_after`."""
        while self.rounds and self.rounds[0].number <= rounds_after:
            self.rounds.popleft()
        return min((touched.unsettled_ns for touched in self.rounds), default=None)

    def bars(self, span: Span) -> dict[int, Content]:
        """Start in ms -> content of every bar of `span`, oldest first."""
        return bars_of(self.minutes, span, self.rules)

    def is_owed(self, end_ms: int) -> bool:
        """Whether the symbol's clock, or its drop, has closed a bar that ends at `end_ms`."""
        return self.ended or end_ms * NS_PER_MS + self.rules.out_of_orderness_ns <= self.clock_ns

    def is_complete(self, start_ms: int) -> bool:
        """Whether a bar begins after the first tick counted, so that none of its ticks can be from before."""
        return start_ms * NS_PER_MS > self.first_ns


class Refused(NamedTuple):
    """A line that has to be in the dead letters."""

    reason: Reason
    symbol: str | None
    """None when the line does not say it well enough."""
    round: int


class Oracle:
    """Everything the ticks topic says, recomputed record by record; each partition in offset order."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.histories: dict[str, SymbolHistory] = {}
        self.refused: dict[Place, Refused] = {}
        self.counts: Counter[str] = Counter()
        self.round = 1
        self.touched: set[str] = set()
        """Symbols that ticks were counted for, that were met in another partition or dropped, since this was last cleared."""
        self.dropped: set[str] = set()
        """Symbols with more than one history."""
        self._parser = LineParser(rules.price_decimals, rules.size_decimals)

    def read(self, partition: int, offset: int, timestamp_ms: int, key: bytes | None, value: bytes | None) -> None:
        """Take one record of the ticks topic."""
        self.counts["records"] += 1
        if value is None and key == b"":
            self.counts["heartbeats"] += 1
            return
        latest_ns = timestamp_ms * NS_PER_MS + self.rules.max_future_ns
        for number, parsed in self._parser.parse_record(key, value, timestamp_ms):
            self.counts["lines"] += 1
            self._take(parsed, Place(partition, offset, number), latest_ns)

    def _take(self, parsed: Parsed, place: Place, latest_ns: int) -> None:
        if isinstance(parsed, Reason):
            self.refused[place] = Refused(parsed, None, self.round)
            return
        if isinstance(parsed, Copy):
            self.counts["frame_copies"] += 1
            return
        symbol = parsed.symbol
        if self.rules.symbols is not None and symbol not in self.rules.symbols:
            self.counts["other_symbols"] += 1
            return
        if isinstance(parsed, Drop):
            self.counts["drops"] += 1
            self._drop(symbol, place.partition)
            return
        history = self.histories.get(symbol)
        if history is None:
            history = self.histories[symbol] = SymbolHistory(symbol, self.rules)
        if place.partition not in history.partitions:
            history.partitions.add(place.partition)
            self.touched.add(symbol)
        taken = history.take(parsed, place, latest_ns)
        if taken is True:
            self.counts["counted"] += 1
            self.touched.add(symbol)
        elif taken is False:
            self.counts["duplicates"] += 1
        else:
            self.refused[place] = Refused(taken, symbol, self.round)

    def _drop(self, symbol: str, partition: int) -> None:
        history = self.histories.get(symbol)
        if history is None or history.first_ns < 0:  # nothing to forget
            return
        history.end(partition, self.round)
        self.histories[symbol] = SymbolHistory(symbol, self.rules, history)
        self.histories[symbol].partitions.add(partition)
        self.dropped.add(symbol)
        self.touched.add(symbol)

    def end_round(self) -> None:
        """Everything read since the last call counts as one reading."""
        for symbol in self.touched:
            self.histories[symbol].end_round(self.round)
        self.round += 1

    def dead_letters(self) -> Counter[str]:
        """Lines refused, by reason."""
        return Counter(refused.reason.value for refused in self.refused.values())
