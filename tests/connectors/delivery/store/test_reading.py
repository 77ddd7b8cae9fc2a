import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.delivery.store.reading import Reading
from connectors.delivery.store.store import Store
from connectors.errors import TooBusy
from tests.connectors.delivery.http.served import served
from tests.connectors.delivery.store.records import record_of


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.sqlite", 10)
    store.apply([record_of("IBM", 0)], {0: 1})
    yield store
    store.close()


def test_a_thread_opens_one_reader_and_keeps_it(store: Store) -> None:
    opened = []
    reading = Reading(lambda: opened.append(store.reader()) or opened[-1], threads=1)  # type: ignore[func-returns-value]

    async def ask() -> list[int]:
        return [len((await reading.ask(lambda reader: reader.symbols()))[0]) for _ in range(3)]

    assert asyncio.run(ask()) == [1, 1, 1]
    reading.close()
    assert len(opened) == 1


def test_more_questions_than_may_wait_are_refused_unless_they_are_urgent(store: Store) -> None:
    reading, free = Reading(store.reader, threads=1, max_waiting=2), threading.Event()

    async def ask() -> None:
        waiting = [asyncio.ensure_future(reading.ask(lambda _: free.wait())) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(TooBusy):
            await reading.ask(lambda reader: reader.size())
        urgent = asyncio.ensure_future(reading.ask(lambda reader: reader.size().bars, urgent=True))
        await asyncio.sleep(0)
        free.set()
        assert await urgent == 1
        assert await asyncio.gather(*waiting) == [True, True]
        assert (await reading.ask(lambda reader: reader.size())).bars == 1

    asyncio.run(ask())
    reading.close()


def test_a_client_is_told_when_to_ask_again(tmp_path: Path) -> None:
    with served(tmp_path, max_waiting=0) as busy:
        for path in ("/v1/bars?symbols=IBM&time_frame=1min", "/v1/symbols", "/udf/symbols?symbol=IBM"):
            refused = busy.get(path)
            assert (refused.status, refused.code, refused.headers["Retry-After"]) == (429, "too_many_requests", "1")


def test_a_store_that_cannot_be_read_is_503(tmp_path: Path) -> None:
    with served(tmp_path) as broken:
        (tmp_path / "store.sqlite").unlink()
        refused = broken.get("/v1/symbols")
        assert (refused.status, refused.code, refused.headers["Retry-After"]) == (503, "store_unusable", "1")
