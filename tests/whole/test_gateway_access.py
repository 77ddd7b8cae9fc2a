"""`tickloom gateway` with keys and TLS as a process: it can be found, it follows its files, and it never tells a key."""

import json
import shutil
import ssl
import urllib.request
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from jobs.cli.main import run
from tests.conftest import TestBroker
from tests.connectors.certificates import Certificate, make_authority, make_certificate
from tests.connectors.gateway.running import Socket, now_ms, records_of, wait_until
from tests.whole.gateway import gateway_process, options_of

PREFIX = "access."


class TlsSocket(Socket):
    """A client that speaks TLS, and shows a certificate."""

    def __init__(self, address: tuple[str, int], ca: Path, own: Certificate, hello: bytes) -> None:
        super().__init__(address)
        context = ssl.create_default_context(cafile=str(ca))
        context.load_cert_chain(*own)
        self._socket: ssl.SSLSocket = context.wrap_socket(self._socket, server_hostname="localhost")
        self.send(hello)

    @property
    def server_name(self) -> str:
        """The common name of the certificate it was shown."""
        return dict(pair for ((pair),) in (self._socket.getpeercert() or {})["subject"])["commonName"]


def tickloom(capsys: pytest.CaptureFixture[str], options: Sequence[str], *arguments: str) -> str:
    capsys.readouterr()
    assert run([*options, *arguments]) == 0
    return capsys.readouterr().out


def test_it_is_found_it_follows_its_files_and_tells_no_key(broker: TestBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    authority = make_authority(tmp_path, "authority")
    first, second, own = (make_certificate(tmp_path, name, authority) for name in ("first", "second", "feed"))
    settings = {
        "kafka.bootstrap": broker.bootstrap,
        "kafka.topic_prefix": PREFIX,
        "stack.data_dir": str(tmp_path / "data"),
        "gateway.auth": "keys",
        "gateway.tls_cert": str(first.cert),
        "gateway.tls_key": str(first.key),
        "gateway.tls_client_ca": str(authority.cert),
    }
    options = options_of(settings)
    right = tickloom(capsys, options, "keys", "add", "feed-a", "--scope", "ingest").strip()
    wrong = f"{right[:-8]}wrongkey"
    with gateway_process(broker.bootstrap, PREFIX, tmp_path, **settings) as process:

        def client(key: str) -> TlsSocket:
            hello = json.dumps({"op": "hello", "client": "feed-a", "key": key}).encode()
            return TlsSocket(process.address, authority.cert, own, hello)

        def services() -> list[dict[str, Any]]:
            said: list[dict[str, Any]] = json.loads(tickloom(capsys, options, "services", "--json"))
            return said

        with client(right) as old:
            send_and_hear_ack(old, 1)
            with client(wrong) as refused:
                assert [said["op"] for said in refused.hear_all()] == ["err", "bye"]
            with client(right) as garbled:  # what was to be a tick runs into a hello
                garbled.send(tick(1), tick(2)[:20] + b'{"op":"hello","key":"%s"}' % right.encode())
                assert garbled.hear_ack(2)["bad"] == 1
            wait_until(services)
            (found,) = services()
            assert (found["service"], found["instance"], found["silent"]) == ("gateway", "g1", False)
            assert found["load"].keys() == {"connections", "lines_per_second", "queue_records"}
            assert found["address"] == f"127.0.0.1:{process.address[1]}"

            for new, served in zip(second, first, strict=True):
                shutil.copy(new, served)
            wait_until(lambda: shown_name(client(right)) == "second")
            send_and_hear_ack(old, 2)
            assert old.server_name == "first"

            host, port = process.admin
            metrics = urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=20).read()
            tickloom(capsys, options, "keys", "revoke", "feed-a")
            assert old.hear_all()[-1]["code"] == "unauthorized"
        assert process.terminate()[0] == 0
        assert services() == []
    topics = [record.value for topic in ("stock_data", "dead_letters", "service_registry") for record in all_of(broker, topic)]
    originals = [b64decode(json.loads(letter.value)["original"]) for letter in all_of(broker, "dead_letters")]
    commands = (["config", "show"], ["config", "show", "--json"], ["config", "show", "--origin"], ["keys", "list"], ["dlq", "ls"])
    shown = [tickloom(capsys, options, *command).encode() for command in commands]
    places = [process.log.read_bytes(), metrics, *shown, *filter(None, topics), *originals]
    assert b"keys_changed" in places[0]
    assert len(originals) == sum(b"unauthorized" in value for value in topics if value) == 2
    for secret in (right[14:], wrong[14:]):
        assert [place for place in places if secret.encode() in place] == []


def all_of(broker: TestBroker, topic: str) -> list[Any]:
    return records_of(broker.bootstrap, f"{PREFIX}{topic}")


def tick(seq: int) -> bytes:
    return json.dumps({"stock_id": "IBM", "price": 10.5, "size": 100, "event_time_ms": now_ms(), "seq": seq}).encode()


def send_and_hear_ack(client: Socket, lines: int) -> None:
    client.send(tick(lines))
    assert client.hear_ack(lines)["bad"] == 0


def shown_name(client: TlsSocket) -> str:
    with client:
        return client.server_name
