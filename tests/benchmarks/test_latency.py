"""Latencies by their definitions, from records that were read."""

from math import inf

from benchmarks.latency import SYMBOLS, Seen, latencies, percentile
from benchmarks.load import Roles
from udfs.model import Result, Status

ROLES = Roles.of(SYMBOLS)
END_MS = 1_800_000_060_000


def result(symbol: str, status: Status, as_of_ms: int | None = None, end_ms: int = END_MS) -> Result:
    prices = {name: 1.0 for name in ("open", "high", "low", "close", "volume", "turnover", "vwap")}
    return Result(
        v=1, stock_id=symbol, time_frame="1min", start_ms=end_ms - 60_000, end_ms=end_ms, status=status, run=1, revision=0, emitted_ms=0,
        trades=1, first_ms=0, last_ms=0, complete=True, results={}, as_of_ms=as_of_ms, **prices,
    )  # fmt: skip


def test_every_symbol_has_one_role() -> None:
    assert len({*ROLES.active, *ROLES.probes, *ROLES.quiet}) == SYMBOLS == sum(map(len, (ROLES.active, ROLES.probes, ROLES.quiet)))


def test_live_latency_counts_from_the_newest_tick_and_leading_edges_are_the_probes() -> None:
    live = [Seen(END_MS + 30, result(symbol, Status.FORMING, END_MS)) for symbol in (ROLES.active[0], ROLES.probes[0])]
    early = Seen(END_MS - 1, result(ROLES.probes[0], Status.FORMING, END_MS - 900))
    seen = latencies([early, *live], [], END_MS, [], 0.0)
    assert seen.live == [30]
    assert seen.all_live == [30, 30]


def test_finals_count_from_their_bars_end_and_revisions_and_earlier_bars_do_not_count() -> None:
    finals = [
        Seen(END_MS + 700, result(ROLES.active[0], Status.FINAL)),
        Seen(END_MS + 1_900, result(ROLES.quiet[0], Status.FINAL)),
        Seen(END_MS + 2_000, result(ROLES.probes[0], Status.FINAL)),
        Seen(END_MS + 5_000, result(ROLES.active[0], Status.REVISED)),
        Seen(END_MS + 800, result(ROLES.active[0], Status.FINAL, end_ms=END_MS - 60_000)),
    ]
    seen = latencies([], finals, END_MS, [END_MS], 0.0)
    assert min(seen.active) == 700
    assert min(seen.quiet) == 1_900


def test_a_final_that_never_came_is_infinitely_late() -> None:
    finals = [Seen(END_MS + 700, result(symbol, Status.FINAL)) for symbol in ROLES.active[1:]]
    seen = latencies([], finals, END_MS, [END_MS], 0.0)
    assert sorted(seen.active) == [700] * (len(ROLES.active) - 1) + [inf]
    assert seen.quiet == [inf] * len(ROLES.quiet)


def test_a_percentile_is_a_value_that_was_seen() -> None:
    assert [percentile(range(1, 101), percent) for percent in (0, 50, 95, 99, 100)] == [1, 50, 95, 99, 100]
    assert percentile([7.0], 50) == percentile([7.0], 99) == 7.0
    assert percentile([], 50) is None
