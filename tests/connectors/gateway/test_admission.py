"""Keys and TLS on a real socket and a real broker."""

import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from connectors.keys import KeyRing, NewKey, Scope, add_key, revoke_keys
from connectors.tls import ServerTls, TlsFiles
from tests.conftest import TestBroker
from tests.connectors.certificates import make_authority, make_certificate
from tests.connectors.gateway.running import (
    RunningGateway,
    Socket,
    TlsSocket,
    count_reasons,
    letters_of,
    lines_of,
    now_ms,
    records_of,
    running_gateway,
    wait_until,
)
from tests.connectors.kafka_fixtures import connection_with_topics


def tick(**fields: object) -> bytes:
    return json.dumps({"stock_id": "IBM", "price": 10.5, "size": 100, "event_time_ms": now_ms(), **fields}).encode()


def hello(key: str) -> bytes:
    return json.dumps({"op": "hello", "client": "feed-a", "key": key}).encode()


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, NewKey]:
    """A key of each scope."""
    return {scope.value: add_key(tmp_path / "keys.json", "feed-a", [scope], now_ms()) for scope in Scope}


def test_only_a_key_for_ingest_gets_in_and_is_cut_when_it_is_revoked(broker: TestBroker, tmp_path: Path, keys: dict[str, NewKey]) -> None:
    ring = KeyRing(tmp_path / "keys.json")
    with running_gateway(connection_with_topics(broker, "keys."), ring=ring) as running:
        right = keys["ingest"].text
        for wrong in (keys["read"].text, keys["admin"].text, right[:-4] + "AAAA", "", right + " "):
            with running.sock(hello(wrong)) as client:
                client.send(tick())
                assert [(said["op"], said.get("code")) for said in client.hear_all()] == [("err", "unauthorized"), ("bye", "unauthorized")]
        with running.sock(tick()) as client:
            assert [said["op"] for said in client.hear_all()] == ["err", "bye"]
        with running.sock(hello(right)) as client, running.sock(hello(right)) as quiet:
            client.send(tick(seq=1))
            assert client.hear_ack(1)["bad"] == 0
            assert (quiet.hear() or {})["op"] == "welcome"
            revoke_keys(tmp_path / "keys.json", keys["ingest"].key.id)
            running.ask(lambda gateway: ring.refresh())
            assert client.hear_all()[-1]["code"] == "unauthorized"
            assert quiet.hear_all()[-1]["code"] == "unauthorized"
        with running.sock(hello(right)) as client:
            assert (client.hear() or {})["code"] == "unauthorized"
        new = add_key(tmp_path / "keys.json", "feed-a", [Scope.INGEST], now_ms())
        with running.sock(hello(new.text)) as client:
            assert (client.hear() or {})["op"] == "welcome"
        assert running.ask(lambda gateway: gateway.metrics.cuts["unauthorized"]) == 9
    assert [line["seq"] for line in lines_of(records_of(broker.bootstrap, "keys.stock_data"))] == [1]
    assert count_reasons(letters_of(broker.bootstrap, "keys.dead_letters")) == {"unauthorized": 7}


def test_metrics_are_for_keys_that_may_read_and_health_is_for_everybody(
    broker: TestBroker, tmp_path: Path, keys: dict[str, NewKey]
) -> None:
    with running_gateway(connection_with_topics(broker, "admin-keys."), ring=KeyRing(tmp_path / "keys.json")) as running:
        assert [answer(running, "/metrics", keys[scope].text) for scope in ("read", "admin", "ingest")] == [200, 200, 401]
        assert [answer(running, "/metrics", text) for text in ("x", None)] == [401, 401]
        assert [answer(running, path, None) for path in ("/healthz", "/readyz")] == [200, 200]


def answer(running: RunningGateway, path: str, key: str | None) -> int:
    host, port = running.admin
    request = urllib.request.Request(f"http://{host}:{port}{path}", headers={"Authorization": f"Bearer {key}"} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=20) as said:
            return int(said.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_over_tls_everything_is_as_without_it(broker: TestBroker, tmp_path: Path) -> None:
    authority = make_authority(tmp_path, "authority")
    tls = ServerTls(TlsFiles(*make_certificate(tmp_path, "gateway", authority)))
    with running_gateway(connection_with_topics(broker, "tls."), tls=tls.context) as running:
        with TlsSocket(running.address, authority.cert) as client:
            client.send(b'{"op":"hello","client":"feed-a"}', *(tick(seq=seq) for seq in range(2_000)), b"nonsense")
            assert client.hear_ack(2_001)["bad"] == 1
        for seq, end in ((2_000, b"\n"), (2_001, b"")):
            with TlsSocket(running.address, authority.cert) as hasty:  # sends one object and closes, without a goodbye of TLS
                hasty.send_raw(tick(seq=seq) + end)
            with TlsSocket(running.address, authority.cert) as polite:
                polite.send_raw(tick(seq=seq + 10) + end)
                polite.say_goodbye()
        with running.sock(tick()) as plain:
            assert cut(plain)
        trusting = ssl.create_default_context(cafile=str(authority.cert))
        assert urllib.request.urlopen(f"https://localhost:{running.admin[1]}/healthz", context=trusting, timeout=20).status == 200
        wait_until(lambda: running.ask(lambda gateway: gateway.metrics.lines) == 2_005)
        wait_until(lambda: running.ask(lambda gateway: len(gateway.clients)) == 0)
    lines = lines_of(records_of(broker.bootstrap, "tls.stock_data"))
    letters = letters_of(broker.bootstrap, "tls.dead_letters")
    assert sorted(line["seq"] for line in lines) == [*range(2_000), 2_000, 2_010, 2_011]
    assert count_reasons(letters) == {"bad_json": 1, "truncated": 1}, "an end without a goodbye is none that can be trusted"


def cut(client: Socket) -> bool:
    """Whether the gateway hung up without a word of its protocol."""
    try:
        return client._socket.recv(100)[:1] in (b"", b"\x15")  # nothing, or an alert of TLS
    except ConnectionError:
        return True
