"""`tickloom delivery` as a process: ready, asked over HTTP and WebSocket, two side by side, with keys and TLS, and stopped."""

import asyncio
import json
import re
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPMessage
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import aiohttp
import pytest
from kafka import KafkaProducer

from jobs.cli.main import run
from tests.conftest import TestBroker
from tests.connectors.certificates import make_authority, make_certificate
from tests.connectors.delivery.store.records import FIRST_MS, MINUTE, value_of
from tests.connectors.gateway.running import wait_until
from tests.docs.markdown import ROOT
from tests.whole.page.delivery import DeliveryProcess

PREFIX = "delivery."
BARS = 5
STOP_S = 10
"""How long it may take to end, as its help promises."""
_BUSY = 1


class Answer(NamedTuple):
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def settings(broker: TestBroker, prefix: str, **more: str) -> dict[str, str]:
    """What leads to the topics; nobody answers as Flink."""
    fixed = {
        "kafka.bootstrap": broker.bootstrap,
        "kafka.topic_prefix": prefix,
        "kafka.partitions": "3",
        "job.flink_rest": "http://127.0.0.1:1",
    }
    return {**fixed, **{key.replace("__", "."): value for key, value in more.items()}}


def get(url: str, *, data: bytes | None = None, context: ssl.SSLContext | None = None, **headers: str) -> Answer:
    request = urllib.request.Request(url, data, {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


class Topic:
    """What a job would have written into `indicator_results`."""

    def __init__(self, broker: TestBroker, prefix: str) -> None:
        self._topic = f"{prefix}indicator_results"
        self._producer = KafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")

    def write(self, *bars: int, stock_id: str = "IBM") -> None:
        for bar in bars:
            self._producer.send(self._topic, value_of(stock_id, bar), stock_id.encode(), partition=0).get(20)

    def close(self) -> None:
        self._producer.close()


@pytest.fixture(scope="module")
def topic(broker: TestBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topic]:
    DeliveryProcess(settings(broker, PREFIX), tmp_path_factory.mktemp("topics"))
    made = Topic(broker, PREFIX)
    made.write(*range(BARS))
    yield made
    made.close()


def starts(bars: list[dict[str, Any]]) -> list[int]:
    """Numbers of the bars."""
    return [(bar["start_ms"] - FIRST_MS) // MINUTE for bar in bars]


async def heard(messages: aiohttp.ClientWebSocketResponse, kind: str, count: int = 1) -> list[dict[str, Any]]:
    """The next messages of that kind, in as many frames as they come in."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        found += [message for message in json.loads(await messages.receive_str(timeout=20)) if message["T"] == kind]
    assert len(found) == count
    return found


SUBSCRIBE = {"op": "subscribe", "id": 1, "channels": [{"channel": "bars", "time_frames": ["1min"], "symbols": ["IBM"], "snapshot": 3}]}


def services(process: DeliveryProcess, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run([*process.options, "services", "--json"]) == 0
    said: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return said


def test_it_answers_is_found_and_when_it_is_stopped_says_goodbye(
    broker: TestBroker, topic: Topic, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = DeliveryProcess(settings(broker, PREFIX), tmp_path)
    process.start()
    try:
        bars = get(f"{process.url}/v1/bars?symbols=IBM&time_frame=1min").json["bars"]["IBM"]
        assert starts(bars)[:BARS] == list(range(BARS))
        status = get(f"{process.url}/v1/status").json
        assert (status["ready"], status["kafka"], status["behind_records"], status["job"]) == (True, "ok", 0, None)
        assert b'tickloom_delivery_requests_total{route="/v1/bars",status="200"} 1' in get(f"{process.url}/metrics").body
        assert b"<script" in get(f"{process.url}/").body
        asked = re.findall(r"'http://127\.0\.0\.1:8080(/[^']+)'", (ROOT / "docs" / "how-to" / "deliver-results.md").read_text())
        assert len(asked) >= 5
        for path in asked:
            with urllib.request.urlopen(f"{process.url}{path}", timeout=20) as answer:
                assert answer.status == 200, path
        (found,) = wait_until(lambda: services(process, capsys))
        assert (found["service"], found["instance"], f"http://{found['address']}") == ("delivery", "d1", process.url)

        async def converse() -> tuple[dict[str, Any], int | None]:
            async with aiohttp.ClientSession() as session, session.ws_connect(f"{process.url}/v1/ws") as client:
                await client.send_json(SUBSCRIBE)
                (snapshot,) = await heard(client, "snapshot")
                assert len(snapshot["bars"]) == 3
                process.process.terminate()
                (bye,) = await heard(client, "bye")
                while (await client.receive(timeout=20)).type is aiohttp.WSMsgType.TEXT:
                    pass
                return bye, client.close_code

        bye, close_code = asyncio.run(converse())
        assert (bye["code"], close_code) == ("shutdown", 1001)
        assert process.process.wait(STOP_S) == 0
        assert services(process, capsys) == []
        events = [json.loads(line)["event"] for line in process.log.read_text().splitlines()]
        assert [event for event in events if event.startswith("delivery")] == ["delivery_started", "delivery_stopping", "delivery_stopped"]
        assert "caught_up" in events
    finally:
        process.kill()


def test_two_side_by_side_are_each_complete_and_one_that_dies_touches_no_other(broker: TestBroker, topic: Topic, tmp_path: Path) -> None:
    first = DeliveryProcess(settings(broker, PREFIX), tmp_path / "first")
    second = DeliveryProcess(settings(broker, PREFIX, delivery__name="d2"), tmp_path / "second")
    first.start()
    second.start()
    try:
        twice = DeliveryProcess({**first.settings}, tmp_path / "first")
        taken = subprocess.run(
            [sys.executable, "-m", "jobs.cli.main", *twice.options, "delivery"],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
            timeout=60,
        )
        assert taken.returncode == _BUSY, "the store is the first one's"
        assert "delivery.name" in taken.stderr

        async def converse() -> list[int]:
            async with aiohttp.ClientSession() as session, session.ws_connect(f"{second.url}/v1/ws") as client:
                await client.send_json(SUBSCRIBE)
                await heard(client, "snapshot")
                first.kill()
                topic.write(BARS, BARS + 1)
                return starts(await heard(client, "bar", 2))

        assert asyncio.run(converse()) == [BARS, BARS + 1]
        names = {each["instance"] for each in get(f"{second.url}/v1/services").json["services"]}
        assert names == {"d1", "d2"}
        first.start()
        asked = "v1/bars?symbols=IBM&time_frame=1min"
        assert get(f"{first.url}/{asked}").json == get(f"{second.url}/{asked}").json
    finally:
        first.kill()
        second.kill()


def test_with_keys_and_tls_nobody_comes_in_without_and_no_key_is_told(
    broker: TestBroker, topic: Topic, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    authority = make_authority(tmp_path, "authority")
    own = make_certificate(tmp_path, "delivery", authority)
    secured = settings(broker, PREFIX, delivery__auth="keys", delivery__tls_cert=str(own.cert), delivery__tls_key=str(own.key))
    process = DeliveryProcess(secured, tmp_path)
    trusted = ssl.create_default_context(cafile=str(authority.cert))

    def key(name: str, scope: str) -> str:
        capsys.readouterr()
        assert run([*process.options, "keys", "add", name, "--scope", scope]) == 0
        return capsys.readouterr().out.strip()

    def ask(path: str, data: bytes | None = None, **headers: str) -> Answer:
        return get(f"{process.url}/{path}", data=data, context=trusted, **headers)

    def log_in(text: str) -> Answer:
        return ask("login", urlencode({"key": text}).encode())

    process.start()
    try:
        reader, admin = key("desk", "read"), key("chief", "admin")
        wrong = f"{reader[:-6]}wrong0"
        for path in (
            "v1/bars?symbols=IBM&time_frame=1min",
            "v1/status",
            "metrics",
            "v1/dead-letters",
            "v1/stream?symbols=IBM&time_frames=1min",
        ):
            assert ask(path).json["code"] == "unauthorized"
            assert ask(path, Authorization=f"Bearer {wrong}").status == 401
        assert (ask("").status, ask("healthz").status, ask("readyz").status) == (200, 200, 200)
        wait_until(lambda: ask("v1/status", Authorization=f"Bearer {reader}").status == 200)
        assert ask("v1/dead-letters", Authorization=f"Bearer {reader}").json["code"] == "scope"
        assert ask("v1/dead-letters", Authorization=f"Bearer {admin}").json["total"] == 0
        assert ask("v1/status", Authorization=f"Bearer {reader}", Origin="https://evil.example").json["code"] == "foreign_origin"
        assert log_in(wrong).status == 401
        cookie, _, attributes = (log_in(reader).headers["Set-Cookie"] or "").partition(";")
        assert {"HttpOnly", "Secure", "SameSite=Strict"} <= {each.strip() for each in attributes.split(";")}
        assert ask("v1/session", Cookie=cookie).json == {"auth": "keys", "name": "desk", "scopes": ["read"]}

        async def converse() -> tuple[dict[str, Any], dict[str, Any]]:
            async with aiohttp.ClientSession() as session:
                async with session.ws_connect(f"{process.url}/v1/ws", ssl=trusted, headers={"Cookie": cookie}) as client:
                    await client.send_json(SUBSCRIBE)
                    (by_cookie,) = await heard(client, "snapshot")
                    assert run([*process.options, "keys", "revoke", "desk"]) == 0
                    (revoked,) = await heard(client, "error")
                async with session.ws_connect(f"{process.url}/v1/ws", ssl=trusted) as client:
                    await client.send_json(SUBSCRIBE)
                    (refused,) = await heard(client, "error")
                    assert refused["status"] == 401
                    await client.send_json({"op": "auth", "key": admin})
                    await client.send_json(SUBSCRIBE)
                    (by_key,) = await heard(client, "snapshot")
                    assert by_key["bars"] == by_cookie["bars"]
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await session.ws_connect(f"{process.url}/v1/ws", ssl=trusted, headers={"Origin": "https://evil.example"})
                assert refused.value.status == 403
                return by_cookie, revoked

        _, revoked = asyncio.run(converse())
        assert revoked["code"] == "key_revoked"
        assert ask("v1/session", Cookie=cookie).status == 401
        capsys.readouterr()
        shown = [run([*process.options, "config", "show", *more]) for more in ([], ["--json"], ["--origin"])]
        told = [process.log.read_text(), ask("metrics", Authorization=f"Bearer {admin}").body.decode(), *capsys.readouterr()]
        assert shown == [0, 0, 0]
        assert [place for place in told for secret in (reader, admin, wrong, cookie) if secret[-20:] in place] == []
        assert "login_refused" in told[0]
        process.stop()
    finally:
        process.kill()


def test_without_topics_it_does_not_start_and_says_what_to_try(broker: TestBroker, capsys: pytest.CaptureFixture[str]) -> None:
    options = [option for key, value in settings(broker, "delivery-nowhere.").items() for option in ("--set", f"{key}={value}")]
    assert run([*options, "delivery"]) == 4
    assert "topic 'delivery-nowhere.indicator_results' does not exist" in capsys.readouterr().err
