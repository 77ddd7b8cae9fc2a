"""`/v1/status`, `/v1/services`, `/v1/dead-letters`: how the pipeline stands, as threads in the background have seen it last."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from aiohttp import web

from connectors.clients import KafkaConnection
from connectors.delivery.http.parameters import NOTHING_OFFERED, parse_query
from connectors.delivery.http.request_query import query_pairs
from connectors.delivery.pipeline.answers import (
    DeadLetterAnswer,
    DeadLettersAnswer,
    JobAnswer,
    ServiceAnswer,
    ServicesAnswer,
    StatusAnswer,
)
from connectors.delivery.pipeline.dead_letter_book import KeptLetter, LetterPage
from connectors.delivery.pipeline.dead_letters_query import DEAD_LETTERS_PARAMETERS
from connectors.delivery.pipeline.followed_topics import follow_dead_letters, follow_services
from connectors.delivery.pipeline.follower import Follower
from connectors.registry import Service
from connectors.safe_text import safe_text

ReadJob = Callable[[], JobAnswer | None]
"""Asks Flink for the job; may take its time. None when it does not answer, or knows no such job."""
JOB_INTERVAL_S = 5.0
_encode = msgspec.json.Encoder().encode
_NEVER_KEPT = {"Cache-Control": "no-store"}


class Pipeline:
    """Follows the job, the registry and the dead letters, from `start` to `stop`."""

    def __init__(self, connection: KafkaConnection, read_job: ReadJob, now_ms: Callable[[], int], log: Any) -> None:
        self._now_ms = now_ms
        self._services: Follower[tuple[Service, ...]] = Follower("services", lambda: follow_services(connection), (), log)
        self._letters: Follower[LetterPage] = Follower("dead-letters", lambda: follow_dead_letters(connection), LetterPage(), log)
        self._job: Follower[JobAnswer | None] = Follower("job", lambda: _again_and_again(read_job), None, log, interval_s=JOB_INTERVAL_S)

    def start(self) -> None:
        """Begin to follow."""
        for follower in (self._services, self._letters, self._job):
            follower.start()

    def stop(self) -> None:
        """Follow no more."""
        for follower in (self._services, self._letters, self._job):
            follower.stop()

    @property
    def job(self) -> JobAnswer | None:
        """The job as it was seen last."""
        return self._job.newest

    def services(self) -> ServicesAnswer:
        """Every service that has not taken itself out."""
        now_ms = self._now_ms()
        return ServicesAnswer(services=[_service(each, now_ms) for each in self._services.newest])

    def dead_letters(self, reason: str | None, limit: int) -> DeadLettersAnswer:
        """The newest `limit` dead letters of a reason (None: of any); counted are all that are kept."""
        page = self._letters.newest
        counts = page.counts()
        shown = [_letter(each, each.id in page.replayed) for each in page.newest(reason, limit)]
        return DeadLettersAnswer(total=counts.total(), by_reason=dict(counts.most_common()), dead_letters=shown)


def pipeline_routes(pipeline: Pipeline, status: Callable[[], StatusAnswer]) -> list[web.RouteDef]:
    """The routes; what they answer lies ready."""

    async def get_status(request: web.Request) -> web.Response:
        parse_query(query_pairs(request), (), NOTHING_OFFERED)
        return _answer(status())

    async def get_services(request: web.Request) -> web.Response:
        parse_query(query_pairs(request), (), NOTHING_OFFERED)
        return _answer(pipeline.services())

    async def get_dead_letters(request: web.Request) -> web.Response:
        return _answer(pipeline.dead_letters(**parse_query(query_pairs(request), DEAD_LETTERS_PARAMETERS, NOTHING_OFFERED)))

    return [
        web.get("/v1/status", get_status),
        web.get("/v1/services", get_services),
        web.get("/v1/dead-letters", get_dead_letters),
    ]


def _again_and_again(read: ReadJob) -> Iterator[JobAnswer | None]:
    while True:
        yield read()


def _service(service: Service, now_ms: int) -> ServiceAnswer:
    return ServiceAnswer(**msgspec.structs.asdict(service), silent=service.is_silent(now_ms))


def _letter(kept: KeptLetter, replayed: bool) -> DeadLetterAnswer:
    letter = kept.letter
    return DeadLetterAnswer(
        id=kept.id,
        reason=letter.reason,
        detail=letter.detail,
        stage=letter.stage,
        received_ms=letter.received_ms,
        origin=letter.origin,
        replayed=replayed,
        original_text=safe_text(letter.original),
        original_size=kept.size,
    )


def _answer(said: Any) -> web.Response:
    return web.Response(body=_encode(said), content_type="application/json", headers=_NEVER_KEPT)
