"""Addresses, and the waits between tries."""

import random

import pytest

from connectors.client.retries import Retries, finder, parse_address


def test_waits_double_up_to_the_longest_and_begin_again_after_a_success() -> None:
    retries = Retries(random.Random(3), first_s=0.1, longest_s=3.0)
    waits = [retries.failed() for _ in range(40)]
    bounds = [min(3.0, 0.1 * 2**number) for number in range(40)]
    assert all(bound / 2 <= wait <= bound for wait, bound in zip(waits, bounds, strict=True))
    assert len(set(waits)) == len(waits)
    retries.succeeded()
    assert retries.failed() <= 0.1


def test_addresses_are_one_a_list_or_asked_for_each_time() -> None:
    assert finder("127.0.0.1:9999")() == [("127.0.0.1", 9999)]
    assert finder(["a:1", "[::1]:2"])() == [("a", 1), ("::1", 2)]
    known = ["a:1"]
    find = finder(lambda: known)
    assert find() == [("a", 1)]
    known.append("b:2")
    assert find() == [("a", 1), ("b", 2)]


@pytest.mark.parametrize("text", ["", "a", "a:", ":1", "a:0", "a:65536", "a b:1", "::1:5", "http://a:1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        parse_address(text)
