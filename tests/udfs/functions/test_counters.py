"""What the job counts, as Flink's metrics see it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from udfs.functions.counters import Counters
from udfs.model import Reason, Refusal, Tick
from udfs.outcome import Outcome


class Group:
    """A metric group whose counters end up in one table by their full name."""

    def __init__(self, table: Counter[str], name: str = "") -> None:
        self._table, self._name = table, name

    def add_group(self, *names: str) -> "Group":
        return Group(self._table, ".".join(filter(None, (self._name, *names))))

    def counter(self, name: str) -> "Metric":
        return Metric(self._table, f"{self._name}.{name}")


class Metric:
    def __init__(self, table: Counter[str], name: str) -> None:
        self._table, self._name = table, name

    def inc(self, by: int = 1) -> None:
        self._table[self._name] += by


class Context:
    def __init__(self) -> None:
        self.table: Counter[str] = Counter()

    def get_metrics_group(self) -> Group:
        return Group(self.table)


@dataclass
class Decoded:
    ticks: list[Tick] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    copies: int = 0
    rounded: int = 0
    lines: int = 0
    drop: bool = False


def outcome(**counts: Any) -> Outcome:
    made = Outcome()
    for name, value in counts.items():
        setattr(made, name, value)
    return made


def test_every_lines_fate_is_counted() -> None:
    context = Context()
    counters = Counters(context)
    late = Refusal(Reason.LATE_TICK, "", 0)
    counters.oddities("A", Decoded(copies=2, rounded=1), (), outcome())
    counters.oddities("A", Decoded(), [Refusal(Reason.BAD_JSON, "", 1), late, late], outcome())
    counters.oddities("A", Decoded(drop=True), (), outcome())
    counters.flush(outcome(counted=6, duplicates=3, late=4), now_ms=4_000)
    assert context.table == {
        "tickloom.ticks": 6,
        "tickloom.duplicates": 3,
        "tickloom.late_ticks": 4,
        "tickloom.frame_copies": 2,
        "tickloom.rounded": 1,
        "tickloom.drops": 1,
        "tickloom.reason.late_tick.dead_letters": 2,
        "tickloom.reason.bad_json.dead_letters": 1,
    }


def test_a_symbol_met_in_two_partitions_counts_once_however_many_its_records() -> None:
    context = Context()
    counters = Counters(context)
    for symbol in ("A", "A", "B", "A"):
        counters.oddities(symbol, Decoded(), (), outcome(split_records=1))
    counters.flush(outcome(), now_ms=1_000)
    assert context.table == {"tickloom.split_symbols": 2}


def test_counts_add_up_in_the_outcome_and_are_handed_over_at_most_once_a_second() -> None:
    context = Context()
    counters = Counters(context)
    seen, made = [], outcome()
    for now_ms in (10_000, 10_500, 10_999, 11_000):
        made.counted += 1
        counters.flush(made, now_ms)
        seen.append(context.table["tickloom.ticks"])
    assert seen == [1, 1, 1, 4]
    assert made.counted == 0
