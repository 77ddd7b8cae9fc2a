"""A symbol dropped from a running job, and what `tickloom doctor` says of that job."""

import json
import time
from collections.abc import Iterator

import pytest
from pyflink.common import JobClient

from tests.whole.conftest import MakeStack
from tests.whole.flink import MiniCluster
from tests.whole.stack import Record, Stack

MINUTE_MS = 60_000
T0 = 1_793_600_000_000 - 1_793_600_000_000 % MINUTE_MS
TIMEOUT_S = 60


@pytest.fixture
def stack(make_stack: MakeStack, cluster: MiniCluster) -> Stack:
    settings = {"job__flink_rest": cluster.address, "job__metrics": "", "bars__time_frames": "1min,1hour", "live__interval": "250ms"}
    return make_stack("symbols", kafka__partitions=2, **settings)


@pytest.fixture
def job(stack: Stack) -> Iterator[JobClient]:
    client = stack.start(run=5)
    yield client
    if not stack.failures(str(client.get_job_id())):
        client.cancel().result()
    stack.must_not_have_failed(str(client.get_job_id()))


def send(stack: Stack, symbol: str, minutes: list[int], price: float) -> None:
    records = []
    for minute in minutes:
        line = {"stock_id": symbol, "price": price + minute, "size": 1, "event_time_ms": T0 + minute * MINUTE_MS + 30_000, "seq": minute}
        records.append(Record(symbol.encode(), json.dumps(line).encode(), T0 + minute * MINUTE_MS + 30_000))
    stack.publish(records)


def wait_for_bar(stack: Stack, symbol: str, minute: int, close: float) -> dict[str, object]:
    deadline = time.monotonic() + TIMEOUT_S
    bar = (symbol, "1min", T0 + minute * MINUTE_MS)
    while (newest := stack.newest()).get(bar, {}).get("close") != close:
        assert time.monotonic() < deadline, sorted(newest)
        time.sleep(0.2)
    return newest[bar]


def listed(stack: Stack) -> dict[str, dict[str, object]]:
    code, out = stack.tickloom("symbols", "ls", "--json")
    assert code == 0
    return {each["stock_id"]: each for each in json.loads(out)}


def test_a_dropped_symbol_begins_anew_under_the_next_run_and_everything_is_proved(stack: Stack, job: JobClient) -> None:
    for symbol in ("GONE", "STAYS"):
        send(stack, symbol, list(range(6)), 100.0)
    wait_for_bar(stack, "GONE", 4, 104.0)
    code, out = stack.tickloom("symbols", "drop", "GONE", "--json")
    dropped = json.loads(out)
    assert (code, dropped["stock_id"]) == (0, "GONE")
    wait_for_bar(stack, "GONE", 5, 105.0)  # it was open
    assert listed(stack)["GONE"] | {"dropped": True, "partitions": [dropped["partition"]]} == listed(stack)["GONE"]

    send(stack, "GONE", list(range(2, 8)), 200.0)  # older ticks than it had, with the same numbers
    back = wait_for_bar(stack, "GONE", 2, 202.0)
    assert (back["run"], back["revision"], back["complete"]) == (6, 0, False)
    wait_for_bar(stack, "GONE", 6, 206.0)
    kept = wait_for_bar(stack, "GONE", 1, 101.0)
    assert kept["run"] == 5
    assert listed(stack)["GONE"]["dropped"] is False

    code, report = stack.verify("--wait", str(TIMEOUT_S))
    assert (code, report["differences"]) == (0, [])
    assert report["counts"]["drops"] == 1
    assert report["dead_letters"] == {}
    assert stack.dead_letters() == {}

    _examine(stack)


def _examine(stack: Stack) -> None:
    """Everything but the ports, which other tests hold, and the way to the broker, which a busy machine makes long."""
    healthy = ("Python", "Java", "jars", "Kafka", "transactions", "topics", "dead letters", "split symbols", "job", "backlog", "watermark")
    deadline = time.monotonic() + TIMEOUT_S
    while True:  # Flink tells its metrics every ten seconds
        code, out = stack.tickloom("doctor", "--json")
        found = {finding["check"]: finding for finding in json.loads(out)}
        if {found[check]["verdict"] for check in healthy if check in found} == {"ok"}:
            break
        assert time.monotonic() < deadline, found
    assert set(healthy) <= found.keys()
    assert found["clock"]["verdict"] in ("ok", "warning")
    assert code == (6 if any(finding["verdict"] == "wrong" for finding in found.values()) else 0)
