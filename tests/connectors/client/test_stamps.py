"""What ticks are given so that the same one is known again."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.client.stamps import Stamps
from udfs.model import Flags

NOW_MS = 1_795_348_669_460


def stamped(stamps: Stamps, **fields: Any) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(stamps.line(json.dumps(fields).encode()))
    return said


def test_a_tick_gets_the_time_and_counts_within_its_symbol() -> None:
    stamps = Stamps(lambda: NOW_MS)
    ticks = [json.loads(stamps.tick(symbol, 10.5, 100, None, None, 0)) for symbol in ("A", "B", "A")]
    assert [(tick["stock_id"], tick["seq"], tick["event_time_ms"]) for tick in ticks] == [
        ("A", 0, NOW_MS),
        ("B", 0, NOW_MS),
        ("A", 1, NOW_MS),
    ]


def test_a_tick_with_an_id_needs_no_number() -> None:
    stamps = Stamps(lambda: NOW_MS)
    assert json.loads(stamps.tick("A", 1.0, None, 7, "t-1", Flags.NO_PRICE.value)) == {
        "stock_id": "A", "price": 1.0, "event_time_ms": 7, "id": "t-1", "flags": ["no_price"],
    }  # fmt: skip
    assert "seq" not in stamped(stamps, stock_id="A", id=7, ts=5)
    assert json.loads(stamps.tick("A", 1.0, None, 7, None, 0))["seq"] == 0


def test_a_line_is_given_what_it_lacks_and_nothing_else() -> None:
    stamps = Stamps(lambda: NOW_MS)
    assert stamped(stamps, stock_id="A", price=1) == {"stock_id": "A", "price": 1, "event_time_ms": NOW_MS, "seq": 0}
    assert stamped(stamps, symbol="A", ts=1_795_348_669) == {"symbol": "A", "ts": 1_795_348_669, "seq": 1}
    assert stamped(stamps, stock_id="A", event_time_ms=None, seq=None) == {"stock_id": "A", "event_time_ms": NOW_MS, "seq": 2}
    whole = b'{"stock_id":"A","price":1,"event_time_ms":5,"seq":9}'
    assert stamps.line(whole) == whole
    assert json.loads(stamps.line(b'{"stock_id":"A"}', 77))["event_time_ms"] == 77


def test_numbers_of_its_own_never_repeat_those_that_lines_bring() -> None:
    stamps = Stamps(lambda: NOW_MS)
    seqs = [stamped(stamps, stock_id="A", **given)["seq"] for given in ({}, {"seq": 5}, {}, {"seq": 2}, {})]
    assert seqs == [0, 5, 6, 2, 7]


@given(
    st.one_of(
        st.binary(max_size=60), st.sampled_from([b"{}", b'{"price":1}', b'{"stock_id":3}', b'{"stock_id":"A","seq":"x"}', b"[" * 5_000])
    )
)
def test_a_line_that_can_be_no_tick_stays_as_it_is(line: bytes) -> None:
    assert Stamps(lambda: NOW_MS).line(line) == line
