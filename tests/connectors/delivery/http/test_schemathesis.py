"""What OpenAPI says is what the real application does: requests made up from the document, right ones and wrong ones."""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
import structlog
from aiohttp import web
from hypothesis import HealthCheck, assume, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from connectors.clients import KafkaConnection
from connectors.delivery.access.access import Access, AccessSettings
from connectors.delivery.application import application
from connectors.delivery.http.openapi import openapi_document
from connectors.delivery.http.operations import OPERATIONS
from connectors.delivery.http.parameters import SYMBOL_SCHEMA, Offer
from connectors.delivery.http.request_query import LONGEST_LINE
from connectors.delivery.live.limits import Limits
from connectors.delivery.service import Delivery
from connectors.delivery.settings import DeliverySettings
from connectors.delivery.udf import routes as udf
from tests.conftest import PROFILE, Figures
from tests.connectors.delivery.http.served import FRAMES, INDICATORS, LATENESS_MS, NOW_MS, TIMEOUT_S
from tests.connectors.delivery.store.records import record_of

CASES, FEWEST = (800, 10_000) if PROFILE == "long" else (20, 200)
"""Right requests made up for each operation, and as many wrong ones; and how many there are at least in all."""
SYMBOLS = ("IBM", "AAPL", "BRK.B")
NAMES = {"type": "string", "enum": [*SYMBOLS, "IBM#RSI", "IBM#MACD.signal", "ZZZ"]}
"""Mostly names of what is there: made up ones would find no bars."""


def with_known_names(part: Any) -> Any:
    """The document with `NAMES` in the place of every name of a symbol."""
    if isinstance(part, list):
        return [with_known_names(each) for each in part]
    if not isinstance(part, dict):
        return part
    return NAMES if part in (SYMBOL_SCHEMA, udf.NAME_SCHEMA) else {name: with_known_names(each) for name, each in part.items()}


document = openapi_document("0.0", Offer(FRAMES, INDICATORS, 1_024), with_keys=False)
api = schemathesis.openapi.from_dict(with_known_names(document))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]


def is_short(case: schemathesis.Case, address: str) -> bool:
    """Whether the request line is not so long that it is refused unread, in words of aiohttp's own."""
    url = requests.Request(**case.as_transport_kwargs(base_url=address)).prepare().url
    return url is not None and len(url) < LONGEST_LINE


def asked() -> Iterator[tuple[str, GenerationMode]]:
    """Operations that end, and that may be asked wrongly; `/readyz` is rightly not ready here."""
    for operation in OPERATIONS:
        if operation.name not in ("stream", "readyz"):
            yield operation.name, GenerationMode.POSITIVE
            if operation.parameters:
                yield operation.name, GenerationMode.NEGATIVE


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The whole application, but that nobody reads any topic."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[Delivery, web.AppRunner]:
        about = DeliverySettings(
            name="t1",
            version="0.0",
            store=tmp_path_factory.mktemp("delivery") / "store.sqlite",
            bars_kept=100,
            assets=Path("nowhere"),
            frames=FRAMES,
            indicators=INDICATORS,
            allowed_lateness_ms=LATENESS_MS,
            limits=Limits(),
        )
        access = Access(None, AccessSettings(cookie="t1"), loop.time)
        log = structlog.wrap_logger(logging.getLogger(__name__))
        delivery = Delivery(about, KafkaConnection("127.0.0.1:1", {}, ""), access, lambda: None, loop, lambda: NOW_MS, log)
        delivery.store.apply([record_of(symbol, bar) for symbol in SYMBOLS for bar in range(50)], {0: 1})
        runner = web.AppRunner(
            application(delivery, log), access_log=None, handler_cancellation=True, shutdown_timeout=1, max_line_size=LONGEST_LINE
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return delivery, runner

    delivery, runner = asyncio.run_coroutine_threadsafe(start(), loop).result(TIMEOUT_S)
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(TIMEOUT_S)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(TIMEOUT_S)
    delivery.close()
    loop.close()


@pytest.mark.timeout(3_600)
def test_every_answer_is_as_described(address: str, session: requests.Session, figures: Figures) -> None:
    requests_made: Counter[str] = Counter()
    for operation_id, mode in asked():
        ask(operation_id, mode, address, session, requests_made)
    total = requests_made.total()
    figures(f"schemathesis: {total:,} requests of {len(requests_made)} operations, none answered with 5xx")
    assert total >= FEWEST


def ask(operation_id: str, mode: GenerationMode, address: str, session: requests.Session, made: Counter[str]) -> None:
    @settings(max_examples=CASES, suppress_health_check=[*HealthCheck], deadline=None)
    @given(api.find_operation_by_id(operation_id).as_strategy(mode))
    def check(case: schemathesis.Case) -> None:
        assume(is_short(case, address))
        made[operation_id] += 1
        case.call_and_validate(base_url=address, session=session, checks=CHECKS)

    check()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
def test_a_stream_begins_or_says_why_not(mode: GenerationMode, address: str) -> None:
    @settings(max_examples=CASES // 2, suppress_health_check=[*HealthCheck], deadline=None)
    @given(api.find_operation_by_id("stream").as_strategy(mode))
    def ask(case: schemathesis.Case) -> None:
        assume(is_short(case, address))
        with requests.request(**case.as_transport_kwargs(base_url=address), stream=True, timeout=TIMEOUT_S) as response:
            kinds = {200: "text/event-stream", 400: "application/problem+json"}
            assert response.headers["Content-Type"] == kinds[response.status_code]

    ask()
