"""Looking at the clients in parts."""

from types import SimpleNamespace

from connectors.gateway.clients import Clients
from connectors.gateway.limits import Limits


def clients(count: int) -> Clients:
    made = Clients("g1", Limits())
    for _ in range(count):
        made.add(made.next_name(), SimpleNamespace(address="127.0.0.1"))  # type: ignore[arg-type]
    return made


def test_in_a_round_each_client_comes_once_however_many_there_are() -> None:
    for count in (0, 1, 3, 19, 20, 21, 45):
        some = clients(count)
        seen = [client for number in range(20) for client in some.part(number, 20)]
        assert len(seen) == len({id(client) for client in seen}) == count


def test_who_goes_in_the_middle_of_a_round_does_not_come_and_who_joins_comes_in_the_next() -> None:
    some = clients(4)
    first = some.part(0, 2)
    some.remove("g1-4")
    some.add(some.next_name(), SimpleNamespace(address="127.0.0.1"))  # type: ignore[arg-type]
    assert (len(first), len(some.part(1, 2))) == (2, 1)
    assert sum(len(some.part(number, 2)) for number in range(2)) == 4
