import pytest

from jobs.verify.results import Results
from jobs.verify.rules import Kind
from tests.jobs.verify.histories import T0, result, results

FINAL = result(T0, (1, 1, 1, 1), 1)


def read(*said: dict[str, object], log_start: int = 0) -> Results:
    found = Results(frozenset({"1min", "5min"}), None, 10)
    found.log_starts = {0: log_start} if log_start else {}
    for record in results(*said):
        found.read(record.partition, record.offset, record.key, record.value)
    return found


def revised(revision: int, volume: float, **fields: object) -> dict[str, object]:
    return FINAL | {"status": "revised", "revision": revision, "volume": volume, "cause": "late"} | fields


def test_a_final_and_its_revisions_in_order_are_right() -> None:
    found = read(FINAL, revised(1, 2), revised(2, 3))
    assert not found.wrong
    assert found.symbols["IBM"].frames["1min"][T0].fields()["volume"] == 3


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ([FINAL, FINAL], Kind.DUPLICATE_RESULT),
        ([FINAL, revised(1, 2), revised(1, 2)], Kind.DUPLICATE_RESULT),
        ([FINAL, revised(2, 2)], Kind.REVISION_GAP),
        ([revised(1, 2)], Kind.REVISION_GAP),
        ([FINAL, revised(1, 1)], Kind.EMPTY_REVISION),
        ([FINAL, revised(1, 2, status="final")], Kind.WRONG_STATUS),
        ([FINAL | {"status": "forming"}], Kind.WRONG_STATUS),
        ([FINAL | {"v": 2}], Kind.UNREADABLE_RESULT),
        ([FINAL | {"start_ms": "0"}], Kind.UNREADABLE_RESULT),
        ([FINAL | {"start_ms": 10**18}], Kind.UNREADABLE_RESULT),
        ([FINAL | {"time_frame": []}], Kind.UNREADABLE_RESULT),
    ],
)
def test_records_that_do_not_follow_each_other_are_found(said: list[dict[str, object]], kind: Kind) -> None:
    assert read(*said).wrong == {kind: 1}


def test_bytes_that_are_no_result_and_a_foreign_key_are_found() -> None:
    found = read()
    found.read(0, 0, b"IBM", b"{")
    found.read(0, 1, b"MSFT", results(FINAL)[0].value)
    assert found.wrong == {Kind.UNREADABLE_RESULT: 2}


def test_a_first_revision_is_fine_where_the_logs_beginning_is_gone() -> None:
    assert not read(revised(3, 2), log_start=7).wrong
    elsewhere = Results(frozenset({"1min"}), None, 10)
    elsewhere.log_starts = {1: 7}
    elsewhere.read(0, 0, *results(revised(3, 2))[0][3:])
    assert elsewhere.wrong == {Kind.REVISION_GAP: 1}


def test_only_the_newest_run_of_a_symbol_stands() -> None:
    next_bar = result(T0 + 60_000, (1, 1, 1, 1), 1)
    found = read(FINAL, next_bar, FINAL | {"run": 2, "volume": 5}, next_bar)
    assert not found.wrong
    assert found.symbols["IBM"].runs == {"1min": 2}
    assert {start: said.fields()["volume"] for start, said in found.symbols["IBM"].frames["1min"].items()} == {T0: 5}
    assert found.counts["results_of_older_runs"] == 3


def test_a_frame_added_later_has_a_newest_run_of_its_own() -> None:
    minute = result(T0 + 60_000, (1, 1, 1, 1), 1)
    found = read(FINAL, FINAL | {"time_frame": "5min", "run": 2}, minute)
    assert not found.wrong
    assert found.symbols["IBM"].runs == {"1min": 1, "5min": 2}
    assert {label: sorted(bars) for label, bars in found.symbols["IBM"].frames.items()} == {"1min": [T0, T0 + 60_000], "5min": [T0]}


def test_frames_that_are_not_configured_are_counted() -> None:
    assert read(FINAL | {"time_frame": "7min"}).counts["results_of_other_frames"] == 1


def test_only_the_first_differences_of_a_kind_are_kept() -> None:
    found = read(*[FINAL] * 31)
    assert (found.wrong[Kind.DUPLICATE_RESULT], len(found.differences)) == (30, 10)
