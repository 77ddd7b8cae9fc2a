"""Everything a producer can do wrong, at once: the job never fails, says where each bad line was, and counts the good ones."""

import json
import time
from typing import Any, NamedTuple

import pytest

from tests.whole.conftest import MakeStack
from tests.whole.stack import Letter, Place, Record, Stack

T0 = 1_793_600_000_000 - 1_793_600_000_000 % 86_400_000
"""Midnight of a day in 2026."""
MIB = 1024 * 1024
KEPT = 256 * 1024
"""What is kept of a long original."""


class Case(NamedTuple):
    """A record, and why each of its lines is refused; None for a line that is not."""

    key: bytes | None
    value: bytes | None
    reasons: tuple[str | None, ...]


def tick(stock_id: object = "GOOD", **fields: object) -> bytes:
    """A good line but for what `fields` say."""
    return json.dumps({"stock_id": stock_id, "price": 10.5, "size": 100, "event_time_ms": T0 + 30_000, **fields}).encode()


def refused(value: bytes | None, reason: str, key: bytes | None = b"GOOD") -> Case:
    return Case(key, value, (reason,))


DEEP = 100_000

POISON = {
    "NUL bytes": refused(b"\x00" * 64, "bad_json"),
    "an empty value": refused(b"", "bad_json"),
    "only newlines": refused(b"\n\n\n", "bad_json"),
    "no UTF-8": refused(b'{"stock_id":"GOOD","price":1,"x":"\xff\xfe\x80"}', "bad_utf8"),
    "a lone surrogate as bytes": refused(b'{"stock_id":"GOOD","price":1,"x":"\xed\xa0\x80"}', "bad_utf8"),
    "a lone surrogate as symbol": refused(b'{"stock_id":"\\ud800","price":1}', "bad_json"),
    "deep lists": refused(b"[" * DEEP, "bad_json"),
    "deep lists in a field": refused(b'{"stock_id":"GOOD","price":1,"x":' + b"[" * DEEP + b"]" * DEEP + b"}", "bad_json"),
    "a list": refused(b"[1,2]", "not_object"),
    "a number": refused(b"42", "not_object"),
    "null": refused(b"null", "not_object"),
    "text": refused(b"hello", "bad_json"),
    "cut off": refused(tick()[:-5], "bad_json"),
    "no value": refused(None, "bad_json"),
    "a price as text": refused(tick(price="10.5"), "bad_type"),
    "a price of true": refused(tick(price=True), "bad_type"),
    "a price as object": refused(tick(price={"a": 1}), "bad_type"),
    "no price": refused(tick(price=None), "missing_field"),
    "a price of zero": refused(tick(price=0), "bad_price"),
    "a negative price": refused(tick(price=-1), "bad_price"),
    "a price of NaN": refused(tick(price=float("nan")), "bad_json"),
    "a price beyond doubles": refused(tick().replace(b"10.5", b"1e999"), "bad_price"),
    "a price of 400 digits": refused(tick().replace(b"10.5", b"9" * 400), "bad_price"),
    "a negative size": refused(tick(size=-1), "bad_size"),
    "sizes in a list": refused(tick(size=[1]), "bad_type"),
    "a time as text": refused(tick(event_time_ms="now"), "bad_type"),
    "a time before 1970": refused(tick(event_time_ms=-1), "bad_time"),
    "a time beyond 64 bits": refused(tick(event_time_ms=2**70), "bad_time"),
    "a day as timestamp": refused(tick(event_time_ms=None, timestamp="2026-11-02"), "bad_time"),
    "1970": refused(tick(event_time_ms=0), "late_tick"),
    "2099": refused(tick(event_time_ms=4_070_908_800_000), "future_time"),
    "another symbol": refused(tick("OTHER"), "key_mismatch"),
    "no symbol": refused(b'{"price":1}', "missing_field"),
    "a symbol with a blank": refused(tick("GO OD"), "bad_symbol"),
    "an unknown time frame": refused(tick(time_frame="7sec"), "unknown_time_frame"),
    "copies for larger frames": Case(b"GOOD", tick(time_frame="5min") + b"\n" + tick(time_frame="1D"), (None, None)),
    "a mixed record": Case(b"GOOD", b'{"cut\n' + tick(seq=7) + b"\n\xff\n" + tick(price=-2), ("bad_json", None, "bad_utf8", "bad_price")),
    "a key that is no symbol": refused(tick("bad symbol!"), "bad_symbol", b"bad symbol!"),
    "a key of NUL bytes": refused(tick("A\x00B"), "bad_symbol", b"A\x00B"),
    "a key beyond the first plane": refused(tick("\N{ROCKET}"), "bad_symbol", "\N{ROCKET}".encode()),
    "a key that is no UTF-8": refused(tick(), "key_mismatch", b"\xff\xfe\x00"),
    "a lone surrogate as key": refused(tick(), "key_mismatch", b"\xed\xa0\x80"),
    "a key of 10,000 letters": refused(tick("K" * 10_000), "bad_symbol", b"K" * 10_000),
    "an empty key": refused(b"no json", "bad_json", b""),
    "no key": refused(b"no json", "bad_json", None),
    "no key and no value": refused(None, "bad_json", None),
    "no key and bytes": refused(b"\x00\xff\xfe", "bad_utf8", None),
    "no key and a number for a symbol": refused(tick(5), "bad_type", None),
    "no key and a lone surrogate for a symbol": refused(b'{"stock_id":"\\ud800","price":1}', "bad_json", None),
    "no key and half a pair for a symbol": refused(b'{"stock_id":"A\\udc00B","price":1}', "bad_json", None),
    "no key and a rocket for a symbol": refused(tick("\N{ROCKET}"), "bad_symbol", None),
    "no key and a NUL for a symbol": refused(tick("A\x00B"), "bad_symbol", None),
    "no key and an empty symbol": refused(tick(""), "bad_symbol", None),
    "no key and deep lists": refused(b'{"stock_id":' + b"[" * DEEP, "bad_json", None),
    "no key and two symbols": Case(None, tick("FIRST") + b"\n" + tick("SECOND"), (None, "key_mismatch")),
    "no key and a good line": Case(None, tick("KEYLESS"), (None,)),
    "an empty key and a good line": Case(b"", tick("EMPTYKEY"), (None,)),
    "a line of 1 MiB": refused(b"x" * (MIB - 1_000), "bad_json"),
    "a good line of 1 MiB": Case(b"GOOD", tick(note="x" * (MIB - 1_000), seq=8), (None,)),
    "a bad line of 1 MiB": refused(tick(note="x" * (MIB - 1_000), price=-1), "bad_price"),
    "5 MiB of zeros, compressed": refused(b"0" * (5 * MIB), "bad_json"),
    "5,000 bad lines": Case(b"GOOD", b"\n".join([b"bad"] * 5_000), ("bad_json",) * 5_000),
}


@pytest.fixture(scope="module")
def outcome(make_stack: MakeStack) -> tuple[Stack, dict[str, tuple[Case, int, int]]]:
    """The job over all of it, good ticks around; where each case's record lies."""
    stack = make_stack("poison", kafka__partitions=2)
    now_ms = time.time_ns() // 1_000_000
    good = [Record(b"GOOD", tick(seq=n, event_time_ms=T0 + n * 20_000), now_ms) for n in range(10)]
    bad = [Record(case.key, case.value, now_ms) for case in POISON.values()]
    placed = stack.publish([*good[:5], *bad, *good[5:]], compression_type="gzip", message_max_bytes=16 * MIB)[5:-5]
    stack.compute()
    return stack, {name: (case, *place) for (name, case), place in zip(POISON.items(), placed, strict=True)}


def letters_of(case: Case, partition: int, offset: int) -> dict[Place, Letter]:
    """The dead letters a record must lead to."""
    lines = [b""] if case.value is None else case.value.rstrip(b" \t\r\n").split(b"\n")
    told = zip(lines, case.reasons, strict=True)
    return {Place(partition, offset, n): Letter(reason, line[:KEPT]) for n, (line, reason) in enumerate(told) if reason}


def test_each_bad_line_is_a_dead_letter_with_its_place_its_reason_and_its_bytes(outcome: tuple[Stack, Any]) -> None:
    stack, placed = outcome
    letters = stack.dead_letters()
    wrong = {}
    for name, (case, partition, offset) in placed.items():
        found = {place: letter for place, letter in letters.items() if (place.partition, place.offset) == (partition, offset)}
        if found != letters_of(case, partition, offset):
            wrong[name] = {place.line: (letter.reason, letter.original[:80]) for place, letter in list(found.items())[:3]}
    assert wrong == {}
    assert len(letters) == sum(len(letters_of(*case)) for case in placed.values())


def test_the_good_ticks_around_are_unharmed(outcome: tuple[Stack, Any]) -> None:
    stack, _ = outcome
    minutes = {start_ms: bar for (stock_id, frame, start_ms), bar in stack.newest().items() if (stock_id, frame) == ("GOOD", "1min")}
    assert {start_ms - T0: (bar["trades"], bar["volume"], bar["close"]) for start_ms, bar in minutes.items()} == {
        0: (5, 500, 10.5),  # three, and two among the bad ones
        60_000: (3, 300, 10.5),
        120_000: (3, 300, 10.5),
        180_000: (1, 100, 10.5),
    }
    assert {stock_id for stock_id, _, _ in stack.newest()} == {"GOOD", "FIRST", "KEYLESS", "EMPTYKEY"}


def test_verify_agrees_on_every_line(outcome: tuple[Stack, Any]) -> None:
    stack, _ = outcome
    code, report = stack.verify()
    assert (code, report["differences"]) == (0, [])
    assert report["counts"]["frame_copies"] == 2
