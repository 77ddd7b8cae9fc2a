"""Looking at each client once a second, whatever a turn of the loop costs."""

from collections import Counter
from types import SimpleNamespace

import pytest

from connectors.gateway.clients import Clients
from connectors.gateway.limits import Limits
from connectors.gateway.rounds import Rounds


def clients(count: int) -> Clients:
    made = Clients("g1", Limits())
    for _ in range(count):
        join(made)
    return made


def join(some: Clients) -> None:
    some.add(some.next_name(), SimpleNamespace(address="127.0.0.1"))  # type: ignore[arg-type]


@pytest.mark.parametrize("turn_s", [0.005, 0.01, 0.02, 0.3])
@pytest.mark.parametrize("count", [0, 1, 3, 99, 100, 5_000])
def test_each_client_comes_once_a_second_and_few_come_at_once_however_long_turns_take(count: int, turn_s: float) -> None:
    rounds, seen, most = Rounds(clients(count), 0.0), Counter[int](), 0
    rounds.due(1.0)
    turns = round(10 / turn_s)
    for turn in range(1, turns + 1):
        due = rounds.due(1.0 + turn * turn_s)
        seen.update(id(client) for client in due)
        most = max(most, len(due))
    assert len(seen) == count
    assert set(seen.values()) <= ({9, 10} if turn_s < 0.1 else {8, 9, 10})
    assert most <= count * turn_s + 1


def test_asked_too_late_everybody_comes_once() -> None:
    rounds = Rounds(clients(10), 0.0)
    rounds.due(1.0)
    assert len(rounds.due(1.25)) == 2
    assert len(rounds.due(7.0)) == 8
    assert len(rounds.due(7.5)) == 5


def test_who_goes_in_the_middle_of_a_round_does_not_come_and_who_joins_comes_in_the_next() -> None:
    some = clients(4)
    rounds = Rounds(some, 0.0)
    rounds.due(1.0)
    first = rounds.due(1.5)
    some.remove("g1-4")
    join(some)
    assert (len(first), len(rounds.due(2.0))) == (2, 1)
    assert len(rounds.due(2.5)) + len(rounds.due(3.0)) == 4
