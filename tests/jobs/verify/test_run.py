"""Waiting: for the job, for results still to come, and what ticks that came meanwhile excuse."""

from jobs.verify.rules import Kind, Unproven
from tests.jobs.verify.histories import T0, Lists, record, result, results, tick, verify

MINUTE = 60_000
CLOSING = [record(0, tick(5, 2, T0)), record(1, tick(1, 1, T0 + MINUTE + 1_000))]
BAR = result(T0, (5, 5, 5, 5), 2, turnover=10, vwap=5, complete=False)


def test_it_waits_until_the_job_has_committed_what_was_read() -> None:
    answers = iter([{}, {0: 1}, {0: 2}])
    heard: list[str] = []
    report = verify(Lists(CLOSING), Lists(results(BAR)), committed=lambda: next(answers), wait_s=60, heard=heard)
    assert (report.behind, report.exit_code) == (0, 0)
    assert any("2 records to go" in message for message in heard)
    assert next(answers, None) is None


def test_a_job_that_does_not_get_there_is_named_when_time_is_up() -> None:
    heard: list[str] = []
    report = verify(Lists(CLOSING), Lists(results(BAR)), committed=lambda: {0: 1}, wait_s=5, heard=heard)
    assert report.behind == 1
    assert "the job is 1 records behind, and time is up: comparing what there is" in heard


def test_a_result_that_comes_while_waiting_settles_its_difference() -> None:
    late = Lists([], [], [], results(BAR))
    assert not verify(Lists(CLOSING), late, committed=lambda: {0: 2}, wait_s=60).outcome.wrong


def test_a_difference_stands_when_nothing_comes_any_more() -> None:
    report = verify(Lists(CLOSING), Lists([]), committed=lambda: {0: 2}, wait_s=60, settle_s=3)
    assert report.outcome.wrong == {Kind.MISSING_RESULT: 1}
    assert report.seconds == 0  # all the time that passed was waiting


def test_no_wait_compares_at_once() -> None:
    heard: list[str] = []
    report = verify(Lists(CLOSING), Lists([]), wait_s=0, heard=heard)
    assert report.outcome.wrong == {Kind.MISSING_RESULT: 1}
    assert not any("waiting for the job" in message for message in heard)


def test_a_bar_touched_by_ticks_that_came_meanwhile_may_still_change() -> None:
    late_tick = [record(2, tick(4, 1, T0 + 1))]
    report = verify(Lists(CLOSING, late_tick), Lists(results(BAR)), wait_s=0)
    assert (report.outcome.wrong, report.unproven[Unproven.STILL_CHANGING]) == ({}, 1)


def test_ticks_that_came_meanwhile_excuse_no_older_bar() -> None:
    newer = [record(2, tick(4, 1, T0 + 5 * MINUTE))]
    report = verify(Lists(CLOSING, newer), Lists([]), wait_s=0)
    # The first bar was owed before; the second has just been closed by the new tick.
    assert report.outcome.wrong == {Kind.MISSING_RESULT: 1}
    assert report.unproven == {Unproven.STILL_CHANGING: 1, Unproven.NOT_CLOSED: 1}


def test_the_report_says_all_of_it_as_json() -> None:
    told = verify(Lists(CLOSING), Lists(results(BAR | {"volume": 9}))).as_json()
    assert told["ok"] is False
    assert told["differences_by_kind"] == {"wrong_content": 1}
    assert told["not_proved"] == {"not_closed": 1}
    (difference,) = told["differences"]  # type: ignore[misc] # a list of one
    assert (difference["expected"], difference["found"]) == ({"volume": 2.0}, {"volume": 9})
