"""Two days of real trades through Kafka and the job, against bars that somebody else made of them."""

import csv
import os
from pathlib import Path
from typing import Any

import pytest

from tests.whole.conftest import MakeStack

DATA = Path(os.environ.get("TICKLOOM_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
TAPES = {"IBM": "ibm_2013-10-07", "GCZ3": "gc_2013-10-08"}
STRICT = {"IBM": 387, "GCZ3": 1_377}
"""Minutes that are to be reproduced exactly, as the tapes' description counts them."""
FIELDS = ("open", "high", "low", "close", "volume")

missing = [name for tape in TAPES.values() for name in (f"{tape}_ticks.ndjson.gz", f"{tape}_bars_1min.csv") if not (DATA / name).is_file()]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"no real ticks: {', '.join(missing)} not in {DATA} (set TICKLOOM_TEST_DATA)")


def third_party_minutes(symbol: str) -> dict[int, dict[str, float]]:
    """Start in ms -> the strict bars of the third party."""
    with (DATA / f"{TAPES[symbol]}_bars_1min.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["strict"] == "1"]
    return {int(row["start_ms"]): {field: float(row[field]) for field in FIELDS} for row in rows}


def replay(make_stack: MakeStack, name: str, *options: str) -> Any:
    stack = make_stack(name)
    files = [str(DATA / f"{tape}_ticks.ndjson.gz") for tape in TAPES.values()]
    sent = stack.feed("replay", *files, "--speed", "max", "--topic-prefix", stack.prefix, *options)
    assert sent["lines"] == sent["ticks"] == 24_293 + 52_038
    stack.compute()
    return stack


def assert_equal_to_the_third_party(newest: dict[tuple[str, str, int], dict[str, Any]]) -> None:
    for symbol, strict in STRICT.items():
        expected = third_party_minutes(symbol)
        found = {start_ms: newest.get((symbol, "1min", start_ms), {}) for start_ms in expected}
        different = {
            start_ms: (bar, found[start_ms])
            for start_ms, bar in expected.items()
            if bar != {field: found[start_ms].get(field) for field in FIELDS}
        }
        assert different == {}
        assert len(expected) == strict


def test_real_trades_give_the_third_partys_bars_and_each_bar_is_said_once(make_stack: MakeStack) -> None:
    stack = replay(make_stack, "in-order")
    results = stack.results()
    newest = stack.newest()
    assert_equal_to_the_third_party(newest)
    assert len(results) == len(newest)
    assert {result["status"] for result in results} == {"final"}
    assert stack.dead_letters() == {}
    code, report = stack.verify()
    assert (code, report["counts"]["results"], report["not_proved"]) == (0, len(newest), {})


def test_real_trades_shuffled_by_ten_minutes_give_the_same_bars_by_revisions(make_stack: MakeStack) -> None:
    stack = replay(make_stack, "shuffled", "--shuffle", "10min", "--seed", "7")
    assert_equal_to_the_third_party(stack.newest())
    revised = [result for result in stack.results() if result["status"] == "revised"]
    assert revised
    assert all(result["revision"] > 0 and result["cause"] == "late" for result in revised)
    assert stack.dead_letters() == {}
    code, report = stack.verify()
    assert (code, report["counts"]["revised_bars"] > 0, report["not_proved"]) == (0, True, {})
