from base64 import b64encode
from typing import Any

import orjson

from connectors.consumer import Record
from jobs.verify.report import Report
from jobs.verify.rules import Kind, Unproven
from tests.jobs.verify.histories import T0, Lists, record, rules, tick, verify

LATE = tick(1, 1, T0 - 10_000_000)
TICKS = [record(0, tick(1, 1, T0)), record(1, tick(1, 1, T0), b"{"), record(2, LATE)]
BAD = {"reason": "bad_json", "offset": 1, "line": 1, "original": b"{"}
TOO_LATE = {"reason": "late_tick", "offset": 2, "line": 0, "original": LATE}


def letters(*given: dict[str, Any]) -> list[Record]:
    envelope = {"detail": "", "stage": "job", "received_ms": 0, "topic": "stock_data", "partition": 0}
    bodies = [envelope | each | {"original": b64encode(each["original"]).decode()} for each in given]
    return [Record(0, n, 0, b"IBM", orjson.dumps(body)) for n, body in enumerate(bodies)]


def compare(*given: dict[str, Any], ticks: list[Record] = TICKS, **options: Any) -> Report:
    return verify(Lists(ticks), Lists([]), Lists(letters(*given)), **options)


def test_every_refused_line_told_once_or_twice_is_right() -> None:
    report = compare(BAD, TOO_LATE, BAD)
    assert (report.outcome.wrong, report.counts["dead_letters"]) == ({}, 2)
    assert report.dead_letters == {"bad_json": 1, "late_tick": 1}


def test_a_refused_line_that_is_not_told_is_found() -> None:
    report = compare(BAD)
    assert report.outcome.wrong == {Kind.DEAD_LETTER_MISSING: 1}
    assert report.outcome.differences[0].where == "partition 0 offset 2 line 0"


def test_a_line_that_counts_and_is_told_refused_is_found() -> None:
    wrong = {"reason": "late_tick", "offset": 0, "line": 0, "original": TICKS[0].value}
    assert compare(BAD, TOO_LATE, wrong).outcome.wrong == {Kind.DEAD_LETTER_UNEXPECTED: 1}


def test_another_reason_is_found_unless_both_say_malformed() -> None:
    assert not compare(BAD | {"reason": "not_object"}, TOO_LATE).outcome.wrong
    assert compare(BAD, TOO_LATE | {"reason": "future_time"}).outcome.wrong == {Kind.DEAD_LETTER_REASON: 1}


def test_letters_of_other_stages_topics_and_later_records_are_passed_over() -> None:
    others = [BAD | {"stage": "gateway", "line": 7}, BAD | {"topic": "other", "line": 7}, BAD | {"offset": 3}]
    assert not compare(BAD, TOO_LATE, *others).outcome.wrong


def test_what_a_cut_log_or_another_start_explains_is_counted() -> None:
    cut = verify(Lists(TICKS), Lists([]), Lists(letters(BAD), log_starts={0: 1}))
    assert cut.unproven[Unproven.DEAD_LETTERS_LOG_START] == 1
    assert compare(BAD, from_earliest=False).unproven[Unproven.JOB_START] == 1
    other = tick(1, 1, T0, "MSFT")
    filtered = [*TICKS, record(3, other, key=b"MSFT")]
    told = {"reason": "late_tick", "offset": 3, "line": 0, "original": other}
    report = compare(BAD, TOO_LATE, told, ticks=filtered, by=rules(symbols=frozenset({"IBM"})))
    assert (report.outcome.wrong, report.unproven[Unproven.SYMBOL_FILTER]) == ({}, 1)
