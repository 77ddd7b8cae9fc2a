"""One symbol's whole logic, pure: ticks, timers and now in; results, refusals and wishes for timers out.

What a bar finally says depends on the sequence of the symbol's ticks in their partition alone. Timers and the
watermark decide when something is said, never what: closing moves bars from the hot part into their frames, and
a tick that comes after its bar was closed leads to a revision of the same content that it would have had in time.
"""

from collections.abc import Mapping, Sequence

from udfs.bars import Partial, add_tick, bar_of, merge
from udfs.closed_bars import ClosedBars
from udfs.duplicates import DuplicatesLog
from udfs.frames import MINUTE, NS_PER_MS
from udfs.model import Reason, Refusal, Result, Tick
from udfs.outcome import Outcome
from udfs.panel import Panel
from udfs.rules import Rules
from udfs.state_layout import (
    NEVER,
    Hot,
    Partials,
    Store,
    layout_of,
    new_hot,
    partials_part,
    read_hot,
    read_partials,
)

_MINUTE_NS = MINUTE.length_ms * NS_PER_MS
END_OF_TIME_MS = 2**63 - 2
"""The event-time timer that fires when a bounded input ends."""
_SPLIT = -2


class SymbolState:
    """The logic of every symbol; what differs between symbols is in their `Store`.

    `run` is what a symbol met for the first time is given: results of a higher run win.
    """

    def __init__(self, rules: Rules, run: int) -> None:
        self._rules = rules
        self._run = run
        self._layout = layout_of(rules.scales)
        self._max_future_ns = rules.max_future_ms * NS_PER_MS
        self._lateness_ns = rules.allowed_lateness_ms * NS_PER_MS
        self._out_of_orderness_ns = rules.out_of_orderness_ms * NS_PER_MS
        self._duplicates = DuplicatesLog(rules.deduplicate_window_ms) if rules.deduplicate else None
        panel = Panel(rules.indicators)
        self._shown = tuple(ClosedBars(frame, panel, rules, shown=True) for frame in rules.frames)
        # Minutes are kept even when nobody asked for them: larger frames are merged and rebuilt from them.
        self._minutes = next((kept for kept in self._shown if kept.frame == MINUTE), None) or ClosedBars(
            MINUTE, Panel({}), rules, shown=False
        )
        self._larger = tuple(kept for kept in self._shown if kept.frame != MINUTE)
        self._by_label = {kept.frame.label: kept for kept in (self._minutes, *self._larger)}
        self._labels = tuple(kept.frame.label for kept in self._shown)

    # Ticks ---------------------------------------------------------------------------------------------------------

    def on_ticks(
        self,
        store: Store,
        symbol: str,
        ticks: Sequence[Tick],
        record_ms: int,
        partition: int,
        now_ms: int,
        outcome: Outcome,
        hot: Hot | None = None,
    ) -> Hot | None:
        """Count the ticks of one record, in their order; close what their event time has passed.

        Returns the hot part as it is kept now, None when no tick of the symbol has ever counted. A driver that holds on
        to it can hand it in again, here and below, and saves reading it.
        """
        hot = hot or self._read(store) or new_hot(self._layout, self._run, partition)
        if partition != hot.partition:
            hot.partition = _SPLIT
            outcome.split_records += 1
        waited = bool(hot.waiting)
        newest_ns = self._count(store, hot, ticks, record_ms * NS_PER_MS + self._max_future_ns, outcome)
        if hot.clock_ns < 0:
            return None
        if newest_ns >= 0:
            hot.delay_ms = max(0, record_ms - newest_ns // NS_PER_MS)
        if hot.due_ns <= hot.clock_ns - self._out_of_orderness_ns:
            self._close(store, symbol, hot, hot.clock_ns - self._out_of_orderness_ns, now_ms, outcome)
        elif hot.waiting and not waited:
            outcome.event_timers.append(END_OF_TIME_MS)
            hot.revise_at_ms = now_ms + self._rules.revision_interval_ms
            outcome.processing_timers.append(hot.revise_at_ms)
        self._keep(store, hot, outcome)
        return hot

    def _count(self, store: Store, hot: Hot, ticks: Sequence[Tick], limit_ns: int, outcome: Outcome) -> int:
        """Merge what counts into open minutes or among the waiting; the newest event time counted, -1 for none."""
        duplicates, lateness_ns = self._duplicates, self._lateness_ns
        if duplicates is not None and not duplicates.fits(hot):
            duplicates.lay_anew(store, hot)
        newest_ns = -1
        start_ns = end_ns = -1
        late = False
        bar: Partial = []
        for tick in ticks:
            event_time_ns = tick[0]
            if event_time_ns > limit_ns:
                outcome.refusals.append(Refusal(Reason.FUTURE_TIME, _ahead(event_time_ns, limit_ns), tick.line))
                continue
            if event_time_ns > hot.clock_ns:
                if hot.clock_ns < 0:
                    hot.born_ns = event_time_ns
                hot.clock_ns = event_time_ns
                if duplicates is not None:
                    duplicates.note(store, hot, tick)
            elif event_time_ns < hot.floor_ns or event_time_ns < hot.clock_ns - lateness_ns:
                outcome.refusals.append(Refusal(Reason.LATE_TICK, _behind(event_time_ns, hot.clock_ns), tick.line))
                continue
            elif duplicates is not None and duplicates.seen(store, hot, tick):
                outcome.duplicates += 1
                continue
            outcome.counted += 1
            if event_time_ns > newest_ns:
                newest_ns = event_time_ns
            if start_ns <= event_time_ns < end_ns:
                add_tick(bar, tick)
            else:
                start_ns = event_time_ns - event_time_ns % _MINUTE_NS
                end_ns = start_ns + _MINUTE_NS
                late = end_ns <= hot.closed_ns
                bar = self._place(hot, start_ns, end_ns, tick)
            if late:
                outcome.late += 1
        return newest_ns

    @staticmethod
    def _place(hot: Hot, start_ns: int, end_ns: int, tick: Tick) -> Partial:
        """Merge the tick into its minute, open or closed, and return the minute's partial bar."""
        if end_ns <= hot.closed_ns:
            minutes = hot.waiting
        else:
            minutes = hot.opens
            if end_ns < hot.due_ns:
                hot.due_ns = end_ns
        bar = minutes.get(start_ns)
        if bar is None:
            bar = minutes[start_ns] = bar_of(tick)
        else:
            add_tick(bar, tick)
        return bar

    # The end of a life ---------------------------------------------------------------------------------------------

    def drop(self, store: Store, symbol: str, partition: int, now_ms: int, outcome: Outcome) -> None:
        """Say every open bar as it stands and forget the symbol; its next tick is the first of a new one.

        What stays is the run its new life begins with, one above: its bars win over those of the same names that were said.
        """
        hot = self._read(store)
        if hot is None or hot.clock_ns < 0:
            return
        self._close(store, symbol, hot, NEVER, now_ms, outcome)
        store.clear()
        store.put_hot(new_hot(self._layout, max(self._run, hot.run) + 1, partition).part())

    # Timers --------------------------------------------------------------------------------------------------------

    def on_event_timer(self, store: Store, symbol: str, timer_ms: int, now_ms: int, outcome: Outcome, hot: Hot | None = None) -> None:
        """The watermark has passed `timer_ms`: close what a quiet symbol's own ticks do not, and at the end of time all."""
        hot = hot or self._read(store)
        if hot is None:
            return
        if timer_ms == END_OF_TIME_MS:
            self._apply_waiting(store, symbol, hot, now_ms, outcome)
            self._keep(store, hot, outcome)
            return
        if timer_ms == hot.timer_ms:
            hot.timer_ms = 0
        horizon_ns = (timer_ms + 1 - hot.delay_ms) * NS_PER_MS
        if hot.due_ns <= horizon_ns:
            self._close(store, symbol, hot, horizon_ns, now_ms, outcome)
        self._keep(store, hot, outcome)

    def on_processing_timer(self, store: Store, symbol: str, now_ms: int, outcome: Outcome, hot: Hot | None = None) -> None:
        """Time has come to say what the waiting late ticks changed, if any still wait."""
        hot = hot or self._read(store)
        if hot is None or not hot.waiting or now_ms < hot.revise_at_ms:
            return
        self._apply_waiting(store, symbol, hot, now_ms, outcome)
        self._keep(store, hot, outcome)

    # Forming bars --------------------------------------------------------------------------------------------------

    def forming(self, store: Store, symbol: str, hot: Hot | None, now_ms: int) -> list[Result]:
        """The newest open bar of each frame as it stands, indicators included; nothing is kept of it."""
        hot = hot or self._read(store)
        if hot is None:
            return []
        partials = self._partials(store)
        shown = (
            kept.forming(store, symbol, hot, _open_bars(kept, hot, partials), now_ms)
            for kept in self._shown
            if kept.frame.label in partials.frames
        )
        return [result for result in shown if result is not None]

    # Closing -------------------------------------------------------------------------------------------------------

    def _close(self, store: Store, symbol: str, hot: Hot, horizon_ns: int, now_ms: int, outcome: Outcome) -> None:
        """Close every bar of every frame that ends by `horizon_ns`, oldest first."""
        self._apply_waiting(store, symbol, hot, now_ms, outcome)
        horizon_ns -= horizon_ns % _MINUTE_NS
        partials = self._fitted_partials(store, symbol, hot, now_ms, outcome)
        minutes = sorted(start_ns for start_ns in hot.opens if start_ns + _MINUTE_NS <= horizon_ns)
        closing: dict[str, list[tuple[int, Partial]]] = {label: [] for label in self._by_label}
        for start_ns in minutes:
            bar = hot.opens.pop(start_ns)
            closing[MINUTE.label].append((start_ns // NS_PER_MS, bar))
            self._merge_minute(start_ns, bar, partials, closing)
        for kept in self._larger:
            label = kept.frame.label
            open_bar = partials.bars.get(label)
            if open_bar is not None and (open_bar[0] + kept.frame.length_ms) * NS_PER_MS <= horizon_ns:
                closing[label].append(partials.bars.pop(label))
        hot.closed_ns = max(hot.closed_ns, horizon_ns)
        hot.floor_ns = max(hot.floor_ns, hot.clock_ns - self._lateness_ns)
        self._keep_partials(store, hot, partials)
        for label, bars in closing.items():
            if bars:
                self._by_label[label].close(store, symbol, hot, bars, now_ms, outcome)

    def _merge_minute(self, start_ns: int, bar: Partial, partials: Partials, closing: Mapping[str, list[tuple[int, Partial]]]) -> None:
        """Merge a closed minute into the larger frames' open bars; a bar it does not fall into has ended."""
        for kept in self._larger:
            label = kept.frame.label
            start_ms, _ = kept.frame.bounds(start_ns)
            open_bar = partials.bars.get(label)
            if open_bar is not None and open_bar[0] == start_ms:
                bar_so_far = merge(open_bar[1], bar)
            else:
                if open_bar is not None:
                    closing[label].append(open_bar)
                bar_so_far = bar
            partials.bars[label] = (start_ms, bar_so_far)

    # Revisions -----------------------------------------------------------------------------------------------------

    def _apply_waiting(self, store: Store, symbol: str, hot: Hot, now_ms: int, outcome: Outcome) -> None:
        """Merge the waiting late ticks into every frame they fall into, and say what changed."""
        if not hot.waiting:
            return
        waiting, hot.waiting, hot.revise_at_ms = hot.waiting, {}, 0
        partials = self._fitted_partials(store, symbol, hot, now_ms, outcome)
        for label, kept in self._by_label.items():
            late: dict[int, Partial] = {}
            for start_ns, bar in sorted(waiting.items()):
                start_ms, end_ms = kept.frame.bounds(start_ns)
                if end_ms * NS_PER_MS <= hot.closed_ns:
                    late[start_ms] = merge(late[start_ms], bar) if start_ms in late else bar
                else:
                    open_bar = partials.bars.get(label)
                    partials.bars[label] = (start_ms, bar if open_bar is None else merge(open_bar[1], bar))
            if late:
                kept.revise(store, symbol, hot, late, now_ms, outcome)
        self._keep_partials(store, hot, partials)

    # Parts ---------------------------------------------------------------------------------------------------------

    def _read(self, store: Store) -> Hot | None:
        part = store.get_hot()
        return None if part is None else read_hot(part, self._layout)

    def _keep(self, store: Store, hot: Hot, outcome: Outcome) -> None:
        """Keep the hot part, and wish for the timer of the earliest open end unless an earlier one is pending."""
        if hot.due_ns != NEVER:
            wanted_ms = hot.due_ns // NS_PER_MS - 1 + hot.delay_ms
            if hot.timer_ms == 0 or wanted_ms < hot.timer_ms:
                hot.timer_ms = wanted_ms
                outcome.event_timers.append(wanted_ms)
        store.put_hot(hot.part())

    def _partials(self, store: Store) -> Partials:
        part = store.get_partials()
        return Partials(self._labels, {}) if part is None else read_partials(part)

    def _fitted_partials(self, store: Store, symbol: str, hot: Hot, now_ms: int, outcome: Outcome) -> Partials:
        """The partials, with frames that configuration dropped or added since they were kept dropped and rebuilt."""
        partials = self._partials(store)
        if partials.frames == self._labels:
            return partials
        for label in set(partials.frames) - set(self._by_label):
            ClosedBars.drop(store, label, self._rules.warm_bars)
            partials.bars.pop(label, None)
        minutes = self._minutes.kept_bars(store)
        for kept in self._shown:
            if kept.frame.label not in partials.frames:
                open_bar = kept.rebuild(store, symbol, hot, max(self._run, hot.run), minutes, now_ms, outcome)
                if open_bar is not None:
                    partials.bars[kept.frame.label] = open_bar
        return Partials(self._labels, partials.bars)

    def _keep_partials(self, store: Store, hot: Hot, partials: Partials) -> None:
        """Keep the partials, and note in the hot part when the earliest open bar of any frame ends."""
        lengths = {kept.frame.label: kept.frame.length_ms for kept in self._larger}
        ends = [(start_ms + lengths[label]) * NS_PER_MS for label, (start_ms, _) in partials.bars.items()]
        ends += [start_ns + _MINUTE_NS for start_ns in hot.opens]
        hot.due_ns = min(ends, default=NEVER)
        store.put_partials(partials_part(partials))


def _open_bars(kept: ClosedBars, hot: Hot, partials: Partials) -> dict[int, Partial]:
    """The open bars of a frame, oldest first: start in ms -> partial bar over everything counted so far."""
    open_bars: dict[int, Partial] = {}
    partial = partials.bars.get(kept.frame.label)
    if partial is not None:
        open_bars[partial[0]] = partial[1]
    for minutes in (hot.waiting, hot.opens):
        for start_ns, bar in minutes.items():
            start_ms, end_ms = kept.frame.bounds(start_ns)
            if end_ms * NS_PER_MS > hot.closed_ns:
                open_bars[start_ms] = merge(open_bars[start_ms], bar) if start_ms in open_bars else bar
    return dict(sorted(open_bars.items()))


def _ahead(event_time_ns: int, limit_ns: int) -> str:
    return f"event time is {(event_time_ns - limit_ns) / 1e9:.3f} s beyond the record's timestamp + max_future"


def _behind(event_time_ns: int, clock_ns: int) -> str:
    return f"event time is {(clock_ns - event_time_ns) / 1e9:.3f} s behind the symbol's clock"
