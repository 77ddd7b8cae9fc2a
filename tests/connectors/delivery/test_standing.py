"""How a delivery stands, by what its parts say."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.delivery.intake.status import IntakeStatus, State, Trouble
from connectors.delivery.live.hub import Clock, Hub
from connectors.delivery.live.limits import Limits
from connectors.delivery.metrics import GAUGES, TAKEN, Metrics
from connectors.delivery.settings import DeliverySettings
from connectors.delivery.standing import Standing
from connectors.delivery.store.reader import StoreSize
from tests.connectors.delivery.live.talk import no_snapshots

SETTINGS = DeliverySettings("d1", "1.2.3", Path("x"), 100, Path("y"), (), (), 0, Limits())
OK = IntakeStatus(State.OK, None, "", True, 0, 700, 30, 1, 1_795_348_620_000)
CATCHING_UP = IntakeStatus(State.CATCHING_UP, None, "", False, 300, 700, 30, 1, None)
AWAY = IntakeStatus(State.DEGRADED, Trouble.KAFKA_UNREACHABLE, "cannot reach Kafka at k:1", True, None, 700, 30, 1, None)


class Rows:
    """A store of 12 bars."""

    async def ask(self, question: Callable[[Any], Any], *, urgent: bool) -> StoreSize:
        return StoreSize(2, 3, 12, 4_096, None)


def standing(intake: Callable[[], IntakeStatus], now_ms: Callable[[], int] = lambda: 5_000) -> Standing:
    hub = Hub("d1", Limits(), no_snapshots, Clock(lambda: 0.0, now_ms), Metrics())
    return Standing(SETTINGS, hub, intake, lambda: None, Rows(), now_ms, needs_key=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("intake", "why"),
    [
        (OK, []),
        (CATCHING_UP, ["catching up, 300 records behind"]),
        (AWAY, []),
        (
            IntakeStatus(State.DEGRADED, Trouble.KAFKA_UNREACHABLE, "cannot reach Kafka at k:1", False, None, 0, 0, 0, None),
            ["catching up", "kafka_unreachable: cannot reach Kafka at k:1"],
        ),
        (IntakeStatus(State.FAILED, Trouble.STORE_FAILED, "damaged", True, 0, 0, 0, 0, None), ["failed: damaged"]),
    ],
)
def test_it_is_ready_once_it_has_caught_up_and_stays_so_while_kafka_is_away(intake: IntakeStatus, why: list[str]) -> None:
    stands = standing(lambda: intake)
    assert stands.why_not_ready() == why
    assert stands.status().ready is (not why)
    stands.stopping = True
    assert stands.why_not_ready() == ["stopping"]


def test_the_status_says_what_is_wrong_and_since_when_it_is_there() -> None:
    now_ms = iter(range(5_000, 9_000, 1_000)).__next__
    status = standing(lambda: AWAY, now_ms).status()
    assert (status.name, status.version, status.started_ms, status.now_ms, status.auth) == ("d1", "1.2.3", 5_000, 6_000, "keys")
    assert (status.kafka, status.trouble, status.behind_records, status.job) == ("unreachable", "kafka_unreachable", None, None)
    assert standing(lambda: OK).status().newest_end_ms == OK.newest_end_ms


@pytest.mark.parametrize("trouble", [each for each in Trouble if each is not Trouble.KAFKA_UNREACHABLE])
def test_what_else_goes_wrong_is_not_put_down_to_kafka(trouble: Trouble) -> None:
    stands = standing(lambda: IntakeStatus(State.DEGRADED, trouble, "disk full", True, None, 700, 30, 1, None))
    assert (stands.status().kafka, stands.status().trouble) == ("ok", trouble.value)
    assert (stands.gauges()["kafka_reachable"], stands.gauges()["degraded"]) == (1, 1)


def test_there_is_a_value_for_every_metric() -> None:
    stands = standing(lambda: CATCHING_UP)
    asyncio.run(briefly(stands.keep_size()))
    assert stands.taken().keys() == TAKEN.keys()
    gauges = stands.gauges()
    assert gauges.keys() == GAUGES.keys()
    assert (gauges["behind_records"], gauges["caught_up"], gauges["kafka_reachable"], gauges["store_rows"]) == (300, 0, 1, 12)
    away = standing(lambda: AWAY).gauges()
    assert (gauges["degraded"], away["kafka_reachable"], away["degraded"]) == (0, 0, 1)


def test_rates_are_over_the_last_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.delivery.standing.COUNT_S", 0.0)
    clock, taken = [0], [0]

    def now_ms() -> int:
        clock[0] += 1_000
        return clock[0]

    def intake() -> IntakeStatus:
        taken[0] += 50
        return IntakeStatus(State.OK, None, "", True, 0, taken[0], 2 * taken[0], 0, None)

    stands = standing(intake, now_ms)
    asyncio.run(briefly(stands.keep_count()))
    assert stands.load(0) == {"connections": 0, "results_per_second": 50.0, "forming_per_second": 100.0}


async def briefly(chore: Awaitable[None]) -> None:
    """Let a chore have a few turns."""
    task = asyncio.ensure_future(chore)
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
