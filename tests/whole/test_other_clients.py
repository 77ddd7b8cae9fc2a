"""Clients that are not ours feed and read: the commands of the how-to page, typed in as they stand there."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest
from kafka.partitioner.default import murmur2

from tests.docs.markdown import ROOT, shell_lines
from tests.whole.conftest import MakeStack
from tests.whole.stack import Stack

HOW_TO = ROOT / "docs" / "how-to" / "use-another-client.md"
T0 = 1_793_600_000_000 - 1_793_600_000_000 % 86_400_000
"""Midnight of a day in 2026."""
SYMBOLS = ("IBM", "BRK.B", "EUR/USD", "0700.HK")
KEYLESS = "NO-KEY"


def tick(stock_id: str, number: int) -> dict[str, Any]:
    """A tick each 20 s for five minutes, prices going up and down."""
    return {
        "stock_id": stock_id,
        "price": 100.0 + len(stock_id) + (number * 7) % 5 / 4,
        "size": 10 + number,
        "event_time_ms": T0 + 20_000 * number,
        "seq": number,
    }


def bars(ticks: Sequence[dict[str, Any]]) -> dict[tuple[str, int], tuple[float, float, float, float, int]]:
    """(symbol, start) -> open, high, low, close, volume of minutes, by hand."""
    minutes: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for each in ticks:
        minutes.setdefault((each["stock_id"], each["event_time_ms"] // 60_000 * 60_000), []).append(each)
    found = {}
    for minute, inside in minutes.items():
        prices = [each["price"] for each in inside]
        found[minute] = (prices[0], max(prices), min(prices), prices[-1], sum(each["size"] for each in inside))
    return found


@pytest.fixture(scope="module")
def kcat() -> str:
    found = shutil.which("kcat")
    if found is None and "CI" in os.environ:
        pytest.fail("kcat is needed where CI runs: .ci/run installs it", pytrace=False)
    return found or pytest.skip("kcat is not installed; try: apt-get install kcat")


def typed_in(stack: Stack, command: str, kcat: str) -> str:
    """Run a command of the page against `stack`; what it writes."""
    words = [kcat if word == "kcat" else word for word in shlex.split(command)]
    words = [stack.bootstrap if word == "127.0.0.1:9092" else word for word in words]
    topic = words.index("-t") + 1
    words[topic] = stack.prefix + words[topic]
    done = subprocess.run(words, cwd=stack.folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{shlex.join(words)}\n{done.stderr}"
    return done.stdout


def test_kcat_feeds_with_and_without_keys_and_reads_what_the_job_computed(make_stack: MakeStack, kcat: str) -> None:
    feed_keyed, feed_keyless, read = shell_lines(HOW_TO)
    stack = make_stack("kcat", bars__time_frames="1min,5min")
    keyed = [tick(symbol, number) for number in range(15) for symbol in SYMBOLS]
    keyless = [tick(KEYLESS, number) for number in range(15)]
    (stack.folder / "ticks.tsv").write_text("".join(f"{each['stock_id']}\t{json.dumps(each)}\n" for each in keyed))
    (stack.folder / "ticks.ndjson").write_text("".join(f"{json.dumps(each)}\n" for each in keyless))

    typed_in(stack, feed_keyed, kcat)
    typed_in(stack, feed_keyless, kcat)
    records = stack.records("stock_data")
    assert len(records) == len(keyed) + len(keyless)
    placed = {(record.key, record.partition) for record in records if record.key}
    assert placed == {(symbol.encode(), (murmur2(symbol.encode()) & 0x7FFFFFFF) % 8) for symbol in SYMBOLS}

    stack.compute()
    lines = [line.partition("\t") for line in typed_in(stack, read, kcat).splitlines()]
    results = [(key, json.loads(value)) for key, _, value in lines]
    assert all(key == result["stock_id"] for key, result in results)
    assert sorted(map(json.dumps, (result for _, result in results))) == sorted(map(json.dumps, stack.results()))
    minutes = {
        (bar["stock_id"], bar["start_ms"]): (bar["open"], bar["high"], bar["low"], bar["close"], bar["volume"])
        for bar in stack.newest().values()
        if bar["time_frame"] == "1min"
    }
    assert minutes == bars(keyed + keyless)
    assert stack.dead_letters() == {}
    code, report = stack.verify()
    assert code == 0
    assert set(report["split_symbols"]) <= {KEYLESS}
