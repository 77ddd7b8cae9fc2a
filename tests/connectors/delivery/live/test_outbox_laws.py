"""What holds of an outbox whatever is put in, taken, lost and resumed, in whatever order."""

import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.live.limits import Limits
from connectors.delivery.live.outbox import Outbox
from connectors.delivery.store.records import Series

LIMITS = Limits(outbox_events=12, outbox_bytes=400, resume_window_s=20)
SERIES = [Series(symbol, "1min") for symbol in "ABC"]


@dataclass
class Run:
    """An outbox and its client: what was put in, and what arrived."""

    box: Outbox = field(default_factory=lambda: Outbox(LIMITS, lambda when_s: None))
    now_s: float = 0.0
    put: list[int] = field(default_factory=list)
    arrived: list[int] = field(default_factory=list)
    seq: int = 0
    shown: dict[Series, int] = field(default_factory=dict)
    finals: dict[Series, int] = field(default_factory=dict)
    lost: bool = False

    def final(self, series: Series, size: int) -> None:
        start_ms = self.finals.get(series, -1) + 1
        self.finals[series] = start_ms
        number = len(self.put)
        self.put.append(number)
        tail = b'"final":%d,"of":"%b","start":%d,"pad":"%b"}' % (number, series[0].encode(), start_ms, b"x" * size)
        for pace in self.box.paces.values():
            pace.final(series, start_ms)
        self.box.put_final(tail, self.now_s)

    def show(self, series: Series, hertz: int) -> None:
        start_ms = self.finals.get(series, -1) + 1
        self.shown[series] = self.shown.get(series, 0) + 1
        tail = b'"as_of":%d,"of":"%b","start":%d}' % (self.shown[series], series[0].encode(), start_ms)
        self.box.show(self.box.pace(hertz), series, start_ms, tail, self.now_s)

    def take(self, arrives: bool) -> None:
        """Take all frames there are; they arrive, or are lost, and from the first lost one on none arrives."""
        while (frame := self.box.take(self.now_s)) is not None:
            self.lost = self.lost or not arrives
            for message in [] if self.lost else map(json.loads, frame.messages):
                self.hear(message)

    def hear(self, message: dict[str, Any]) -> None:
        assert message["msg_seq"] == self.seq + 1
        self.seq += 1
        series = Series(message["of"], "1min")
        if "final" in message:
            self.arrived.append(message["final"])
            self.newest[series] = message["start"]
        else:
            assert message["start"] > self.newest.get(series, -1), "forming after its final"

    newest: dict[Series, int] = field(default_factory=dict)

    def resume(self) -> None:
        if self.box.resume(self.seq, self.now_s):
            self.lost = False


STEP = st.one_of(
    st.tuples(st.just("final"), st.sampled_from(SERIES), st.sampled_from([0, 10, 60])),
    st.tuples(st.just("show"), st.sampled_from(SERIES), st.sampled_from([1, 10])),
    st.tuples(st.just("take"), st.booleans()),
    st.tuples(st.just("resume")),
    st.tuples(st.just("wait"), st.sampled_from([0.05, 0.5, 15.0])),
)


@given(st.lists(STEP, max_size=60))
def test_every_final_arrives_once_and_in_order_numbered_without_a_gap_within_bounds(steps: list[Any]) -> None:
    run = Run()
    for name, *values in steps:
        if name == "wait":
            run.now_s += values[0]
        else:
            getattr(run, name)(*values)
        assert run.box.finals <= LIMITS.outbox_events
        assert run.box.size <= LIMITS.outbox_bytes
        assert all(len(pace.pending) <= len(SERIES) for pace in run.box.paces.values())
        assert run.arrived == run.put[: len(run.arrived)]
    run.resume()
    run.now_s += 10
    run.take(arrives=True)
    if not run.lost and not run.box.overflowed:
        assert run.arrived == run.put


@given(st.lists(st.tuples(st.sampled_from(SERIES), st.floats(0, 0.4)), min_size=1, max_size=60), st.sampled_from([2, 5, 20]))
def test_what_is_forming_is_never_sent_faster_than_asked_and_the_newest_always_is(steps: list[tuple[Series, float]], hertz: int) -> None:
    """The client looks exactly when it is told to."""
    woken: list[float] = []
    box = Outbox(LIMITS, woken.append)
    now_s, sent, times, put = 0.0, {}, [], 0
    skipped = 0

    def look(until_s: float) -> None:
        nonlocal skipped
        while woken and (when_s := min(woken)) <= until_s:
            woken[:] = [each for each in woken if each > when_s]
            if frame := box.take(when_s):
                times.append(when_s)
                skipped += frame.skipped
                sent.update({(message := json.loads(each))["of"]: message["as_of"] for each in frame.messages})

    newest = {}
    for series, gap_s in steps:
        look(now_s)
        now_s += gap_s
        look(now_s)
        put += 1
        newest[series[0]] = put
        box.show(box.pace(hertz), series, 0, b'"of":"%b","as_of":%d}' % (series[0].encode(), put), now_s)
    look(now_s + 1 / hertz)
    assert sent == newest
    assert box.seq + skipped == put, "each was sent, or is counted as passed over"
    assert all(later - earlier >= 1 / hertz - 1e-9 for earlier, later in pairwise(times))
