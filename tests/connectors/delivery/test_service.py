"""A delivery as a whole, without Kafka: what its clients find before anything has come in, and when its topic was made anew."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import structlog

from connectors.clients import KafkaConnection
from connectors.delivery.access.access import Access, AccessSettings
from connectors.delivery.intake.status import IntakeStatus, State, Trouble
from connectors.delivery.live.limits import Limits
from connectors.delivery.service import Delivery
from connectors.delivery.settings import DeliverySettings
from connectors.delivery.store.store import Store
from tests.connectors.delivery.live.talk import DAY_MS, Talker, Time, brief, forming, record

SETTINGS = DeliverySettings("d1", "1.2.3", Path("x"), 100, Path("y"), (), (), 0, Limits())
DEGRADED = IntakeStatus(State.DEGRADED, Trouble.KAFKA_UNREACHABLE, "gone", False, None, 0, 0, 0, None)


@asynccontextmanager
async def delivery_with(file: Path, *symbols: str) -> AsyncIterator[Delivery]:
    """A delivery that was here before: it has two bars of each of these symbols."""
    store = Store(file, 100)
    store.apply([record(symbol, minute, offset=minute) for symbol in symbols for minute in (7, 8)], {0: 9})
    store.close()
    loop = asyncio.get_running_loop()
    access = Access(None, AccessSettings(cookie="d1"), loop.time)
    log = structlog.wrap_logger(logging.getLogger(__name__))
    settings = replace(SETTINGS, store=file)
    delivery = Delivery(settings, KafkaConnection("127.0.0.1:1", {}, ""), access, lambda: None, loop, lambda: DAY_MS, log)
    try:
        yield delivery
    finally:
        delivery.close()


def test_before_anything_has_come_in_a_star_has_a_snapshot_of_all_that_the_store_has(tmp_path: Path) -> None:
    async def run() -> None:
        async with delivery_with(tmp_path / "store.sqlite", "A", "B") as delivery:
            talker = Talker(delivery.hub, Time())
            (_, ack) = talker.subscribe("*", snapshot=5)
            assert ack["snapshots"] == 2
            async with asyncio.timeout(10):
                while len(talker.heard) < 4:
                    await asyncio.sleep(0.005)
                    talker.listen()
            assert [(each["stock_id"], len(each["bars"])) for each in talker.heard[2:]] == [("A", 2), ("B", 2)]
            delivery.hub.take_forming([forming("A", minute=8, second=59)])
            assert talker.listen() == [], "it has a final"

    asyncio.run(run())


def test_before_anything_has_come_in_a_revision_of_an_old_bar_is_not_taken_for_the_newest(tmp_path: Path) -> None:
    async def run() -> None:
        async with delivery_with(tmp_path / "store.sqlite", "A") as delivery:
            talker = Talker(delivery.hub, Time())
            assert brief(talker.subscribe("A", mode="latest")) == [("A", 8, "final", 0)]
            delivery.hub.take_results([record("A", 7, "revised", revision=1, offset=9)])
            assert talker.listen() == []

    asyncio.run(run())


def test_when_the_store_had_to_be_emptied_clients_are_sent_away_whatever_else_is_the_matter(tmp_path: Path) -> None:
    async def run() -> None:
        async with delivery_with(tmp_path / "store.sqlite", "A") as delivery:
            talker = Talker(delivery.hub, Time())
            talker.subscribe("A")
            delivery.hear(DEGRADED)
            assert talker.listen()[-1] == {"T": "status", "state": "degraded", "reason": "kafka_unreachable"}
            delivery.hear(replace(DEGRADED, emptied=1))
            assert talker.listen()[-1]["code"] == "restart"
            again = Talker(delivery.hub, Time())
            again.subscribe("A")
            delivery.hear(replace(DEGRADED, state=State.CATCHING_UP, reason=None, emptied=1))
            delivery.hub.take_forming([forming("A", minute=0)])
            assert brief(again.listen()) == [("A", 0, "forming", 0)]
            assert again.connection.ending is None

    asyncio.run(run())
