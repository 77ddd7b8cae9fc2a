"""What a delivery shows of the pipeline: dead letters, services and the job, as threads in the background saw them last."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from kafka import KafkaProducer

from connectors.clients import KafkaConnection
from connectors.codec import DeadLetter, encode_dead_letter
from connectors.consumer import Record
from connectors.delivery.pipeline.answers import Checkpoints, JobAnswer
from connectors.delivery.pipeline.dead_letter_book import SHOWN_BYTES, DeadLetterBook
from connectors.delivery.pipeline.followed_topics import letter_pages
from connectors.delivery.pipeline.follower import Follower
from connectors.delivery.pipeline.pipeline import Pipeline, pipeline_routes
from connectors.errors import BadQuery
from connectors.registry import Registration
from connectors.replay_notes import encode_replay_note
from connectors.topics import Topics
from tests.conftest import TestBroker
from tests.connectors.kafka_fixtures import connection_with_topics
from udfs.model import Reason

PREFIX = "delivery-pipeline."
LOG = structlog.get_logger()


def letter(reason: Reason, received_ms: int, original: bytes = b"{}", **more: Any) -> DeadLetter:
    return DeadLetter(reason=reason, detail="why", stage="gateway", received_ms=received_ms, original=original, connection="g1-1", **more)


def record(offset: int, value: bytes | None, partition: int = 0) -> Record:
    return Record(partition, offset, 0, None, value)


def book(*values: bytes | None, kept: int = 5_000) -> DeadLetterBook:
    made = DeadLetterBook(kept)
    made.update(record(offset, value) for offset, value in enumerate(values))
    return made


def until(true: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


# Dead letters ------------------------------------------------------------------------------------------------------


def test_dead_letters_are_counted_by_reason_and_the_newest_come_first() -> None:
    reasons = (Reason.BAD_JSON, Reason.BAD_PRICE, Reason.BAD_JSON, Reason.BAD_JSON)
    page = book(*(encode_dead_letter(letter(reason, 1_000 + at)) for at, reason in enumerate(reasons))).page()
    assert page.counts() == {"bad_json": 3, "bad_price": 1}
    assert [each.id for each in page.newest(None, 3)] == ["0:3", "0:2", "0:1"]
    assert [each.id for each in page.newest("bad_json", 9)] == ["0:3", "0:2", "0:0"]


def test_only_the_newest_are_kept_and_counted_and_of_a_line_only_its_beginning() -> None:
    made = book(*(encode_dead_letter(letter(Reason.TOO_LONG, at, b"x" * 300_000)) for at in range(5)), kept=2)
    (newest, before) = made.page().newest(None, 9)
    assert (newest.id, before.id) == ("0:4", "0:3")
    assert made.page().counts() == {"too_long": 2}
    assert (len(newest.letter.original), newest.size) == (SHOWN_BYTES, 300_000)


def test_the_newest_by_their_time_are_kept_whatever_order_the_partitions_are_read_in() -> None:
    made = DeadLetterBook(kept=3)
    read = [(0, 0, 70), (0, 1, 80), (0, 2, 90), (1, 0, 10), (1, 1, 85), (1, 2, 20)]
    for partition, offset, received_ms in read:
        made.update([record(offset, encode_dead_letter(letter(Reason.BAD_JSON, received_ms)), partition)])
    assert [each.id for each in made.page().newest(None, 9)] == ["0:2", "1:1", "0:1"]
    assert made.page().counts() == {"bad_json": 3}


def test_records_are_taken_as_they_come_and_never_lie_together_in_memory() -> None:
    made = DeadLetterBook(kept=5)
    batches = [[record(10 * batch + at, encode_dead_letter(letter(Reason.TOO_LONG, batch))) for at in range(10)] for batch in range(3)]

    class Reader:
        """Gives a batch at a time, the next one when the one before is taken."""

        at_end = False

        def read(self, timeout_s: float) -> list[Record]:
            given = 3 - len(batches)
            assert {each.letter.received_ms for each in made.page().letters} == ({given - 1} if given else set())
            self.at_end = len(batches) <= 1
            return batches.pop(0) if batches else []

    pages = letter_pages(Reader(), made)  # type: ignore[arg-type] # what a TopicReader has that is used
    assert next(pages).counts() == {"too_long": 5}
    assert next(pages) is next(pages), "nothing new"


def test_what_is_no_dead_letter_is_passed_over_and_a_note_says_which_were_sent_again() -> None:
    page = book(encode_dead_letter(letter(Reason.BAD_JSON, 1)), None, b"{", b"\xff", encode_replay_note(["0:0"], 2)).page()
    assert (page.counts().total(), page.replayed) == (1, {"0:0"})


# Following ---------------------------------------------------------------------------------------------------------


def test_a_follower_keeps_what_it_saw_last_and_begins_anew_after_an_error() -> None:
    begun, closed, go_on = [], [], threading.Semaphore(0)

    def follow() -> Iterator[int]:
        begun.append(len(begun))
        try:
            for step in range(3):
                go_on.acquire()
                yield 10 * len(begun) + step
            raise OSError("gone")
        finally:
            closed.append(begun[-1])

    follower = Follower("test", follow, -1, LOG, interval_s=0.001)
    assert follower.newest == -1
    follower.start()
    for expected in (10, 11, 12):
        go_on.release()
        until(lambda expected=expected: follower.newest == expected)
    until(lambda: closed == [0])
    assert follower.newest == 12, "what was seen stands"
    go_on.release()
    until(lambda: follower.newest == 20)
    go_on.release(9)
    follower.stop()
    assert begun[:2] == [0, 1]


# Over HTTP ---------------------------------------------------------------------------------------------------------

JOB = JobAnswer(
    name="default",
    state="RUNNING",
    uptime_ms=1_000,
    restarts=0,
    parallelism=2,
    checkpoints=Checkpoints(completed=3, failed=0, last_ms=5, last_size=7, last_duration_ms=9),
    watermark_lag_ms=1_200,
    pending_records=0,
    ticks_per_s=None,
)


def ask(pipeline: Pipeline, path: str) -> tuple[int, dict[str, Any]]:
    """What the route of `path` answers."""
    route = {route.path: route for route in pipeline_routes(pipeline, status=lambda: pytest.fail("nobody asked for it"))}[
        path.partition("?")[0]
    ]
    answer = asyncio.run(route.handler(make_mocked_request("GET", path)))  # type: ignore[arg-type]
    assert isinstance(answer, web.Response)
    assert isinstance(answer.body, bytes)
    return answer.status, json.loads(answer.body)


@pytest.mark.parametrize("query", ["reason=because", "limit=0", "limit=1001", "limit=1.5", "limit=", "other=1"])
def test_a_query_for_dead_letters_that_cannot_be_taken_is_refused(query: str) -> None:
    pipeline = Pipeline(KafkaConnection("127.0.0.1:1"), lambda: None, lambda: 0, LOG)
    with pytest.raises(BadQuery):
        ask(pipeline, f"/v1/dead-letters?{query}")


def test_before_anything_was_seen_all_is_empty_and_nothing_waits() -> None:
    pipeline = Pipeline(KafkaConnection("127.0.0.1:1"), lambda: None, lambda: 0, LOG)
    assert ask(pipeline, "/v1/services") == (200, {"services": []})
    assert ask(pipeline, "/v1/dead-letters") == (200, {"total": 0, "by_reason": {}, "dead_letters": []})
    assert pipeline.job is None


def test_services_dead_letters_and_job_are_followed(broker: TestBroker) -> None:
    connection = connection_with_topics(broker, PREFIX)
    topic = Topics.of(connection).dead_letters
    clock_ms = 1_000_000
    entry = Registration(connection, "gateway", "g1", "127.0.0.1:9999", "0.1.0", clock_ms)
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)

    def publish(value: bytes) -> None:
        producer.send(topic, value).get(20)

    publish(encode_dead_letter(letter(Reason.BAD_JSON, clock_ms, b'{"price": <script>\x00\xff')))
    entry.say(clock_ms, {"connections": 3})
    pipeline = Pipeline(connection, lambda: JOB, lambda: clock_ms, LOG)
    pipeline.start()
    try:
        until(lambda: pipeline.job == JOB)
        until(lambda: len(ask(pipeline, "/v1/services")[1]["services"]) == 1)
        until(lambda: ask(pipeline, "/v1/dead-letters")[1]["total"] == 1)
        (service,) = ask(pipeline, "/v1/services")[1]["services"]
        assert service == {
            "service": "gateway", "instance": "g1", "address": "127.0.0.1:9999", "version": "0.1.0",
            "started_ms": clock_ms, "seen_ms": clock_ms, "silent": False, "load": {"connections": 3},
        }  # fmt: skip
        (shown,) = ask(pipeline, "/v1/dead-letters?reason=bad_json&limit=1")[1]["dead_letters"]
        assert shown["original_text"] == '{"price": <script>\\x00\\xff'
        assert (shown["original_size"], shown["origin"], shown["replayed"]) == (20, "client g1-1 line None", False)
        publish(encode_dead_letter(letter(Reason.BAD_PRICE, clock_ms + 1)))
        publish(encode_replay_note([shown["id"]], clock_ms))
        entry.leave()
        until(lambda: ask(pipeline, "/v1/dead-letters")[1]["by_reason"] == {"bad_json": 1, "bad_price": 1})
        until(lambda: ask(pipeline, "/v1/services")[1] == {"services": []})
        until(lambda: [each["replayed"] for each in ask(pipeline, "/v1/dead-letters")[1]["dead_letters"]] == [False, True])
        assert ask(pipeline, "/v1/dead-letters?reason=poison")[1]["dead_letters"] == []
    finally:
        pipeline.stop()
        producer.close()
