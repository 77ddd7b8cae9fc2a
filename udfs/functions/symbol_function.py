"""The job's one Python operator: Flink's state, timers and clock around `udfs.symbol_state`."""

import time
from collections.abc import Callable
from typing import Any

from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, OutputTag, RuntimeContext, TimeDomain

from udfs.functions.counters import Counters
from udfs.functions.flink_store import FlinkStore
from udfs.functions.records import RecordCodec
from udfs.live import LiveRules, LiveThrottle
from udfs.outcome import Outcome
from udfs.rules import Rules
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
        self._throttle = LiveThrottle(self._live_rules)
        self._counters = Counters(runtime_context)

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> list[Any] | None:
        """One Kafka record: `value` is (bytes or None, partition, offset), the element's timestamp the record's."""
        raw, partition, offset = value
        raw = None if raw is None else bytes(raw)
        symbol = ctx.get_current_key()
        now_ms = time.time_ns() // 1_000_000
        record_ms = ctx.timestamp()
        decoded = self._decode(symbol, raw, record_ms, offset)
        outcome = Outcome()
        output: list[Any] = []
        if decoded.ticks:
            hot = self._state.on_ticks(self._store, symbol, decoded.ticks, record_ms, partition, now_ms, outcome)
            if self._throttle.tick(symbol, now_ms):
                self._show(symbol, hot, now_ms, output)
            elif (at_ms := self._throttle.wait(symbol)) is not None:
                outcome.processing_timers.append(at_ms)
        if decoded.refusals or outcome.refusals:
            for refusal in (*decoded.refusals, *outcome.refusals):
                letter = self._codec.encode_refusal(refusal, raw, partition, offset, now_ms)
                output.append((DEAD, Row(symbol.encode(), letter)))
        self._counters.record(decoded, outcome, now_ms)
        self._carry_out(symbol, outcome, ctx, output)
        return output

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> list[Any]:
        """Event time closes bars of quiet symbols; processing time says revisions and the last forming bars."""
        symbol = ctx.get_current_key()
        now_ms = time.time_ns() // 1_000_000
        outcome = Outcome()
        output: list[Any] = []
        if ctx.time_domain() == TimeDomain.EVENT_TIME:
            self._state.on_event_timer(self._store, symbol, timestamp, now_ms, outcome)
        else:
            self._state.on_processing_timer(self._store, symbol, now_ms, outcome)
            if self._throttle.timer(symbol, now_ms):
                self._show(symbol, None, now_ms, output)
        self._carry_out(symbol, outcome, ctx, output)
        return output

    def _show(self, symbol: str, hot: Any, now_ms: int, output: list[Any]) -> None:
        started = time.perf_counter()
        key = symbol.encode()
        for result in self._state.forming(self._store, symbol, hot, now_ms):
            output.append((LIVE, Row(key, self._codec.encode_result(result))))
        self._throttle.shown(symbol, now_ms, (time.perf_counter() - started) * 1e3)

    def _carry_out(self, symbol: str, outcome: Outcome, ctx: Any, output: list[Any]) -> None:
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
