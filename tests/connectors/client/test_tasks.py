"""Ending a task, while somebody may want to end us."""

import asyncio

import pytest

from connectors.client.tasks import cancel


async def ends_late() -> None:
    try:
        await asyncio.Event().wait()
    finally:
        for _ in range(3):
            await asyncio.sleep(0)


def test_a_task_has_ended_when_it_was_cancelled() -> None:
    async def end_it() -> bool:
        task = asyncio.create_task(ends_late())
        await asyncio.sleep(0)
        await cancel(task)
        return task.cancelled()

    assert asyncio.run(end_it())


def test_who_is_cancelled_while_it_cancels_another_is_cancelled() -> None:
    async def goes_on() -> None:
        for _ in range(100):
            task = asyncio.create_task(ends_late())
            await asyncio.sleep(0)
            await cancel(task)

    async def stop_it() -> bool:
        running = asyncio.create_task(goes_on())
        for _ in range(3):  # now it waits for its own task's end
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])
        return running.cancelled()

    assert asyncio.run(stop_it())


def test_what_a_task_has_failed_with_is_raised() -> None:
    async def fails() -> None:
        raise ValueError("why")

    async def end_it() -> None:
        task = asyncio.create_task(fails())
        await asyncio.sleep(0)
        await cancel(task)

    with pytest.raises(ValueError, match="why"):
        asyncio.run(end_it())
