"""Two jobs on the same ticks, and two whole stacks on one machine: each has its own results, and knows nothing of the other."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.topic_metadata import end_offsets
from jobs.config_load import load_config
from jobs.doctor.machine import addresses
from jobs.local.parts import PartState
from jobs.local.ports import free_ports
from jobs.local.run_folder import RunFolder
from jobs.topics import wanted_topics
from tests.docs.markdown import ROOT, toml_blocks
from tests.whole.conftest import MakeStack
from tests.whole.stack import Stack, committed_records, newest_of
from tests.whole.test_kills import wait_until

PAGE = ROOT / "docs" / "how-to" / "two-jobs-or-two-stacks.md"
UP_TIMEOUT_S = 400
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


class WholeStack:
    """A stack as `tickloom up` starts it from the configuration `file`, beside others in the same folder."""

    def __init__(self, file: Path, jars: Path) -> None:
        self.file, self._jars = file, jars
        self.config = load_config(file, {}, file.parent, {})

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TICKLOOM_")}
        environ = {**kept, "PYTHONPATH": str(ROOT), "TICKLOOM__STACK__JARS": str(self._jars)}
        command = [sys.executable, "-m", "jobs.cli.main", "--config", str(self.file), *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.file.parent, env=environ, stdout=pipe, stderr=pipe, text=True)

    def tickloom(self, *arguments: str) -> str:
        """Run the command, which must succeed; what it wrote to stdout."""
        return ended_well(self.start(*arguments))

    def feed(self, seed: int) -> subprocess.Popen[str]:
        """Start sending half an hour of ticks of symbols of its own to its gateway."""
        stretch = ("--ticks", "2000", "--rate", "1.111", "--speed", "max", "--start", START, "--no-history")
        return self.start("simulate", "--via", "gateway", "--symbols", "5", "--seed", str(seed), *stretch, "--late", "1%")

    def results(self) -> list[dict[str, Any]]:
        """The committed results."""
        return [json.loads(record.value) for record in committed_records(self.config.kafka.listen, "indicator_results")]

    def delivered(self) -> dict[str, float]:
        """Symbol -> the newest close of a minute that the delivery has."""
        url = f"http://{self.config.delivery.listen}/v1/bars/latest?symbols=*&time_frames=1min"
        with urllib.request.urlopen(url, timeout=20) as answer:
            said = json.loads(answer.read())
        return {stock_id: frames["1min"]["close"] for stock_id, frames in said["bars"].items()}


def ended_well(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=UP_TIMEOUT_S)
    assert process.returncode == 0, f"{process.args} ended with {process.returncode}:\n{err[-3_000:]}"
    return out


def on_free_ports(block: str) -> str:
    """A page's configuration, with each of its ports moved to one that is free here; the order and the gap after each stay."""
    ports = sorted(set(re.findall(r"127\.0\.0\.1:([0-9]+)", block)), key=int)
    first = free_ports(2 * len(ports))
    places = {port: str(first + 2 * number) for number, port in enumerate(ports)}
    return re.sub(r"(?<=127\.0\.0\.1:)[0-9]+", lambda found: places[found[0]], block)


@pytest.fixture
def two(tmp_path: Path, jars: Path) -> Iterator[list[WholeStack]]:
    """Both up: the page's, and one more like it whose names are the defaults."""
    (page,) = (block for block in toml_blocks(PAGE) if 'name = "blue"' in block)
    plain = page.replace('"blue"', '"default"').replace('".tickloom-blue"', '".tickloom"')
    made = []
    for name, block in (("tickloom.toml", plain), ("blue.toml", page)):
        (tmp_path / name).write_text(on_free_ports(block))
        made.append(WholeStack(tmp_path / name, jars))
    assert len({address for stack in made for address in addresses(stack.config).values()}) == 2 * len(addresses(made[0].config))
    try:
        for stack in made:
            stack.tickloom("up", "--detach")
        yield made
    finally:
        for down in [stack.start("down") for stack in made]:
            down.communicate()


@pytest.mark.long  # two brokers and two JVMs of the job at once
@pytest.mark.timeout(1_800)
def test_two_whole_stacks_on_one_machine_share_nothing_and_one_that_is_killed_does_not_touch_the_other(two: list[WholeStack]) -> None:
    for feeding in [stack.feed(seed) for seed, stack in enumerate(two)]:
        ended_well(feeding)
    for stack in two:
        prove_whole(stack)
    counts = [Counter(result["stock_id"] for result in stack.results()) for stack in two]
    assert counts[0] != counts[1]
    contents = [{bar: (result["close"], result["volume"]) for bar, result in newest_of(stack.results()).items()} for stack in two]
    assert contents[0] != contents[1]
    for stack, content in zip(two, contents, strict=True):
        minutes = sorted((start_ms, stock_id, close) for (stock_id, frame, start_ms), (close, _) in content.items() if frame == "1min")
        newest = {stock_id: close for _, stock_id, close in minutes}
        wait_until(lambda stack=stack, newest=newest: stack.delivered() == newest, "the delivery has other bars than the topic")

    plain, blue = two
    before = blue.results()
    folder = RunFolder(plain.config.stack.data_dir)
    killed = folder.stack_pid()
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: folder.stack_pid() is None, "the killed stack is still there")
    parts = RunFolder(blue.config.stack.data_dir).read()
    assert {part.state for part in parts} == {PartState.RUNNING}
    assert {part.restarts for part in parts} == {0}
    ended_well(blue.start("simulate", "--via", "gateway", "--symbols", "5", "--seed", "7", "--ticks", "500", "--speed", "max",
                          "--rate", "1.111", "--start", LATER, "--no-history"))  # fmt: skip
    prove_whole(blue)
    assert len(blue.results()) > len(before)
    plain.tickloom("up", "--detach")
    prove_whole(plain)


def prove_whole(stack: WholeStack) -> None:
    report = json.loads(stack.tickloom("verify", "--json", "--wait", "120"))
    assert (report["differences"], report["behind"]) == ([], 0)
    said = Counter((r["stock_id"], r["time_frame"], r["start_ms"], r["run"], r["revision"]) for r in stack.results())
    assert [record for record, times in said.items() if times > 1] == []
