"""Two jobs on the same ticks at the same time: each has its own results, its own dead letters, its own place in the ticks."""

import json
import subprocess
import sys

from connectors.topic_metadata import end_offsets
from jobs.topics import wanted_topics
from tests.whole.conftest import MakeStack
from tests.whole.stack import Stack

START = "2026-11-02T14:30:00Z"
LATER = "2026-11-02T15:00:00Z"


def simulate(stack: Stack, ticks: int, start: str) -> None:
    """Half an hour of ticks with all that can be wrong with them."""
    faults = ("--late", "1%", "--duplicates", "1%", "--bad", "1%")
    stretch = ("--ticks", str(ticks), "--rate", f"{ticks / 1800:.3f}", "--speed", "max", "--start", start, "--no-history")
    stack.feed("simulate", "--symbols", "5", *stretch, "--seed", start[11:13], *faults)


def assert_proved(stack: Stack) -> None:
    code, report = stack.verify("--wait", "60")
    assert (code, report["differences"], report["behind"]) == (0, [], 0)
    assert report["counts"]["result_records"] == len(stack.results())


def test_a_second_job_on_the_same_ticks_mixes_with_the_first_in_nothing(make_stack: MakeStack, ticks: int) -> None:
    first = make_stack("first", kafka__partitions=2)
    minutes = make_stack("minutes", kafka__partitions=2, kafka__ticks_topic=first.topic("stock_data"), bars__time_frames="1min")
    assert next(spec.name for spec in wanted_topics(minutes.config)) == f"{minutes.prefix}indicator_results"
    assert minutes.tickloom("topics", "create")[0] == 0

    simulate(first, ticks // 4, START)
    running = [first.start(run=1), minutes.start(run=2)]
    assert_proved(first)
    assert_proved(minutes)
    simulate(minutes, ticks // 4, LATER)  # its feeds write into the ticks that both read
    assert_proved(first)
    assert_proved(minutes)
    for client in running:
        first.must_not_have_failed(str(client.get_job_id()))
        client.cancel().result()

    assert {(result["time_frame"], result["run"]) for result in minutes.results()} == {("1min", 2)}
    assert {result["run"] for result in first.results()} == {1}
    assert {result["time_frame"] for result in first.results()} == {"1min", "5min", "15min", "1hour"}  # the day is still open
    assert first.dead_letters() == minutes.dead_letters() != {}
    assert sum(end_offsets(minutes.config.kafka_connection(), minutes.topic("indicator_live")).values()) > 0
    tail = ["tail", "--json", "--from-beginning", "--final-only", "--until-end"]
    out = subprocess.run([sys.executable, "-m", "jobs.cli.main", *minutes.options, *tail], capture_output=True, check=True).stdout
    assert sorted(json.loads(line)["start_ms"] for line in out.splitlines()) == sorted(result["start_ms"] for result in minutes.results())
