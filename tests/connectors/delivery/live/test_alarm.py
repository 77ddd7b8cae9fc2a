"""The alarm of a client's writing task, in the loop that the product runs in and in the one that Python has."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from connectors.delivery.live.alarm import Alarm

LOOPS = {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
TIMEOUT_S = 5.0
NEAR_S = 0.0004
"""Less than uvloop's clock can tell from now."""


Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Run:
    def run(coroutine: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            runner.run(asyncio.wait_for(coroutine, TIMEOUT_S))

    return run


def test_it_may_be_set_again_while_it_is_about_to_ring(run: Run) -> None:
    async def about_to_ring() -> None:
        loop = asyncio.get_running_loop()
        alarm = Alarm(loop)
        for later_s in (NEAR_S, NEAR_S / 2, NEAR_S * 2, 60.0):
            alarm.wake(loop.time() + later_s)
        await alarm.rung()

    run(about_to_ring())


def test_it_rings_at_the_earliest_of_its_times_and_once(run: Run) -> None:
    async def earliest() -> None:
        loop = asyncio.get_running_loop()
        alarm = Alarm(loop)
        begun_s = loop.time()
        for later_s in (60.0, 0.05, 0.1, 30.0):
            alarm.wake(begun_s + later_s)
        await alarm.rung()
        assert 0.045 < loop.time() - begun_s < 30
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(alarm.rung(), 0.1)
        alarm.wake(loop.time() - 1)
        await alarm.rung()

    run(earliest())


def test_stopped_it_does_not_ring_and_can_be_set_again(run: Run) -> None:
    async def stopped() -> None:
        loop = asyncio.get_running_loop()
        alarm = Alarm(loop)
        alarm.wake(loop.time() + 0.02)
        alarm.stop()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(alarm.rung(), 0.1)
        alarm.wake(loop.time() + 0.02)
        await alarm.rung()

    run(stopped())
