"""Holding on to hot parts: what comes back is what was held, however many there are."""

import pickle

from udfs.functions.hot_parts import FEW, HotParts
from udfs.state_layout import Hot, new_hot


def hot_of(number: int) -> Hot:
    hot = new_hot("8/8/utc", 1, 0)
    hot.clock_ns = number
    return hot


def test_a_part_comes_back_as_it_was_held_however_many_there_are() -> None:
    held = HotParts()
    for number in range(FEW + 200):
        hot = hot_of(number)
        held.hold(str(number), hot, pickle.dumps(hot.part()))
    hot = hot_of(-7)
    held.hold("3", hot, pickle.dumps(hot.part()))
    for number in range(FEW + 200):
        again = held.get(str(number))
        assert again is not None
        assert again.part() == hot_of(-7 if number == 3 else number).part()
    assert held.get("nobody") is None


def test_few_are_held_as_the_objects_they_are() -> None:
    held, hot = HotParts(), hot_of(1)
    held.hold("IBM", hot, b"")
    assert held.get("IBM") is hot


def test_what_is_forgotten_is_read_from_the_state_again() -> None:
    for symbols in (2, FEW + 2):
        held = HotParts()
        for number in range(symbols):
            held.hold(str(number), hot_of(number), pickle.dumps(hot_of(number).part()))
        held.forget("1")
        held.forget("nobody")
        assert held.get("1") is None
        assert held.get("0") is not None
