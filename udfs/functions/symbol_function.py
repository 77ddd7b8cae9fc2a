"""The job's one Python operator: Flink's state, timers and clock around `udfs.symbol_state`."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, OutputTag, RuntimeContext, TimeDomain

from udfs.functions.counters import Counters
from udfs.functions.flink_store import FlinkStore
from udfs.functions.hot_parts import HotParts
from udfs.functions.records import RecordCodec
from udfs.live import LiveRules, LiveThrottle
from udfs.outcome import Outcome
from udfs.rules import Rules
from udfs.state_layout import Hot
from udfs.symbol_state import SymbolState

BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())
RECORD = Types.ROW([BYTES, BYTES])
"""Kafka key, Kafka value."""
LIVE = OutputTag("live", RECORD)
DEAD = OutputTag("dead", RECORD)


class SymbolFunction(KeyedProcessFunction):  # type: ignore[misc]  # PyFlink has no types
    """Ticks of one symbol in; results to the main output, forming bars to `LIVE`, dead letters to `DEAD`."""

    def __init__(self, rules: Rules, live: LiveRules, run: int, codec: Callable[[], RecordCodec]) -> None:
        self._rules = rules
        self._live_rules = live
        self._run = run
        self._make_codec = codec

    def open(self, runtime_context: RuntimeContext) -> None:
        """Build what cannot be pickled."""
        self._codec = self._make_codec()
        self._decode = self._codec.decode
        self._state = SymbolState(self._rules, self._run)
        self._store = FlinkStore(runtime_context)
        self._hots = HotParts()
        self._throttle = LiveThrottle(self._live_rules)
        self._showing_since_s: float | None = None
        self._counters = Counters(runtime_context)
        self._outcome = Outcome()

    def process_element(self, value: bytes, ctx: KeyedProcessFunction.Context) -> Iterable[Any] | None:
        """One Kafka record, see `connectors.flink_kafka.TICK_RECORD`; the element's timestamp is the record's."""
        origin, has_value, raw = value.partition(b"\n")
        name, partition, offset = origin.split(b" ")
        symbol = name.decode() if name else ctx.get_current_key()
        now_ms = time.time_ns() // 1_000_000
        record_ms = ctx.timestamp()
        decoded = self._decode(symbol, raw if has_value else None, record_ms, int(offset))
        outcome = self._outcome
        output: list[Any] = []
        if decoded.ticks:
            hot = self._hots.get(symbol)
            hot = self._state.on_ticks(self._store, symbol, decoded.ticks, record_ms, int(partition), now_ms, outcome, hot)
            if hot is not None:
                self._hots.hold(symbol, hot, self._store.kept)
            if self._throttle.tick(symbol, now_ms):
                self._show(symbol, hot, now_ms, output)
            elif (at_ms := self._throttle.wait(symbol)) is not None:
                outcome.processing_timers.append(at_ms)
        elif decoded.drop:
            self._hots.forget(symbol)
            self._state.drop(self._store, symbol, int(partition), now_ms, outcome)
        if outcome.refusals or outcome.split_records or decoded.rounded or len(decoded.ticks) != decoded.lines:
            refusals = (*decoded.refusals, *outcome.refusals)
            self._counters.oddities(symbol, decoded, refusals, outcome)
            for refusal in refusals:
                letter = self._codec.encode_refusal(refusal, raw if has_value else None, int(partition), int(offset), now_ms)
                output.append((DEAD, Row(symbol.encode(), letter)))
        return self._carry_out(symbol, ctx, now_ms, output)

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterable[Any] | None:
        """Event time closes bars of quiet symbols; processing time says revisions and the last forming bars."""
        symbol = ctx.get_current_key()
        now_ms = time.time_ns() // 1_000_000
        hot, self._store.kept = self._hots.get(symbol), b""
        output: list[Any] = []
        if ctx.time_domain() == TimeDomain.EVENT_TIME:
            self._state.on_event_timer(self._store, symbol, timestamp, now_ms, self._outcome, hot)
        else:
            now_ms = max(now_ms, timestamp)  # a clock that was set back must not make it too early: no other timer comes
            self._state.on_processing_timer(self._store, symbol, now_ms, self._outcome, hot)
            if self._throttle.timer(symbol, now_ms):
                self._show(symbol, hot, now_ms, output)
        if hot is not None and self._store.kept:
            self._hots.hold(symbol, hot, self._store.kept)
        return self._carry_out(symbol, ctx, now_ms, output)

    def _show(self, symbol: str, hot: Hot | None, now_ms: int, output: list[Any]) -> None:
        self._showing_since_s = time.perf_counter()
        key = symbol.encode()
        for result in self._state.forming(self._store, symbol, hot, now_ms):
            output.append((LIVE, Row(key, self._codec.encode_result(result))))

    def _carry_out(self, symbol: str, ctx: Any, now_ms: int, output: list[Any]) -> Iterable[Any] | None:
        """Do what the core asked for, and return what goes out."""
        outcome = self._outcome
        if outcome.results:
            key = symbol.encode()
            output.extend(Row(key, self._codec.encode_result(result)) for result in outcome.results)
            self._counters.results(outcome.results)
        if outcome.event_timers or outcome.processing_timers:
            timers = ctx.timer_service()
            for at_ms in outcome.event_timers:
                timers.register_event_time_timer(at_ms)
            for at_ms in outcome.processing_timers:
                timers.register_processing_time_timer(at_ms)
        outcome.clear()
        self._counters.flush(outcome, now_ms)
        if self._showing_since_s is not None:
            return self._charged(symbol, now_ms, output, self._showing_since_s)
        return output or None

    def _charged(self, symbol: str, now_ms: int, output: list[Any], since_s: float) -> Iterator[Any]:
        """Give the output away; forming records are charged for all that it took until Flink had them."""
        self._showing_since_s = None
        yield from output
        self._throttle.shown(symbol, now_ms, (time.perf_counter() - since_s) * 1e3, time.thread_time() * 1e3)
