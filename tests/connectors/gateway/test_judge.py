"""What passes here the job counts, what is refused here the job would refuse for the same reason; and the time guard."""

import json
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.codec import TickDecoder
from connectors.gateway.judge import Judge, TimeGuard, Verdict, is_whole
from tests.connectors.gateway.lines import GUARD, HOUR_MS, NOW_MS, tick
from udfs.model import Scales

ANY_TIME = TimeGuard(10**15, None)
JUDGE = Judge(Scales(), 16_384)
GOOD = tick("GOOD")

FIELDS = {
    "stock_id": st.sampled_from(["IBM", "A B", "", "BRK.B", None, 5, "x" * 65, "é"]),
    "symbol": st.sampled_from(["IBM", "MSFT", None, 7]),
    "price": st.sampled_from([10.5, 1, 0, -1, 1e-9, 1e12, 1e13, "1", True, None, [1], 123456789.123456789]),
    "size": st.sampled_from([100, 0, 0.5, -1, 1e16, "1", None]),
    "volume": st.sampled_from([100, -1, None]),
    "event_time_ms": st.sampled_from([NOW_MS, NOW_MS + 0.5, 0, -1, 2**70, "now", None]),
    "timestamp": st.sampled_from(["2026-11-22T14:30:00Z", "2026-11-22", 1_795_348_669, None]),
    "ts": st.sampled_from([1_795_348_669_460, "nonsense", None]),
    "seq": st.sampled_from([7, 2**64, "7", None]),
    "id": st.sampled_from(["t-9", 9, 1.5, None]),
    "source": st.sampled_from(["feed", "", 3, None]),
    "flags": st.sampled_from([["no_price"], ["odd"], "no_price", [1], None]),
    "time_frame": st.sampled_from(["1min", "5min", "1D", "7sec", 5, None]),
    "note": st.sampled_from(["x", "é", {"a": [1]}, None]),
}
OBJECTS = st.fixed_dictionaries({}, optional=FIELDS).map(lambda fields: json.dumps(fields).encode())
NONSENSE = st.sampled_from([b"{", b"null", b"[1]", b'"text"', b"42", b"\xff", b'{"stock_id":"\\ud800","price":1}', b"[" * 9_000, b"\x00"])


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A line with a few bytes changed."""
    line = bytearray(draw(OBJECTS))
    for _ in range(draw(st.integers(1, 3))):
        line[draw(st.integers(0, len(line) - 1))] = draw(st.integers(0, 255).filter(lambda byte: byte != 10))
    return bytes(line)


def judged(*texts: bytes, guard: TimeGuard = GUARD) -> Verdict:
    return JUDGE.judge(texts, guard, NOW_MS, {})


def reasons(verdict: Verdict) -> dict[int, str]:
    return {refusal.line: refusal.reason.value for refusal in verdict.refused}


def said_by_the_job(text: bytes, symbol: str) -> tuple[int, int, list[tuple[str, str]]]:
    """Ticks, copies and refusals of a record of this one line."""
    decoded = TickDecoder(Scales()).decode(symbol, text, NOW_MS, 0)
    return len(decoded.ticks), decoded.copies, [(each.reason.value, each.detail) for each in decoded.refusals]


@given(st.one_of(OBJECTS, NONSENSE, broken()))
@example(tick(price=1e-9))
@example(tick(time_frame="5min", price="no number"))
def test_a_line_passes_when_the_job_can_decode_it_and_else_is_refused_for_the_same_reason(text: bytes) -> None:
    verdict = judged(text, guard=ANY_TIME)
    if verdict.ticks:
        ((symbol, (_, (time_ms,))),) = verdict.ticks.items()
        ticks, copies, refusals = said_by_the_job(verdict.mended.get(0, text), symbol)
        assert (ticks + copies, refusals) == (1, [])
        assert time_ms >= 0
        return
    (refusal,) = verdict.refused
    symbol = _symbol_of(text)
    _, copies, refusals = said_by_the_job(text, symbol)
    assert refusals == [(refusal.reason.value, refusal.detail)] or (copies and refusal.reason.value == "bad_time")


def _symbol_of(text: bytes) -> str:
    """The key that a line's own record would have."""
    try:
        fields = json.loads(text)
        named = fields["stock_id"] if fields.get("stock_id") is not None else fields.get("symbol")
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return ""
    return named if isinstance(named, str) else ""


@given(st.lists(st.one_of(OBJECTS, NONSENSE, broken(), st.just(GOOD)), min_size=1, max_size=20))
def test_a_line_is_judged_alike_alone_and_among_others(texts: list[bytes]) -> None:
    together = judged(*texts)
    seen = {index: (symbol, time_ms) for symbol, ticks in together.ticks.items() for index, time_ms in zip(*ticks, strict=True)}
    assert sorted([*seen, *reasons(together)]) == list(range(len(texts)))
    for index, text in enumerate(texts):
        alone = judged(text)
        assert {0: reasons(together)[index]} == reasons(alone) if index not in seen else list(alone.ticks) == [seen[index][0]]
        assert together.mended.get(index) == alone.mended.get(0)
        assert (index in together.sourced) == (0 in alone.sourced)


@pytest.mark.parametrize(
    ("event_time_ms", "reason"),
    [
        (NOW_MS + 5_000, None),
        (NOW_MS + 5_001, "future_time"),
        (NOW_MS + HOUR_MS, "future_time"),
        (4_070_908_800_000, "future_time"),
        (NOW_MS - HOUR_MS, None),
        (NOW_MS - 24 * HOUR_MS, None),
        (NOW_MS - 24 * HOUR_MS - 1, "stale_time"),
        (0, "stale_time"),
    ],
)
def test_the_time_guard(event_time_ms: int, reason: str | None) -> None:
    assert reasons(judged(GOOD, tick(event_time_ms=event_time_ms), GOOD)) == ({1: reason} if reason else {})
    as_seconds = tick(event_time_ms=None, timestamp=event_time_ms / 1_000 if event_time_ms else 0)
    assert reasons(judged(as_seconds)) == ({0: reason} if reason else {})


def test_a_replay_may_be_of_any_age_but_not_of_the_future() -> None:
    guard = GUARD._replace(max_age_ms=None)
    assert reasons(judged(tick(event_time_ms=0), tick(event_time_ms=NOW_MS + HOUR_MS), guard=guard)) == {1: "future_time"}


def test_a_copy_for_another_time_frame_passes_and_is_bound_by_the_clock_as_well() -> None:
    texts = [tick(time_frame="5min"), tick(time_frame="5min", event_time_ms=4_070_908_800_000), tick(time_frame="7sec")]
    assert reasons(judged(*texts)) == {1: "future_time", 2: "unknown_time_frame"}


def test_a_line_without_event_time_is_given_the_time_it_came_in() -> None:
    verdict = judged(tick(event_time_ms=None), b'{"symbol":"MSFT","price":3}\r')
    assert {symbol: times for symbol, (_, times) in verdict.ticks.items()} == {"IBM": [NOW_MS], "MSFT": [NOW_MS]}
    assert json.loads(verdict.mended[0])["event_time_ms"] == NOW_MS
    assert json.loads(verdict.mended[1]) == {"symbol": "MSFT", "price": 3, "event_time_ms": NOW_MS}


def test_good_lines_pass_unharmed_between_bad_ones() -> None:
    draw = random.Random(5)
    bad = [b"{", b"\xff", tick(price=-1), tick("A B"), b"null", tick(event_time_ms=0)]
    texts = [GOOD if draw.random() < 0.5 else draw.choice(bad) for _ in range(500)]
    verdict = judged(*texts)
    assert verdict.ticks["GOOD"][0] == [index for index, text in enumerate(texts) if text == GOOD]
    assert list(reasons(verdict)) == [index for index, text in enumerate(texts) if text != GOOD]


@pytest.mark.parametrize(
    ("text", "whole"), [(GOOD, True), (GOOD[:-1], False), (b"12", False), (b"[1]", False), (b"", False), (b'{"a":"\xff"}', False)]
)
def test_only_an_object_can_be_known_to_be_whole(text: bytes, whole: bool) -> None:
    assert is_whole(text) is whole
