"""Whole symbols compared: every expected value here is computed by hand."""

from typing import Any

import pytest

from connectors.consumer import Record
from jobs.verify.report import Report
from jobs.verify.rules import Kind, Unproven
from tests.jobs.verify.histories import T0, Lists, record, result, results, rules, tick, verify

MINUTE = 60_000


def minute(n: int, price: float, **fields: object) -> dict[str, Any]:
    """The result of the nth minute: one tick of size 2 at its start."""
    plain = result(T0 + n * MINUTE, (price,) * 4, 2, turnover=2 * price, vwap=price, complete=n > 0)
    return plain | fields


def prices_of(*prices: float) -> list[Record]:
    """A tick a minute, and one more that closes the last."""
    ticks = [record(n, tick(price, 2, T0 + n * MINUTE)) for n, price in enumerate(prices)]
    return [*ticks, record(len(prices), tick(1, 1, T0 + len(prices) * MINUTE + 1_000))]


def compare(ticks: list[Record], said: list[dict[str, Any]], **options: Any) -> Report:
    return verify(Lists(ticks), Lists(results(*said)), **options)


def test_right_results_have_no_difference() -> None:
    report = compare(prices_of(5, 6), [minute(0, 5), minute(1, 6)])
    assert (report.outcome.wrong, report.exit_code) == ({}, 0)
    assert (report.counts["bars"], report.counts["results"], report.counts["symbols"]) == (3, 2, 1)
    assert report.unproven == {Unproven.NOT_CLOSED: 1}


def test_a_falsified_field_is_found_with_what_was_expected() -> None:
    report = compare(prices_of(5, 6), [minute(0, 5), minute(1, 6, high=6.5, trades=True)])
    (difference,) = report.outcome.differences
    assert (difference.kind, difference.field) == (Kind.WRONG_CONTENT, "high trades")
    assert (difference.expected, difference.found) == ({"high": 6.0, "trades": 1}, {"high": 6.5, "trades": True})
    assert difference.where == "IBM 1min 2023-11-14T22:15Z (1700000100000)"
    assert report.exit_code == 6


@pytest.mark.parametrize("field", ["end_ms", "open", "high", "low", "close", "volume", "turnover", "vwap", "trades", "first_ms", "last_ms"])
def test_every_field_of_the_content_is_compared(field: str) -> None:
    wrong = minute(0, 5)
    wrong[field] += 1
    assert compare(prices_of(5), [wrong]).outcome.differences[0].field == field
    wrong[field] = None
    assert compare(prices_of(5), [wrong]).outcome.wrong == {Kind.WRONG_CONTENT: 1}


def test_a_removed_result_is_found() -> None:
    assert compare(prices_of(5, 6, 7), [minute(0, 5), minute(2, 7)]).outcome.wrong == {Kind.MISSING_RESULT: 1}


def test_a_removed_first_result_is_found() -> None:
    assert compare(prices_of(5, 6), [minute(1, 6)]).outcome.wrong == {Kind.MISSING_RESULT: 1}


def test_a_missing_result_is_excused_only_while_the_clock_has_not_closed_it() -> None:
    ticks = [record(0, tick(5, 2, T0)), record(1, tick(1, 1, T0 + MINUTE + 999))]
    assert compare(ticks, []).unproven == {Unproven.NOT_CLOSED: 2}
    assert compare([*ticks, record(2, tick(1, 1, T0 + MINUTE + 1_000))], []).outcome.wrong == {Kind.MISSING_RESULT: 1}


def test_a_result_the_watermark_closed_early_must_still_be_right() -> None:
    ticks = [record(0, tick(5, 2, T0))]
    assert not compare(ticks, [minute(0, 5)]).outcome.wrong
    assert compare(ticks, [minute(0, 5, close=4)]).outcome.wrong == {Kind.WRONG_CONTENT: 1}


def test_results_without_ticks_are_found() -> None:
    assert compare(prices_of(5), [minute(0, 5), minute(7, 5)]).outcome.wrong == {Kind.UNEXPECTED_RESULT: 1}
    assert compare([], [minute(0, 5)]).outcome.wrong == {Kind.UNEXPECTED_RESULT: 1}


def test_complete_is_false_for_the_symbols_first_bar_only() -> None:
    assert compare(prices_of(5, 6), [minute(0, 5, complete=True), minute(1, 6)]).outcome.wrong == {Kind.WRONG_COMPLETE: 1}
    assert compare(prices_of(5, 6), [minute(0, 5), minute(1, 6, complete=False)]).outcome.wrong == {Kind.WRONG_COMPLETE: 1}


def test_the_newest_revision_is_compared() -> None:
    said = [minute(0, 4), minute(0, 5, status="revised", revision=1)]
    assert not compare(prices_of(5), said).outcome.wrong
    assert compare(prices_of(5), [minute(0, 5), minute(0, 4, status="revised", revision=1)]).outcome.wrong == {Kind.WRONG_CONTENT: 1}


def test_bars_from_before_a_frame_was_added_are_counted_not_proved() -> None:
    indicators = {"OBV": "obv()"}
    first = minute(2, 7, complete=False, volume=1, results={"OBV": 1})  # half of its minute was kept
    said = [first, minute(3, 8, results={"OBV": 3})]
    report = compare(prices_of(5, 6, 7, 8), said, indicators=indicators)
    assert not report.outcome.wrong
    assert report.unproven == {Unproven.FRAME_ADDED: 3, Unproven.NOT_CLOSED: 1}
    wrong = compare(prices_of(5, 6, 7, 8), [first, minute(3, 8, results={"OBV": 8})], indicators=indicators)
    assert wrong.outcome.wrong == {Kind.WRONG_INDICATOR: 1}


SMA = {"MA": "sma(2)"}


def test_indicator_values_are_compared_label_by_label() -> None:
    said = [minute(0, 5, results={"MA": None}), minute(1, 6, results={"MA": 5.5}), minute(2, 9, results={"MA": 7.5})]
    report = compare(prices_of(5, 6, 9), said, indicators=SMA)
    assert (report.outcome.wrong, report.counts["indicator_values"]) == ({}, 3)
    said[1]["results"]["MA"] = 5.50000002
    (difference,) = compare(prices_of(5, 6, 9), said, indicators=SMA).outcome.differences
    assert (difference.kind, difference.field, difference.expected, difference.found) == (Kind.WRONG_INDICATOR, "MA", 5.5, 5.50000002)


@pytest.mark.parametrize("value", [None, 0, "5.5", {"ma": 5.5}, True])
def test_a_value_that_is_missing_or_of_another_shape_is_found(value: object) -> None:
    said = [minute(0, 5, results={"MA": None}), minute(1, 6, results={"MA": value})]
    assert compare(prices_of(5, 6), said, indicators=SMA).outcome.wrong == {Kind.WRONG_INDICATOR: 1}


def test_a_value_before_there_can_be_one_is_found() -> None:
    said = [minute(0, 5, results={"MA": 5})]
    assert compare(prices_of(5), said, indicators=SMA).outcome.wrong == {Kind.WRONG_INDICATOR: 1}


def test_all_outputs_come_together_under_their_names() -> None:
    bands = {"B": "bbands(2,2)"}
    said = [minute(0, 5, results={"B": None}), minute(1, 7, results={"B": {"upper": 8, "middle": 6, "lower": 4}})]
    assert not compare(prices_of(5, 7), said, indicators=bands).outcome.wrong
    said[1]["results"]["B"] = {"upper": 8, "middle": 6}
    assert compare(prices_of(5, 7), said, indicators=bands).outcome.wrong == {Kind.WRONG_INDICATOR: 1}


def test_a_bar_of_volume_only_has_null_values_and_moves_no_indicator() -> None:
    ticks = [
        record(0, tick(5, 2, T0)),
        record(1, tick(9, 2, T0 + MINUTE, flags=["no_price"])),
        record(2, tick(7, 2, T0 + 2 * MINUTE), tick(1, 1, T0 + 3 * MINUTE + 1_000)),
    ]
    volume_only = result(T0 + MINUTE, None, 2, results={"MA": None})
    said = [minute(0, 5, results={"MA": None}), volume_only, minute(2, 7, results={"MA": 6})]
    assert not compare(ticks, said, indicators=SMA).outcome.wrong
    volume_only["results"] = {"MA": 5}
    assert compare(ticks, said, indicators=SMA).outcome.wrong == {Kind.WRONG_INDICATOR: 1}


def test_an_indicator_is_folded_from_its_since() -> None:
    since = {"MA": T0 + MINUTE}
    said = [
        minute(0, 5),
        minute(1, 6, since=since, results={"MA": None}),
        minute(2, 9, since=since, results={"MA": 7.5}),
    ]
    report = compare(prices_of(5, 6, 9), said, indicators=SMA)
    assert not report.outcome.wrong
    assert report.unproven == {Unproven.INDICATOR_ADDED: 1, Unproven.NOT_CLOSED: 1}
    said[1]["results"] = {"MA": 5.5}  # as if it had seen the bar before
    assert compare(prices_of(5, 6, 9), said, indicators=SMA).outcome.wrong == {Kind.WRONG_INDICATOR: 1}


def test_bars_said_before_an_indicator_was_there_are_counted_even_if_it_was_warmed_up_from_the_first_one() -> None:
    said = [minute(0, 5), minute(1, 6, results={"MA": 5.5})]
    report = compare(prices_of(5, 6), said, indicators=SMA)
    assert not report.outcome.wrong
    assert report.unproven[Unproven.INDICATOR_ADDED] == 1


def test_a_label_missing_from_one_record_is_found() -> None:
    said = [minute(0, 5, results={"MA": None}), minute(1, 6)]
    assert compare(prices_of(5, 6), said, indicators=SMA).outcome.wrong == {Kind.MISSING_INDICATOR: 1}


def test_values_said_under_an_earlier_meaning_of_a_label_are_counted() -> None:
    said = [minute(0, 5, results={"MA": 123}), minute(1, 6, since={"MA": T0 + MINUTE}, results={"MA": None})]
    report = compare(prices_of(5, 6), said, indicators=SMA)
    assert not report.outcome.wrong
    assert report.unproven[Unproven.INDICATOR_CHANGED] == 1


def test_of_a_label_that_changed_twice_only_its_newest_meaning_is_judged() -> None:
    said = [
        minute(0, 5, results={"MA": 123}),
        minute(1, 6, since={"MA": T0}, results={"MA": 77}),
        minute(2, 9, since={"MA": T0 + MINUTE}, results={"MA": 7.5}),
    ]
    report = compare(prices_of(5, 6, 9), said, indicators=SMA)
    assert not report.outcome.wrong
    assert report.unproven[Unproven.INDICATOR_CHANGED] == 2
    said[2]["results"] = {"MA": 7}
    assert compare(prices_of(5, 6, 9), said, indicators=SMA).outcome.wrong == {Kind.WRONG_INDICATOR: 1}


def test_what_has_no_second_opinion_is_counted_by_name() -> None:
    said = [minute(0, 5, results={"Mine": 1, "Old": 2})]
    report = compare(prices_of(5), said, indicators={"Mine": "pkg.mine:Mine(3)"})
    assert report.outcome.unproven[Unproven.OWN_INDICATOR, "Mine"] == 1
    assert report.outcome.unproven[Unproven.INDICATOR_NOT_CONFIGURED, "Old"] == 1


def test_without_talib_indicators_are_not_checked_and_the_exit_code_says_so() -> None:
    said = [minute(0, 5, results={"MA": 77})]
    report = compare(prices_of(5), said, indicators=SMA, ta=None)
    assert (report.exit_code, report.unproven[Unproven.WITHOUT_TALIB]) == (4, 1)
    assert compare(prices_of(5), [minute(0, 6)], indicators=SMA, ta=None).exit_code == 6


def test_a_flat_market_after_a_jump_agrees_by_exact_sums() -> None:
    bands = {"upper": 0.1, "middle": 0.1, "lower": 0.1}
    said = [minute(n, price, results={"B": None if n < 2 else bands}) for n, price in enumerate([1e11, 0.1, 0.1, 0.1, 0.1])]
    report = compare(prices_of(1e11, 0.1, 0.1, 0.1, 0.1), said, indicators={"B": "bbands(3,2)"})
    # The window of the third bar, 22:16, still holds the jump.
    assert [difference.where.split()[2] for difference in report.outcome.differences] == ["2023-11-14T22:16Z"]


def test_ticks_in_two_partitions_are_not_proved_but_listed() -> None:
    ticks = [*prices_of(5, 6), record(0, tick(1, 1, T0), partition=1)]
    report = compare(ticks, [minute(0, 99)])
    assert (report.outcome.wrong, report.split_symbols) == ({}, ("IBM",))
    assert report.unproven == {Unproven.SPLIT_SYMBOL: 1}


def test_a_repeat_in_another_partition_read_while_waiting_is_listed_too() -> None:
    first = tick(5, 2, T0, seq=1)
    closing = record(1, tick(1, 1, T0 + MINUTE + 1_000))
    report = verify(Lists([record(0, first), closing], [record(0, first, partition=1)]), Lists(results(minute(0, 99))))
    assert (report.outcome.wrong, report.split_symbols) == ({}, ("IBM",))


def test_a_log_that_begins_above_0_leaves_its_first_bars_and_all_indicators_unproved() -> None:
    ticks = Lists(prices_of(*range(5, 25)), log_starts={0: 7})
    said = [minute(n, n + 5, complete=True, results={"MA": 1}) for n in range(20)]
    said[18] = minute(18, 99, results={"MA": 1})
    report = verify(ticks, Lists(results(*said)), indicators=SMA)
    # A tick lost may be 15 minutes newer than the first one kept: bars 0 to 15 may lack ticks.
    assert report.outcome.wrong == {Kind.WRONG_CONTENT: 1}
    assert report.outcome.unproven[Unproven.LOG_START, "IBM"] == 16
    assert report.outcome.unproven[Unproven.LOG_START, "IBM: indicators"] == 20


def trimmed(ticks: list[Record], *said: dict[str, Any], log_start: int = 9) -> Report:
    return verify(Lists(ticks), Lists(results(*said), log_starts={0: log_start} if log_start else {}))


def test_bars_from_before_the_oldest_final_kept_may_be_gone_and_later_ones_may_not() -> None:
    ticks = prices_of(5, 6, 7, 8, 9)
    report = trimmed(ticks, minute(2, 7), minute(3, 8), minute(4, 9))
    assert report.outcome.wrong == {}
    assert report.outcome.unproven[Unproven.RESULTS_LOG_START, "IBM 1min"] == 2
    assert trimmed(ticks, minute(2, 7), minute(4, 9)).outcome.wrong == {Kind.MISSING_RESULT: 1}
    assert trimmed(ticks, minute(2, 7), minute(3, 8), log_start=0).outcome.wrong == {Kind.MISSING_RESULT: 3}


def test_a_revision_whose_final_is_gone_says_nothing_of_the_finals_between_but_that_they_may_be_gone_too() -> None:
    ticks, revised = prices_of(5, 6, 7, 8), minute(0, 5, status="revised", revision=1)
    assert trimmed(ticks, revised, minute(3, 8)).outcome.wrong == {}
    assert trimmed(ticks, minute(3, 8), revised).outcome.wrong == {}
    assert trimmed(ticks, revised, minute(2, 7)).outcome.wrong == {Kind.MISSING_RESULT: 1}


def test_what_was_said_in_a_later_run_than_the_oldest_record_kept_is_all_there() -> None:
    ticks = prices_of(5, 6, 7)
    again = [minute(0, 5, run=2), minute(2, 7, run=2)]
    assert trimmed(ticks, minute(2, 7), *again).outcome.wrong == {Kind.MISSING_RESULT: 1}


def test_a_symbol_none_of_whose_results_are_kept_is_counted() -> None:
    ticks = [*prices_of(5, 6), record(9, tick(1, 1, T0, "MSFT"), tick(1, 1, T0 + 61_000, "MSFT"), key=b"MSFT")]
    report = trimmed(ticks, minute(1, 6))
    assert report.outcome.wrong == {}
    assert report.outcome.unproven[Unproven.RESULTS_LOG_START, "MSFT 1min"] == 1


def test_only_the_symbols_asked_for_are_compared() -> None:
    ticks = [*prices_of(5), record(9, tick(1, 1, T0, "MSFT"), key=b"MSFT")]
    report = compare(ticks, [minute(0, 5, stock_id="MSFT", close=0)], by=rules(symbols=frozenset({"IBM"})))
    assert report.outcome.wrong == {Kind.MISSING_RESULT: 1}
    assert report.counts["other_symbols"] == 1
