"""The simulated exchange: one seed, one stream of bytes; faults on request, within their bounds."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import pytest

from connectors.codec import TickDecoder
from jobs.feed_records import Coalescing, Heartbeat, Item, Record
from jobs.simulate import Exchange, Simulation
from jobs.simulated_faults import BAD_LINES, Faults
from jobs.simulated_market import symbol_names
from udfs.model import Reason, Scales

NOW = 1_795_348_669_460
HOUR, DAY = 3_600_000, 86_400_000
SMALL = Simulation(symbols=5, ticks=3_000, rate=50.0, coalescing=Coalescing.full_speed(8))
FAULTY = Faults(disorder=0.05, duplicates=0.02, late=0.01, bad=0.01)


def records(items: Iterable[Item]) -> list[Record]:
    return [item for item in items if isinstance(item, Record)]


def lines(items: Iterable[Item]) -> list[bytes]:
    return [line for record in records(items) for line in record.lines]


def trades(simulation: Simulation) -> list[Item]:
    return list(Exchange(simulation).trades(NOW))


def test_the_same_seed_and_start_give_the_same_bytes() -> None:
    simulation = replace(SMALL, faults=FAULTY)
    first, second = Exchange(simulation), Exchange(simulation)
    assert list(first.history(NOW)) == list(second.history(NOW))
    assert list(first.trades(NOW)) == list(second.trades(NOW))


def test_another_seed_gives_other_ticks() -> None:
    assert lines(trades(SMALL)) != lines(trades(replace(SMALL, seed=2)))


def test_symbols_are_distinct_valid_and_the_same_for_every_count() -> None:
    names = symbol_names(9_000)
    assert len(set(names)) == 9_000
    assert symbol_names(200) == names[:200]
    assert all(name.replace(".", "").isalnum() and len(name) <= 64 for name in names)


@pytest.mark.parametrize("lines_a_record", [1, 4, 16])
def test_bounded_counts_are_exact(lines_a_record: int) -> None:
    items = trades(replace(SMALL, coalescing=Coalescing.full_speed(lines_a_record)))
    assert len(lines(items)) == 3_000
    assert max(len(record.lines) for record in records(items)) == lines_a_record


def test_a_duration_bounds_event_time() -> None:
    items = trades(replace(SMALL, ticks=None, duration_ms=20_000))
    times = [json.loads(line)["event_time_ms"] for line in lines(items)]
    assert min(times) >= NOW
    assert NOW + 19_000 < max(times) < NOW + 20_000
    assert len(times) == pytest.approx(20 * 50, rel=0.15)


def test_seq_counts_each_symbols_ticks_over_history_and_trades() -> None:
    exchange = Exchange(SMALL)
    seqs = defaultdict(list)
    for line in lines([*exchange.history(NOW), *exchange.trades(NOW)]):
        tick = json.loads(line)
        seqs[tick["stock_id"]].append((tick["seq"], tick["event_time_ms"]))
    for found in seqs.values():
        times = [time for _, time in found]
        assert times == sorted(times)
        assert [seq for seq, _ in found] == list(range(found[0][0], found[0][0] + len(found)))


def test_prices_are_whole_cents_and_sizes_round_lots() -> None:
    for line in lines(trades(SMALL)):
        tick = json.loads(line)
        assert tick["price"] > 0
        assert round(tick["price"], 2) == tick["price"]
        assert tick["size"] % 100 == 0 < tick["size"]


def test_history_covers_forty_days_ever_denser_towards_now() -> None:
    ticks = [json.loads(line) for line in lines(Exchange(SMALL).history(NOW))]
    hour_ms = NOW - NOW % HOUR
    longest_ms = {2 * HOUR: 20_000, 6 * HOUR: 120_000, 36 * HOUR: 10 * 60_000, 40 * DAY: 8 * HOUR}
    for symbol in symbol_names(5):
        times = [tick["event_time_ms"] for tick in ticks if tick["stock_id"] == symbol]
        assert NOW - 20_000 < max(times) < NOW
        assert hour_ms - 40 * DAY - 36 * HOUR <= min(times) < hour_ms - 40 * DAY - 32 * HOUR
        for back_ms, gap_ms in longest_ms.items():
            recent = [time for time in times if time >= hour_ms - back_ms]
            assert max(later - earlier for earlier, later in pairwise(recent)) < gap_ms
        assert {time // DAY for time in times} == set(range(min(times) // DAY, NOW // DAY + 1))


def test_history_goes_on_where_a_topic_ends() -> None:
    after_ms = NOW - 3 * HOUR
    times = [json.loads(line)["event_time_ms"] for line in lines(Exchange(SMALL).history(NOW, after_ms))]
    assert after_ms < min(times) < after_ms + 60_000
    assert len(times) == pytest.approx(5 * ((HOUR - NOW % HOUR) / 60_000 + (2 * HOUR + NOW % HOUR) / 10_000), rel=0.01)


def test_as_much_is_traded_in_history_as_live() -> None:
    exchange = Exchange(replace(SMALL, ticks=10_000))
    past = [tick for tick in map(json.loads, lines(exchange.history(NOW))) if tick["event_time_ms"] >= NOW - 2 * HOUR]
    live = [json.loads(line) for line in lines(exchange.trades(NOW))]
    a_minute = sum(tick["size"] for tick in past) / 120, sum(tick["size"] for tick in live) / (10_000 / 50 / 60)
    assert 0.5 < a_minute[0] / a_minute[1] < 2.0


def test_in_history_no_symbol_is_ahead_of_another_by_a_bars_end() -> None:
    """Otherwise the watermark would close bars that ticks still come for, and each would be a revision."""
    newest_ms = 0
    for item in Exchange(SMALL).history(NOW):
        if isinstance(item, Heartbeat):
            assert item.event_time_ms >= newest_ms
            newest_ms = item.event_time_ms
        else:
            oldest = json.loads(item.lines[0])["event_time_ms"]
            assert oldest // HOUR > newest_ms // HOUR or oldest // 60_000 > newest_ms // 60_000


def test_trades_go_on_where_history_ended() -> None:
    exchange = Exchange(SMALL)
    last = {tick["stock_id"]: tick["price"] for tick in map(json.loads, lines(exchange.history(NOW)))}
    first = {tick["stock_id"]: tick["price"] for tick in map(json.loads, reversed(lines(exchange.trades(NOW))))}
    assert all(abs(first[symbol] / price - 1) < 0.02 for symbol, price in last.items())


def test_skew_makes_the_first_symbol_trade_so_many_times_as_often_as_the_last() -> None:
    items = trades(replace(SMALL, symbols=2, ticks=11_000, skew=10.0))
    counts = Counter(json.loads(line)["stock_id"] for line in lines(items))
    first, last = symbol_names(2)
    assert counts[first] / counts[last] == pytest.approx(10, rel=0.1)


def test_faults_change_the_way_of_the_ticks_and_never_the_ticks() -> None:
    faulty = Exchange(replace(SMALL, faults=replace(FAULTY, bad=0.0)))
    sent = Counter(lines(faulty.trades(NOW)))
    assert set(sent) == set(lines(trades(SMALL)))
    assert sent.total() == 3_000 + faulty.counts.duplicates
    assert faulty.counts.lines == sent.total()


def test_shares_of_faults_are_as_asked() -> None:
    exchange = Exchange(replace(SMALL, ticks=20_000, faults=FAULTY))
    list(exchange.trades(NOW))
    counts = exchange.counts
    asked = {counts.disordered: 0.05, counts.duplicates: 0.02, counts.late: 0.01, counts.bad.total(): 0.01}
    for count, share in asked.items():
        assert count == pytest.approx(20_000 * share, rel=0.25)
    assert set(counts.bad) == set(BAD_LINES)


@pytest.mark.parametrize(
    ("faults", "bound_ms"),
    [(Faults(disorder=0.5, disorder_by_ms=10_000), 10_000), (Faults(late=0.3, late_by_ms=40_000), 40_000)],
)
def test_no_tick_arrives_later_than_its_fault_allows(faults: Faults, bound_ms: int) -> None:
    newest: dict[str, int] = {}
    behind = 0
    for line in lines(trades(replace(SMALL, coalescing=Coalescing.full_speed(1), faults=faults))):
        tick = json.loads(line)
        newest[tick["stock_id"]] = max(newest.get(tick["stock_id"], 0), tick["event_time_ms"])
        behind = max(behind, newest[tick["stock_id"]] - tick["event_time_ms"])
    assert bound_ms / 2 < behind <= bound_ms


def test_a_duplicate_follows_its_tick_within_five_seconds() -> None:
    faults = Faults(disorder=0.2, duplicates=0.3)
    seen: dict[bytes, int] = {}
    for record in records(trades(replace(SMALL, coalescing=Coalescing.full_speed(1), faults=faults))):
        assert record.due_ms - seen.setdefault(record.lines[0], record.due_ms) <= 5_000


@pytest.mark.parametrize("kind", BAD_LINES)
def test_a_bad_line_is_refused_or_is_of_a_time_that_no_tick_can_have(kind: str) -> None:
    good = b'{"stock_id":"IBM","price":184.05,"size":100,"event_time_ms":1381152600123,"seq":17,"source":"simulate"}'
    decoded = TickDecoder(Scales()).decode("IBM", good + b"\n" + BAD_LINES[kind](good) + b"\n" + good, 1_381_152_600_123, 0)
    years = [1970 + tick.event_time_ns / 1e9 / 31_556_952 for tick in decoded.ticks if tick.line == 1]
    assert decoded.lines == 3
    assert len(decoded.ticks) + len(decoded.refusals) == 3
    assert all(year < 1971 or year > 2098 for year in years)
    assert all(refusal.line == 1 and refusal.reason is not Reason.POISON for refusal in decoded.refusals)


def test_bad_lines_do_not_move_the_event_time_of_their_record() -> None:
    for record in records(trades(replace(SMALL, faults=Faults(bad=0.2)))):
        assert NOW <= record.event_time_ms < NOW + 120_000
