"""The job's core and `verify` on the same dirty histories: two roads, one answer. A disagreement is a fault in one of them."""

import json
import random
from typing import Any

import pytest

from connectors.consumer import Record
from connectors.job_codec import JobCodec
from jobs.verify.rules import NS_PER_MS, Rules, Span
from tests.jobs.verify.histories import T0, Lists, verify
from udfs.frames import parse_frames
from udfs.indicators import DEFAULT_LABELS
from udfs.model import Scales
from udfs.outcome import Outcome
from udfs.rules import Rules as CoreRules
from udfs.symbol_state import END_OF_TIME_MS, SymbolState

FRAMES = parse_frames(["1min", "5min", "15min", "1hour", "1day"])
RULES = Rules(tuple(Span(frame.label, frame.length_ms * NS_PER_MS) for frame in FRAMES))
ODD = (b"{", b"[]", b"\xff", b"null", b"", b'{"stock_id":"S0","price":1e999}', b'{"stock_id":"S0","price":5}x')
FAULTS: tuple[dict[str, object], ...] = (
    {"price": 0}, {"price": "1"}, {"price": True}, {"price": None}, {"price": 1e-12}, {"size": -1}, {"size": False}, {"size": 1e16},
    {"event_time_ms": -1}, {"event_time_ms": 1.5}, {"event_time_ms": "x"}, {"seq": 2**63}, {"seq": 1.5}, {"stock_id": "OTHER"},
    {"stock_id": "a b"}, {"stock_id": None}, {"time_frame": "1m"}, {"time_frame": "5min"}, {"time_frame": "7x"}, {"flags": [1]},
    {"event_time_ms": None, "ts": "2023-11-14T22:13:20.5+01:00"}, {"event_time_ms": None, "ts": "soon"}, {"event_time_ms": None},
)  # fmt: skip


class DictStore:
    """The parts of one symbol's state, in memory."""

    def __init__(self) -> None:
        self.parts: dict[object, Any] = {}

    def clear(self) -> None:
        self.parts.clear()

    def __getattr__(self, name: str) -> Any:
        verb, _, part = name.partition("_")
        if verb == "get":
            return lambda *key: self.parts.get((part, *key))
        if verb == "put":
            return lambda *key_and_value: self.parts.__setitem__((part, *key_and_value[:-1]), key_and_value[-1])
        if verb == "drop":
            return lambda *key: self.parts.pop((part, *key), None)
        raise AttributeError(name)


def history(seed: int, records: int, drops: float = 0.0) -> list[tuple[str, int, bytes | None]]:
    """(symbol, timestamp, value) of records with disorder, late ticks, duplicates, flags and every kind of fault.

    `drops` is the share of records that drop their symbol, which then goes on, or back to ticks it has had before.
    """
    dice = random.Random(seed)
    clocks, prices = {f"S{n}": T0 for n in range(3)}, {f"S{n}": 10.0 ** dice.randint(-2, 6) for n in range(3)}
    sent: list[bytes] = []
    written: list[tuple[str, int, bytes | None]] = []
    for number in range(records):
        symbol = dice.choice(list(clocks))
        if drops and dice.random() < drops:
            written.append((symbol, clocks[symbol], f'{{"op": "drop", "stock_id": "{symbol}"}}'.encode() + dice.choice([b"", b"\n"])))
            clocks[symbol] -= dice.choice([0, 0, 40_000, 600_000, 40_000_000])
            continue
        lines = []
        for _ in range(dice.choice([1, 1, 3])):
            clocks[symbol] += dice.choice([0, 0, 1, 700, 3_000, 20_000, 90_000])
            if dice.random() < 0.7:
                prices[symbol] = round(prices[symbol] * (1 + dice.uniform(-0.002, 0.002)), dice.choice([2, 4, 9])) or 0.01
            lines.append(line(dice, symbol, clocks[symbol], prices[symbol], number, sent))
        value = b"\n".join(lines) + dice.choice([b"", b"\n", b" \r\n"])
        written.append((symbol, clocks[symbol], None if dice.random() < 0.005 else value))
    return written


def line(dice: random.Random, symbol: str, clock_ms: int, price: float, number: int, sent: list[bytes]) -> bytes:
    if sent and dice.random() < 0.04:
        return dice.choice(sent[-200:])
    if dice.random() < 0.01:
        return dice.choice(ODD)
    back = dice.choice([100, 2_000, 60_000, 880_000, 1_000_000]) if dice.random() < 0.06 else 0
    fields: dict[str, object] = {"stock_id": symbol, "price": price, "size": dice.choice([0, 1, 0.5, 1e-9, 12345.678])}
    fields["event_time_ms"] = clock_ms - back
    if dice.random() < 0.7:
        fields["seq"] = number
    if dice.random() < 0.2:
        fields |= {"id": dice.choice(["a", 7, str(number)]), "source": dice.choice(["x", "y"])}
    if dice.random() < 0.1:
        fields["flags"] = dice.choice([["no_price"], ["no_volume"], ["no_price", "no_volume"], ["odd"]])
    if dice.random() < 0.04:
        fields |= dice.choice(FAULTS)
    encoded = json.dumps(fields).encode()
    sent.append(encoded)
    return encoded


class Core:
    """Drives the job's core as the job does, one symbol's store beside the other."""

    def __init__(self, run: int = 5) -> None:
        self.codec = JobCodec(Scales(), "stock_data")
        self.configure(DEFAULT_LABELS, run)
        self.stores: dict[str, Any] = {}
        self.results: list[Record] = []
        self.letters: list[Record] = []

    def configure(self, indicators: dict[str, str], run: int = 5) -> None:
        self.core = SymbolState(CoreRules(frames=FRAMES, indicators=indicators), run)

    def take(self, offset: int, symbol: str, timestamp_ms: int, value: bytes | None) -> None:
        store = self.stores.setdefault(symbol, DictStore())
        decoded, outcome = self.codec.decode(symbol, value, timestamp_ms, offset), Outcome()
        if decoded.drop:
            self.core.drop(store, symbol, 0, offset, outcome)
        else:
            self.core.on_ticks(store, symbol, decoded.ticks, timestamp_ms, 0, offset, outcome)
        for refusal in (*decoded.refusals, *outcome.refusals):
            letter = self.codec.encode_refusal(refusal, value, 0, offset, 0)
            self.letters.append(Record(0, len(self.letters), 0, symbol.encode(), letter))
        self._say(symbol, outcome)

    def end(self) -> None:
        for symbol, store in self.stores.items():
            outcome = Outcome()
            self.core.on_event_timer(store, symbol, END_OF_TIME_MS, 10**9, outcome)
            self._say(symbol, outcome)

    def _say(self, symbol: str, outcome: Outcome) -> None:
        for said in outcome.results:
            self.results.append(Record(0, len(self.results), 0, symbol.encode(), self.codec.encode_result(said)))


@pytest.mark.parametrize("seed", range(4))
def test_the_core_and_verify_agree_on_every_bar_value_and_dead_letter(seed: int) -> None:
    job, ticks = Core(), []
    for offset, (symbol, timestamp_ms, value) in enumerate(history(seed, 1_200)):
        ticks.append(Record(0, offset, timestamp_ms, symbol.encode(), value))
        job.take(offset, symbol, timestamp_ms, value)
    job.end()
    report = verify(Lists(ticks), Lists(job.results), Lists(job.letters), by=RULES, indicators=DEFAULT_LABELS)
    assert report.outcome.differences == []
    assert report.exit_code == 0
    assert min(report.counts[name] for name in ("duplicates", "revised_bars", "indicator_values", "dead_letters", "frame_copies")) > 0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("records", [40, 600])
def test_they_agree_over_upgrades_that_give_a_label_another_meaning(seed: int, records: int) -> None:
    meanings = ["rsi(14)", "rsi(3)", "rsi(5)"] if records > 100 else ["sma(3)", "sma(2)"]
    job, ticks = Core(), []
    written = history(seed, records)
    for offset, (symbol, timestamp_ms, value) in enumerate(written):
        job.configure({"Same": "ema(4)", "Meant": meanings[offset * len(meanings) // len(written)]})
        ticks.append(Record(0, offset, timestamp_ms, symbol.encode(), value))
        job.take(offset, symbol, timestamp_ms, value)
    job.end()
    indicators = {"Same": "ema(4)", "Meant": meanings[-1]}
    report = verify(Lists(ticks), Lists(job.results), Lists(job.letters), by=RULES, indicators=indicators)
    assert report.outcome.differences == []
    assert report.unproven["indicator_changed"] > 0
    assert report.counts["indicator_values"] > 0


@pytest.mark.parametrize("seed", range(3))
def test_they_agree_on_symbols_that_are_dropped_and_come_back(seed: int) -> None:
    job, ticks = Core(), []
    for offset, (symbol, timestamp_ms, value) in enumerate(history(seed, 900, drops=0.01)):
        ticks.append(Record(0, offset, timestamp_ms, symbol.encode(), value))
        job.take(offset, symbol, timestamp_ms, value)
    job.end()
    report = verify(Lists(ticks), Lists(job.results), Lists(job.letters), by=RULES, indicators=DEFAULT_LABELS)
    assert report.outcome.differences == []
    counts, refused = report.counts, sum(report.dead_letters.values())
    assert min(counts[name] for name in ("drops", "revised_bars", "indicator_values", "dead_letters", "results_of_older_runs")) > 0
    assert counts["lines"] == counts["counted"] + counts["duplicates"] + counts["frame_copies"] + counts["drops"] + refused
    assert set(report.unproven) <= {"not_closed"}

    fresh = Core(50)  # a job without state, beside the results of the first
    for each in ticks:
        fresh.take(each.offset, (each.key or b"").decode(), each.timestamp_ms, each.value)
    fresh.end()
    report = verify(Lists(ticks), Lists(job.results + fresh.results), Lists(job.letters), by=RULES, indicators=DEFAULT_LABELS)
    assert report.outcome.differences == []
