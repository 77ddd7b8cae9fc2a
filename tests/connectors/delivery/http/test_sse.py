import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from connectors.delivery.live.limits import Limits
from connectors.delivery.store.records import BarRecord
from tests.connectors.delivery.http.served import TIMEOUT_S, Served, served
from tests.connectors.delivery.store.records import FIRST_MS, MINUTE, record_of

STREAM = "/v1/stream?symbols=IBM,AAPL&time_frames=1min"


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("sse")) as running:
        running.take(*(record_of("IBM", bar) for bar in range(10)), *(record_of("AAPL", bar) for bar in range(10)))
        yield running


@dataclass(frozen=True)
class Event:
    id: str
    messages: list[dict[str, Any]]


class Reader:
    """An event stream as the WHATWG says a browser reads it, on http.client."""

    def __init__(self, one: Served, path: str, last_event_id: str | None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=TIMEOUT_S)
        self.connection.request("GET", path, headers={} if last_event_id is None else {"Last-Event-ID": last_event_id})
        self.response = self.connection.getresponse()
        assert self.response.status == 200
        assert self.response.headers["Content-Type"] == "text/event-stream"
        self.retry_ms = 0
        self.last_id = ""

    def event(self) -> Event:
        data: list[str] = []
        while line := self._line():
            name, _, text = line.partition(": ")
            match name:
                case "retry":
                    self.retry_ms = int(text)
                case "id":
                    self.last_id = text
                case "data":
                    data.append(text)
        if not data:
            return self.event()
        return Event(self.last_id, json.loads("\n".join(data)))

    def _line(self) -> str:
        line = self.response.readline().decode()
        if not line:
            raise ConnectionError("the server has closed")
        return line.rstrip("\n")

    def messages(self, kind: str, count: int) -> list[dict[str, Any]]:
        """The next `count` of that kind; whatever comes beside them is passed over."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            found += [message for message in self.event().messages if message["T"] == kind]
        assert len(found) == count
        return found


@contextmanager
def reading(one: Served, path: str = STREAM, last_event_id: str | None = None) -> Iterator[Reader]:
    reader = Reader(one, path, last_event_id)
    try:
        yield reader
    finally:
        # http.client's `close` would read on; the server is to see a cut.
        if reader.connection.sock is not None:
            reader.connection.sock.shutdown(socket.SHUT_RDWR)
        reader.response.close()
        reader.connection.close()


def forming(bar: int, symbol: str = "IBM", **more: Any) -> BarRecord:
    return record_of(symbol, bar, status="forming", as_of_ms=FIRST_MS + bar * MINUTE + 500, **more)


def bars_of(messages: list[dict[str, Any]]) -> list[tuple[str, int, str]]:
    return [(each["stock_id"], (each["start_ms"] - FIRST_MS) // MINUTE, each["status"]) for each in messages]


def test_a_stream_begins_with_a_welcome_and_the_snapshots_asked_for(one: Served) -> None:
    with reading(one, f"{STREAM}&snapshot=3&indicators=RSI") as stream:
        first = stream.event()
        assert stream.retry_ms > 0
        assert first.messages[0]["T"] == "welcome"
        assert first.id.rpartition(":")[0] == first.messages[0]["conn"]
        snapshots = [message for message in first.messages if message["T"] == "snapshot"]
        snapshots += stream.messages("snapshot", 2 - len(snapshots)) if len(snapshots) < 2 else []
        assert {(each["stock_id"], len(each["bars"]), each["done"]) for each in snapshots} == {("IBM", 3, True), ("AAPL", 3, True)}
        assert snapshots[0]["bars"][0]["results"] == {"RSI": 55.2}
        assert [each["msg_seq"] for each in snapshots] == [1, 2]


def test_finals_and_forming_bars_come_as_they_are_taken(one: Served) -> None:
    with reading(one) as stream, reading(one, STREAM + "&mode=final") as finals:
        stream.event(), finals.event()
        one.take_forming(forming(10))
        assert bars_of(stream.messages("bar", 1)) == [("IBM", 10, "forming")]
        one.take(record_of("IBM", 10), record_of("ZZZ", 10), record_of("AAPL", 10))
        assert bars_of(stream.messages("bar", 2)) == [("IBM", 10, "final"), ("AAPL", 10, "final")]
        assert bars_of(finals.messages("bar", 2)) == [("IBM", 10, "final"), ("AAPL", 10, "final")]


def test_a_stream_goes_on_behind_the_last_event_seen(one: Served) -> None:
    with reading(one) as stream:
        stream.event()
        one.take(record_of("IBM", 20))
        (seen,) = stream.messages("bar", 1)
        last_id = stream.last_id
    one.take(record_of("IBM", 21), record_of("AAPL", 21))
    with reading(one, last_event_id=last_id) as again:
        one.take(record_of("IBM", 22))
        missed = again.messages("bar", 2)
        if len(missed) < 3:
            missed += again.messages("bar", 1)
        assert bars_of(missed) == [("IBM", 21, "final"), ("AAPL", 21, "final"), ("IBM", 22, "final")]
        assert all(later == earlier + 1 for earlier, later in pairwise(each["msg_seq"] for each in (seen, *missed)))
        assert again.last_id.rpartition(":")[0] == last_id.rpartition(":")[0]


def test_what_cannot_be_resumed_is_said_and_subscribed_anew(one: Served) -> None:
    for revision, last_id in enumerate(("t1-999-x:5", "nonsense"), 1):
        with reading(one, last_event_id=last_id) as stream:
            errors = [message for message in stream.event().messages if message["T"] == "error"]
            assert [error["code"] for error in errors] == (["resume_refused"] if ":" in last_id else [])
            one.take(record_of("IBM", 30, revision=revision))
            assert bars_of(stream.messages("bar", 1)) == [("IBM", 30, "revised")]


def test_snapshots_that_are_too_large_are_refused_before_the_stream_begins(one: Served) -> None:
    refused = one.get(f"{STREAM}&snapshot=5001")
    assert (refused.status, refused.code, refused.json["parameter"]) == (400, "bad_snapshot", "snapshot")
    with reading(one, f"{STREAM}&snapshot=5000") as stream:
        assert len(stream.messages("snapshot", 2)) == 2


def test_one_stream_too_many_is_told_when_to_come_again(tmp_path: Path) -> None:
    with served(tmp_path, limits=Limits(max_connections=1)) as small, reading(small):
        refused = small.get(STREAM)
        assert (refused.status, refused.code) == (429, "too_many_connections")
        assert int(refused.headers["Retry-After"]) > 0


def test_a_stream_that_is_not_read_is_cut_and_others_are_not(tmp_path: Path) -> None:
    limits = Limits(slow_after_s=0.2, outbox_events=500)
    with served(tmp_path, limits=limits) as small, reading(small) as healthy, reading(small) as stalled:
        healthy.event(), stalled.event()
        bar, until_s = 0, time.monotonic() + TIMEOUT_S
        while small.hub.open_connections == 2 and not small.hub.metrics.cuts:
            assert time.monotonic() < until_s
            small.take(*(record_of("IBM", bar + more, padding="x" * 4_000) for more in range(50)))
            assert len(bars_of(healthy.messages("bar", 50))) == 50
            bar += 50
            small.call(small.hub.beat)
        assert small.hub.metrics.cuts == {"slow_client": 1}
        small.take(record_of("IBM", bar))
        assert bars_of(healthy.messages("bar", 1)) == [("IBM", bar, "final")]


def test_what_nobody_foresaw_breaks_one_stream_off_and_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise RuntimeError("next_frame is broken")

    with served(tmp_path) as running, reading(running) as broken:
        broken.event()
        running.call(lambda: [setattr(each, "next_frame", fail) for each in running.hub._connections])
        with reading(running) as healthy:
            healthy.event()
            running.take(record_of("IBM", 1))
            assert bars_of(healthy.messages("bar", 1)) == [("IBM", 1, "final")]
        with pytest.raises(ConnectionError):
            broken.event()
    assert "next_frame is broken" in caplog.text


def test_at_the_end_streams_are_told_when_to_come_again(tmp_path: Path) -> None:
    with served(tmp_path) as ending, reading(ending) as stream:
        stream.event()
        ending.call(ending.hub.stop)
        (bye,) = stream.messages("bye", 1)
        assert bye["retry_ms"] > 0
        assert stream.response.read() == b""
