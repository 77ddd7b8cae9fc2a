"""What a client's shell knows of itself; how it does with sockets, the gateway's tests show."""

from typing import Any

from connectors.gateway.client import TURN, Client


def test_waiting_for_its_turn_saves_nobody_from_a_deadline() -> None:
    nowhere: Any = None
    client = Client(nowhere)
    seen = []
    for change, reason in ((client.wait, TURN), (client.wait, "queue"), (client.go_on, TURN), (client.go_on, "queue")):
        change(reason)
        seen.append(client.waits)
    assert seen == [False, True, True, False]
