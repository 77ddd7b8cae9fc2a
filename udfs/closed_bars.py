"""One frame of a symbol: its closed bars, their indicators, and what is said and said again of them."""

import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b

from udfs.bars import BarNumbers, BarReader, Partial, merge
from udfs.frames import NS_PER_MS, Frame
from udfs.indicators.base import State, Step
from udfs.model import Bar, Result, Status
from udfs.outcome import Outcome
from udfs.panel import Panel, States, Values
from udfs.rules import Rules
from udfs.state_layout import ClosedBar, FrameState, Hot, Part, Store, frame_part, read_frame

_UNSENT = -1


class ClosedBars:
    """The logic of one frame of every symbol.

    A bar that ends by the symbol's floor can no longer change: it is folded into the base states of the indicators
    and goes into history. Later ones stay in the ring, so that a late tick can be merged into them and every
    indicator stepped again from the base. With `shown=False` bars are kept but nothing is said of them.
    """

    def __init__(self, frame: Frame, panel: Panel, rules: Rules, *, shown: bool) -> None:
        self.frame = frame
        self._panel = panel
        self._warm_bars = rules.warm_bars
        self._reader = BarReader(rules.scales)
        self._shown = shown

    def close(self, store: Store, symbol: str, hot: Hot, bars: Sequence[tuple[int, Partial]], now_ms: int, outcome: Outcome) -> None:
        """Append bars that have just closed, oldest first, and say their final."""
        state = self._load(store, hot)
        self._append(store, symbol, hot, state, bars, now_ms, outcome)

    def revise(self, store: Store, symbol: str, hot: Hot, late: Mapping[int, Partial], now_ms: int, outcome: Outcome) -> None:
        """Merge late ticks into closed bars; say anew each bar whose content differs from what was last said."""
        state = self._load(store, hot)
        ring = {entry[0]: entry for entry in state.ring}
        for start_ms, bar in late.items():
            _, known, revision, digest = ring.get(start_ms, (start_ms, None, _UNSENT, 0))
            ring[start_ms] = (start_ms, bar if known is None else merge(known, bar), revision, digest)
        state = state._replace(since=tuple(None if begun is None else min(begun, min(ring)) for begun in state.since))
        states, said = state.base, []
        for start_ms in sorted(ring):
            states, values = self._step(states, start_ms, ring[start_ms][1])
            said.append(self._say(symbol, hot, state, ring[start_ms], values, now_ms, outcome))
        store.put_frame(self.frame.label, frame_part(state._replace(ring=tuple(said), head=states)))

    def forming(self, store: Store, symbol: str, hot: Hot, open_bars: Mapping[int, Partial], now_ms: int) -> Result | None:
        """The newest open bar as it stands, its indicators stepped over the open bars before it; keeps nothing."""
        if not open_bars:
            return None
        state = self._load(store, hot)
        states, values = state.head, self._panel.nothing
        for start_ms, bar in open_bars.items():
            states, values = self._step(states, start_ms, bar)
        numbers = self._reader.numbers(bar)
        return self._result(symbol, hot, state, start_ms, Status.FORMING, 0, numbers, values, now_ms)

    def kept_bars(self, store: Store) -> list[tuple[int, Partial]]:
        """Every closed bar still kept, oldest first; those from history have lost the keys of their ticks."""
        part = store.get_frame(self.frame.label)
        if part is None:
            return []
        state = read_frame(part)
        return [*map(self._from_history, self._history(store, state)), *((start_ms, bar) for start_ms, bar, _, _ in state.ring)]

    def rebuild(
        self, store: Store, symbol: str, hot: Hot, run: int, minutes: Sequence[tuple[int, Partial]], now_ms: int, outcome: Outcome
    ) -> tuple[int, Partial] | None:
        """Begin this frame for a symbol that was kept without it: say the bars the kept minutes reach, return the open one.

        It may have been kept with the frame before: `run` lets these bars win over those.
        """
        bars: dict[int, Partial] = {}
        for minute_ms, bar in minutes:
            start_ms, _ = self.frame.bounds(minute_ms * NS_PER_MS)
            bars[start_ms] = merge(bars[start_ms], bar) if start_ms in bars else bar
        reach_ns = minutes[0][0] * NS_PER_MS if minutes else hot.clock_ns
        state = self._fresh(max(hot.born_ns, reach_ns), run)
        closed = [(start_ms, bar) for start_ms, bar in bars.items() if self._end_ns(start_ms) <= hot.closed_ns]
        self._append(store, symbol, hot, state, closed, now_ms, outcome)
        return next(((start_ms, bar) for start_ms, bar in bars.items() if self._end_ns(start_ms) > hot.closed_ns), None)

    @staticmethod
    def drop(store: Store, label: str, warm_bars: int) -> None:
        """Forget a frame that is no longer configured."""
        store.drop_frame(label)
        for slot in range(warm_bars):
            store.drop_history(_slot(label, slot))

    # Folding -------------------------------------------------------------------------------------------------------

    def _append(
        self,
        store: Store,
        symbol: str,
        hot: Hot,
        state: FrameState,
        bars: Sequence[tuple[int, Partial]],
        now_ms: int,
        outcome: Outcome,
    ) -> None:
        head, ring = state.head, list(state.ring)
        settled = 0  # how many bars of the ring are folded already, `settled_states` being the states after them
        settled_states = state.base
        for start_ms, bar in bars:
            head, values = self._step(head, start_ms, bar)
            if self._end_ns(start_ms) <= hot.floor_ns:
                self._send(symbol, hot, state, start_ms, self._reader.numbers(bar), values, 0, now_ms, outcome)
                ring.append((start_ms, bar, 0, 0))
                settled, settled_states = len(ring), head
            else:
                ring.append(self._say(symbol, hot, state, (start_ms, bar, _UNSENT, 0), values, now_ms, outcome))
        while settled < len(ring) and self._end_ns(ring[settled][0]) <= hot.floor_ns:
            settled_states, _ = self._step(settled_states, *ring[settled][:2])
            settled += 1
        folded = self._to_history(store, state.folded, ring[:settled])
        kept = state._replace(base=settled_states, head=head, ring=tuple(ring[settled:]), folded=folded)
        store.put_frame(self.frame.label, frame_part(kept))

    def _step(self, states: States, start_ms: int, bar: Partial) -> tuple[States, Values]:
        """A bar without prices leaves the indicators where they are."""
        priced = self._reader.priced(start_ms, bar)
        return (states, self._panel.nothing) if priced is None else self._panel.step(states, priced)

    def _end_ns(self, start_ms: int) -> int:
        return (start_ms + self.frame.length_ms) * NS_PER_MS

    # Saying --------------------------------------------------------------------------------------------------------

    def _say(
        self,
        symbol: str,
        hot: Hot,
        state: FrameState,
        entry: ClosedBar,
        values: Values,
        now_ms: int,
        outcome: Outcome,
    ) -> ClosedBar:
        """Send the bar unless its content was sent before; what is kept of it then."""
        if not self._shown:
            return entry
        start_ms, bar, sent, sent_digest = entry
        numbers = self._reader.numbers(bar)
        digest = _digest(numbers, values)
        if sent != _UNSENT and digest == sent_digest:
            return entry
        self._send(symbol, hot, state, start_ms, numbers, values, sent + 1, now_ms, outcome)
        return start_ms, bar, sent + 1, digest

    def _send(
        self,
        symbol: str,
        hot: Hot,
        state: FrameState,
        start_ms: int,
        numbers: BarNumbers,
        values: Values,
        revision: int,
        now_ms: int,
        outcome: Outcome,
    ) -> None:
        if self._shown:
            status = Status.REVISED if revision else Status.FINAL
            outcome.results.append(self._result(symbol, hot, state, start_ms, status, revision, numbers, values, now_ms))

    def _result(
        self,
        symbol: str,
        hot: Hot,
        state: FrameState,
        start_ms: int,
        status: Status,
        revision: int,
        numbers: BarNumbers,
        values: Values,
        now_ms: int,
    ) -> Result:
        return Result(
            v=1,
            stock_id=symbol,
            time_frame=self.frame.label,
            start_ms=start_ms,
            end_ms=start_ms + self.frame.length_ms,
            status=status,
            run=hot.run if state.run is None else state.run,
            revision=revision,
            emitted_ms=now_ms,
            open=numbers.open,
            high=numbers.high,
            low=numbers.low,
            close=numbers.close,
            volume=numbers.volume,
            turnover=numbers.turnover,
            vwap=numbers.vwap,
            trades=numbers.trades,
            first_ms=numbers.first_ms,
            last_ms=numbers.last_ms,
            complete=start_ms * NS_PER_MS > state.born_ns,
            results=self._panel.results(values),
            cause="late" if status is Status.REVISED else None,
            as_of_ms=hot.clock_ns // NS_PER_MS if status is Status.FORMING else None,
            since=self._panel.since(state.since),
        )

    # State ---------------------------------------------------------------------------------------------------------

    def _load(self, store: Store, hot: Hot) -> FrameState:
        part = store.get_frame(self.frame.label)
        if part is None:
            return self._fresh(hot.born_ns)
        state = read_frame(part)
        return state if state.specs == self._panel.signature else self._refitted(store, state)

    def _fresh(self, born_ns: int, run: int | None = None) -> FrameState:
        initial = self._panel.initial()
        return FrameState(self._panel.signature, (None,) * len(initial), initial, initial, (), 0, born_ns, run)

    def _refitted(self, store: Store, state: FrameState) -> FrameState:
        """The state for other indicators: those it knows go on, the others are warmed up from the bars kept.

        They have a `since` as soon as there is a bar: records under the same label from before then say something else.
        """
        known = {spec: position for position, spec in enumerate(state.specs.split("\n"))}
        gone = [begun for spec, begun in zip(known, state.since, strict=False) if begun is not None and spec not in self._panel.indicators]
        settled = self._history(store, state)
        begun_ms = _begin([bar[0] for bar in (*settled, *state.ring[:1])], gone)
        history = [self._reader.priced(*self._from_history(bar)) for bar in settled if begun_ms is not None and bar[0] >= begun_ms]
        ring = [self._reader.priced(start_ms, bar) for start_ms, bar, _, _ in state.ring]
        since, base, head = [], [], []
        for spec, indicator in self._panel.indicators.items():
            position = known.get(spec)
            if position is not None:
                since.append(state.since[position])
                base.append(state.base[position])
                head.append(state.head[position])
                continue
            since.append(begun_ms)
            before = _folded(indicator.step, indicator.initial(), history)
            base.append(before)
            head.append(_folded(indicator.step, before, ring))
        return state._replace(specs=self._panel.signature, since=tuple(since), base=tuple(base), head=tuple(head))

    # History -------------------------------------------------------------------------------------------------------

    def _to_history(self, store: Store, folded: int, bars: Sequence[ClosedBar]) -> int:
        """Keep bars that can no longer change, the newest `warm_bars` of them; how many have ever been folded."""
        for position, (start_ms, bar, _, _) in enumerate(bars):
            if len(bars) - position <= self._warm_bars:
                first, last, high, low = bar[:4]
                prices = (None,) * 4 if first is None else (first[6], high, low, last[6])
                ordinal = folded + position
                store.put_history(_slot(self.frame.label, ordinal % self._warm_bars), (ordinal, start_ms, *prices, *bar[4:]))
        return folded + len(bars)

    def _history(self, store: Store, state: FrameState) -> list[Part]:
        """The newest bars folded, oldest first, without a gap (a changed `warm_bars` leaves some in other slots)."""
        bars: list[Part] = []
        for ordinal in range(state.folded - 1, max(-1, state.folded - 1 - self._warm_bars), -1):
            bar = store.get_history(_slot(self.frame.label, ordinal % self._warm_bars))
            if bar is None or bar[0] != ordinal:
                break
            bars.append(bar[1:])
        return bars[::-1]

    def _from_history(self, bar: Part) -> tuple[int, Partial]:
        """A bar whose ticks are settled: its open and close keep their place among other bars, not their tick's key."""
        start_ms, opened, high, low, closed, *sums = bar
        if opened is None:
            return start_ms, [None, None, None, None, *sums]
        first = (start_ms * NS_PER_MS, 0, 0, 0, "", "", opened)
        last = (self._end_ns(start_ms) - 1, 0, 0, 0, "", "", closed)
        return start_ms, [first, last, high, low, *sums]


def _slot(label: str, slot: int) -> str:
    return f"{label}/{slot}"


def _begin(starts: Sequence[int], gone: Sequence[int]) -> int | None:
    """Where new indicators begin: as early as the bars kept let them, but after those that go if one of these does.

    A new one may take over a label, and its records are told from those of the one before by their `since` alone.
    """
    latest = max(gone, default=-1)
    return next((start_ms for start_ms in starts if start_ms > latest), starts[-1] if starts else None)


def _folded(step: Callable[[State, Bar], tuple[State, Step]], state: State, bars: Iterable[Bar | None]) -> State:
    for bar in bars:
        if bar is not None:
            state, _ = step(state, bar)
    return state


def _digest(numbers: BarNumbers, values: Values) -> int:
    """Of a bar's content. Pickled tuples of numbers have one form a protocol, unlike `hash`, from one Python to the next."""
    content = pickle.dumps((tuple(numbers), values), 4)
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "big")
