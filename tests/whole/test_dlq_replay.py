"""Dead letters mended and sent again: counted in bars, once, and proved by `verify`."""

import json
import sys
import time
from typing import Any

from tests.whole.conftest import MakeStack
from tests.whole.stack import Record, Stack

T0 = 1_793_600_000_000 - 1_793_600_000_000 % 86_400_000
"""Midnight of a day in 2026."""
MEND = f'''{sys.executable} -c "
import sys
print(sys.stdin.read().replace(chr(34) + '10.75' + chr(34), '10.75'))
"'''
"""Takes the quotes from a price."""


def tick(stock_id: str = "IBM", **fields: object) -> bytes:
    return json.dumps({"stock_id": stock_id, "price": 10.5, "size": 100, **fields}).encode()


def replay(stack: Stack, *arguments: str) -> list[tuple[str, str]]:
    """Run `tickloom dlq replay`; (reason, outcome) of each letter."""
    code, out = stack.tickloom("dlq", "replay", "--json", *arguments)
    assert code == 0
    return [(letter["reason"], letter["outcome"]) for letter in map(json.loads, out.splitlines())]


def minutes(stack: Stack, run: int) -> dict[tuple[str, int], tuple[int, float, float]]:
    """(symbol, minute) -> trades, high, volume."""
    return {
        (stock_id, (start_ms - T0) // 60_000): (bar["trades"], bar["high"], bar["volume"])
        for (stock_id, frame, start_ms), bar in stack.newest(run).items()
        if frame == "1min"
    }


def test_bad_lines_become_dead_letters_are_mended_and_count(make_stack: MakeStack) -> None:
    stack = make_stack("replay", kafka__partitions=2)
    now_ms = time.time_ns() // 1_000_000
    values: list[tuple[bytes, Any]] = [(b"IBM", tick(seq=n, event_time_ms=T0 + n * 20_000)) for n in range(9)]
    values[4:4] = [
        (b"IBM", tick(seq=100, price="10.75", event_time_ms=T0 + 5_000)),
        (b"IBM", tick("MSFT", seq=101, event_time_ms=T0 + 6_000)),
        (b"IBM", b"nonsense"),
        (b"IBM", tick(seq=102, price=-1, note="x" * 300_000)),
        (b"IBM", tick(seq=103, event_time_ms=T0 - 86_400_000)),
    ]
    stack.publish([Record(key, value, now_ms) for key, value in values])
    stack.compute(1)
    assert minutes(stack, 1) == {("IBM", 0): (3, 10.5, 300), ("IBM", 1): (3, 10.5, 300), ("IBM", 2): (3, 10.5, 300)}

    fates = [
        ("bad_type", "sent"),
        ("key_mismatch", "sent"),
        ("bad_json", "still refused"),
        ("bad_price", "truncated"),
        ("late_tick", "sent"),
    ]
    before = len(stack.records("stock_data"))
    assert replay(stack, "--dry-run") == [
        (reason, {"sent": "would be sent"}.get(outcome, outcome) if reason != "bad_type" else "still refused") for reason, outcome in fates
    ]
    assert len(stack.records("stock_data")) == before
    assert replay(stack, "--edit", MEND) == fates
    assert replay(stack, "--edit", MEND) == [fate for fate in fates if fate[1] != "sent"], "none is sent a second time"

    stack.compute(2)
    assert minutes(stack, 2) == {
        ("IBM", 0): (4, 10.75, 400), ("IBM", 1): (3, 10.5, 300), ("IBM", 2): (3, 10.5, 300), ("MSFT", 0): (1, 10.5, 100),
    }  # fmt: skip
    late = [json.loads(letter.original) for _, letter in sorted(stack.dead_letters().items()) if letter.reason == "late_tick"]
    assert [line.get("dlq_attempt") for line in late] == [None, 1], "late again, and it knows how often it was sent"
    code, report = stack.verify()
    assert (code, report["differences"]) == (0, [])
