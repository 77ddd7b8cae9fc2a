"""Simulated days through Kafka and the job: proved right by `verify`, which in turn is shown to find what is wrong."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from connectors.codec import canonical_content, decode_result
from tests.conftest import Figures
from tests.whole.conftest import MakeStack
from tests.whole.stack import Record, Stack, newest_of

START = ("--speed", "max", "--start", "2026-11-02T14:30:00Z")
FAULTS = ("--disorder", "5%", "--duplicates", "2%", "--late", "1%", "--bad", "0.5%")


def simulate(stack: Stack, ticks: int, *options: str) -> dict[str, Any]:
    """Two hours of 20 symbols, or of as many as `options` say, and the job over them."""
    arguments = ("--symbols", "20", "--ticks", str(ticks), "--rate", f"{ticks / 7_200:.3f}", "--ticks-per-record", "4", *START, *options)
    sent = stack.feed("simulate", *arguments)
    assert sent["ticks"] == ticks
    return sent


@pytest.fixture(scope="module")
def plain(make_stack: MakeStack, ticks: int) -> Stack:
    """A run without faults."""
    stack = make_stack("plain")
    simulate(stack, ticks)
    stack.compute()
    return stack


@pytest.fixture(scope="module")
def faulty(make_stack: MakeStack, ticks: int) -> tuple[Stack, dict[str, Any]]:
    """A run with every fault, and what the simulation says it sent."""
    stack = make_stack("faulty")
    sent = simulate(stack, ticks, *FAULTS)
    stack.compute(run=1)
    return stack, sent


def test_a_plain_run_is_proved_without_a_difference(plain: Stack, ticks: int) -> None:
    code, report = plain.verify()
    assert (code, report["differences"], report["not_proved"]) == (0, [], {})
    assert (report["counts"]["counted"], report["counts"]["symbols"]) == (ticks, 20)
    assert report["counts"]["results"] == len(plain.newest())


def test_disorder_duplicates_late_ticks_and_bad_lines_are_proved_without_a_difference(faulty: tuple[Stack, dict[str, Any]]) -> None:
    stack, sent = faulty
    code, report = stack.verify()
    assert (code, report["differences"], report["not_proved"]) == (0, [], {})
    assert report["counts"]["lines"] == sent["lines"]
    assert report["counts"]["revised_bars"] > 0


def test_every_line_is_counted_a_duplicate_or_a_dead_letter(faulty: tuple[Stack, dict[str, Any]]) -> None:
    stack, sent = faulty
    lines = sum(len(record.value.split(b"\n")) for record in stack.records("stock_data") if record.value is not None)
    counted = sum(bar["trades"] for (_, frame, _), bar in stack.newest(run=1).items() if frame == "1min")
    letters = stack.dead_letters()
    assert lines == sent["lines"] == sent["ticks"] + sent["duplicates"] + sent["bad"]
    assert min(sent["disordered"], sent["duplicates"], sent["late"], sent["bad"]) > 0
    assert (counted, len(letters)) == (sent["ticks"], sent["bad"])
    assert lines == counted + sent["duplicates"] + len(letters)


def test_two_symbols_whose_partitions_differ_tenfold_in_backlog_are_proved_with_a_small_state(
    make_stack: MakeStack, ticks: int, figures: Figures
) -> None:
    stack = make_stack("skewed")
    simulate(stack, ticks, "--symbols", "2", "--skew", "10")
    backlog: dict[int, int] = {}
    for record in stack.records("stock_data"):
        backlog[record.partition] = backlog.get(record.partition, 0) + (record.value is not None)
    small, large = sorted(records for records in backlog.values() if records)
    assert large > 8 * small
    job_id = stack.compute()
    code, report = stack.verify()
    assert (code, report["differences"], report["not_proved"]) == (0, [], {})
    sizes = stack.cluster.rest._call("GET", f"/jobs/{job_id}/checkpoints")["summary"]["state_size"]
    figures(f"state of 2 symbols in 5 frames: at most {sizes['max']:,} bytes a checkpoint")
    assert sizes["max"] < 2 * 5 * 32 * 1024


def contents(results: Iterable[dict[str, Any]]) -> dict[tuple[str, str, int], bytes]:
    newest = newest_of(list(results))
    return {bar: canonical_content(decode_result(json.dumps(result).encode())) for bar, result in newest.items()}


def test_the_same_topic_computed_twice_gives_the_same_content_and_the_newer_run_counts(faulty: tuple[Stack, dict[str, Any]]) -> None:
    stack, _ = faulty
    stack.compute(run=2)
    assert contents(stack.results(run=2)) == contents(stack.results(run=1)) != {}
    assert {result["run"] for result in stack.newest().values()} == {2}
    code, report = stack.verify()
    assert (code, report["differences"], report["not_proved"]) == (0, [], {})
    assert report["counts"]["results_of_older_runs"] >= len(stack.newest(run=1))


def altered(records: Sequence[Any], change: Callable[[int, bytes | None], list[bytes | None]]) -> list[Record]:
    """Records read from a topic, as `change` leaves each by its number and value."""
    return [
        Record(record.key, value, record.timestamp, record.partition)
        for number, record in enumerate(records)
        for value in change(number, record.value)
    ]


def falsify(value: bytes) -> list[bytes]:
    result = json.loads(value)
    return [json.dumps(result | {"volume": result["volume"] + 100}).encode()]


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [(falsify, "wrong_content"), (lambda value: [], "missing_result"), (lambda value: [value, value], "duplicate_result")],
    ids=["falsified", "removed", "doubled"],
)
def test_one_wrong_result_among_all_is_found(make_stack: MakeStack, plain: Stack, wrong: Any, kind: str) -> None:
    copy = make_stack(kind.replace("_", "-"))
    copy.publish(altered(plain.records("stock_data"), lambda number, value: [value]))
    results = plain.records("indicator_results")
    said = {number: json.loads(record.value) for number, record in enumerate(results)}
    minutes = sorted((bar["start_ms"], number) for number, bar in said.items() if bar["time_frame"] == "1min")
    _, chosen = minutes[len(minutes) // 2]  # closed by its symbol's own clock: it cannot be still to come
    copy.publish(altered(results, lambda number, value: wrong(value) if number == chosen else [value]), "indicator_results")
    code, report = copy.verify()
    assert (code, report["differences_by_kind"]) == (6, {kind: 1})
    assert said[chosen]["stock_id"] in report["differences"][0]["where"]
