"""Symbols that are dropped, as `verify` sees them: two lives, one newest record of each bar."""

import pytest

from jobs.verify.lines import Drop, LineParser
from jobs.verify.rules import Kind
from tests.jobs.verify.histories import T0, Lists, read, record, result, results, tick, verify
from udfs.model import Reason

MINUTE = 60_000
DROP = b'{"stock_id":"IBM","op":"drop"}'
TICKS = [
    record(0, tick(10, 1, T0)),
    record(1, tick(11, 1, T0 + MINUTE)),
    record(2, DROP),
    record(3, tick(12, 1, T0 + MINUTE + 1)),
    record(4, tick(13, 1, T0 + 2 * MINUTE)),
    record(5, tick(14, 1, T0 + 3 * MINUTE + 1_000)),
]


def bar(minute: int, price: float, **fields: object) -> dict[str, object]:
    start_ms = T0 + minute * MINUTE
    plain = {"turnover": price, "vwap": price, "first_ms": start_ms, "last_ms": start_ms}
    return result(start_ms, (price,) * 4, 1, **{**plain, **fields})


FIRST_LIFE = [bar(0, 10, complete=False), bar(1, 11)]
AGAIN = bar(1, 12, run=2, complete=False, first_ms=T0 + MINUTE + 1, last_ms=T0 + MINUTE + 1)
SECOND_LIFE = [AGAIN, bar(2, 13, run=2)]


def differences(*said: dict[str, object], ticks: list[object] = TICKS) -> dict[Kind, int]:  # type: ignore[assignment] # records
    report = verify(Lists(ticks), Lists(results(*said)))  # type: ignore[arg-type]
    return dict(report.outcome.wrong)


def test_each_life_answers_for_its_bars_and_the_later_one_for_those_of_both() -> None:
    report = verify(Lists(TICKS), Lists(results(*FIRST_LIFE, *SECOND_LIFE)))
    assert report.outcome.differences == []
    assert (report.counts["drops"], report.counts["bars"], report.unproven) == (1, 4, {"not_closed": 1})
    assert report.counts["lines"] == report.counts["counted"] + report.counts["drops"]


def test_a_bar_that_was_open_at_the_drop_has_to_be_said() -> None:
    ticks = [record(0, tick(10, 1, T0)), record(1, DROP)]
    assert differences(ticks=ticks) == {Kind.MISSING_RESULT: 1}
    assert differences(bar(0, 10, complete=False), ticks=ticks) == {}


def test_a_bar_of_the_new_life_cannot_be_hidden_by_the_old_ones() -> None:
    assert differences(*FIRST_LIFE, SECOND_LIFE[1]) == {Kind.WRONG_CONTENT: 1, Kind.WRONG_COMPLETE: 1}
    same_run = [{**said, "run": 1} for said in SECOND_LIFE]
    assert differences(*FIRST_LIFE, *same_run)[Kind.DUPLICATE_RESULT] == 1


def test_a_drop_in_another_partition_makes_the_order_nobodys() -> None:
    report = verify(Lists([*TICKS[:2], record(0, DROP, partition=1)]), Lists(results(*FIRST_LIFE)))
    assert report.split_symbols == ("IBM",)
    assert report.unproven == {"split_symbol": 2}


def test_a_drop_mends_a_symbol_that_was_split() -> None:
    oracle = read([record(0, tick(10, 1, T0)), record(0, DROP, partition=1), record(1, tick(11, 1, T0), partition=1)])
    assert [life.partitions for life in oracle.histories["IBM"].lives()] == [{0, 1}, {1}]


def test_a_drop_of_a_symbol_without_ticks_is_counted_and_changes_nothing() -> None:
    oracle = read([record(0, DROP), record(1, DROP), record(2, tick(10, 1, T0))])
    assert oracle.counts["drops"] == 2
    assert len(oracle.histories["IBM"].lives()) == 1


def test_a_symbol_dropped_while_verify_runs_is_left_open() -> None:
    """The results of its new life were read, and those before it let go, before the drop was."""
    report = verify(Lists(TICKS[:2], TICKS[2:]), Lists(results(*FIRST_LIFE, *SECOND_LIFE)))
    assert report.outcome.differences == []
    assert set(report.unproven) == {"still_changing"}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        (b"IBM", DROP, Drop("IBM")),
        (b"IBM", b' {"op" : "dr\\u006fp", "stock_id":"IBM"} \r\n', Drop("IBM")),
        (None, DROP, Drop("IBM")),
        (b"MSFT", DROP, Reason.KEY_MISMATCH),
        (b"IBM", b'{"symbol":"IBM","op":"drop"}', Reason.MISSING_FIELD),
        (b"IBM", b'{"stock_id":"IBM","op":"DROP"}', Reason.MISSING_FIELD),
        (b"IBM", b'{"stock_id":"IBM","op":"drop","why":1}', Reason.MISSING_FIELD),
        (b"IBM", DROP + b"\n" + DROP, Reason.MISSING_FIELD),
        (b"I B", b'{"stock_id":"I B","op":"drop"}', Reason.BAD_SYMBOL),
    ],
)
def test_only_the_very_line_alone_in_its_record_drops(key: bytes | None, value: bytes, expected: object) -> None:
    parsed = [said for _, said in LineParser(8, 8).parse_record(key, value, T0)]
    assert set(parsed) == {expected}
