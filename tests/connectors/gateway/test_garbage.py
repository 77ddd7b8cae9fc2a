"""Clients that have gone are freed at once: the gateway's process hardly ever looks for garbage."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.gateway.client import Client
from connectors.gateway.limits import Limits
from connectors.gateway.protocol import Connection
from connectors.tls import ServerTls, TlsFiles
from tests.conftest import TestBroker
from tests.connectors.certificates import make_authority, make_certificate
from tests.connectors.gateway.running import RunningGateway, Socket, TlsSocket, now_ms, running_gateway, wait_until
from tests.connectors.kafka_fixtures import connection_with_topics

TIMES = 2
TICK = b'{"stock_id":"IBM","price":10.5,"size":100,"event_time_ms":%d}'


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def leave_in_every_way(connect: Callable[[], Socket], running: RunningGateway) -> None:
    """Acknowledged, without a word, in the middle of a line, refused, with news still to hear, and cut."""
    with connect() as acked:
        acked.send(b'{"op":"hello","client":"a"}', TICK % now_ms())
        acked.hear_ack(1)
    with connect():
        pass
    with connect() as partial:
        partial.send_raw(b'{"stock_id"')
    with connect() as refused:
        refused.send(b"nonsense")
        refused.hear()
    with connect() as hasty:
        hasty.send(b'{"op":"hello","client":"b"}', *([TICK % now_ms()] * 100))
    cuts = running.gateway.metrics.cuts["partial_line_timeout"]
    with connect() as slow:
        slow.send_raw(b'{"op":"hello","client":"c"}\n{')
        wait_until(lambda: running.gateway.metrics.cuts["partial_line_timeout"] > cuts)


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.usefixtures("no_collector")
def test_who_has_gone_leaves_nothing_for_the_garbage_collector(broker: TestBroker, tmp_path: Path, *, encrypted: bool) -> None:
    authority = make_authority(tmp_path, "authority")
    tls = ServerTls(TlsFiles(*make_certificate(tmp_path, "gateway", authority))).context if encrypted else None
    limits = Limits(partial_line_timeout_s=0.05)
    with running_gateway(connection_with_topics(broker, f"garbage-{encrypted}."), tls=tls, limits=limits) as running:

        def connect() -> Socket:
            return TlsSocket(running.address, authority.cert) if encrypted else running.sock()

        for _ in range(TIMES):
            leave_in_every_way(connect, running)
        wait_until(lambda: running.ask(lambda gateway: len(gateway.clients)) == 0)
        left = running.ask(lambda _: [each for each in gc.get_objects() if isinstance(each, Client | Connection)])
    assert not left
