import asyncio
import threading

from connectors.delivery.intake.handover import Handover
from tests.connectors.gateway.running import wait_until


def in_thread(handover: Handover[int], count: int) -> tuple[threading.Thread, list[int]]:
    """A thread that hands over some numbers, each a batch, and those it has got rid of."""
    handed: list[int] = []

    def hand_over() -> None:
        for number in range(count):
            handover([number])
            handed.append(number)

    thread = threading.Thread(target=hand_over)
    thread.start()
    return thread, handed


def test_batches_come_in_order_and_only_a_few_wait_in_the_loop() -> None:
    async def run() -> list[int]:
        taken: list[int] = []
        handover = Handover(asyncio.get_running_loop(), taken.extend, at_once=3)
        thread, handed = in_thread(handover, 50)
        wait_until(lambda: len(handed) == 3)  # the loop is blocked: it takes nothing
        assert (len(handed), taken) == (3, [])
        while len(taken) < 50:
            await asyncio.sleep(0)
            assert len(handed) <= len(taken) + 3
        thread.join()
        return taken

    assert asyncio.run(run()) == list(range(50))


def test_nobody_waits_for_a_loop_that_takes_nothing_any_more() -> None:
    async def run() -> list[int]:
        taken: list[int] = []
        handover = Handover(asyncio.get_running_loop(), taken.extend, at_once=2)
        thread, handed = in_thread(handover, 5)
        wait_until(lambda: len(handed) == 2)
        handover.close()
        await asyncio.to_thread(thread.join, 10)
        assert not thread.is_alive()
        return taken

    assert asyncio.run(run()) == []


def test_a_batch_that_the_loop_chokes_on_leaves_its_room() -> None:
    async def run() -> None:
        taken: list[int] = []

        def take(numbers: list[int]) -> None:
            taken.extend(numbers)
            raise ValueError

        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        thread, _ = in_thread(Handover(asyncio.get_running_loop(), take, at_once=1), 5)
        await asyncio.to_thread(thread.join, 10)
        await asyncio.sleep(0)
        assert taken == list(range(5))

    asyncio.run(run())


def test_a_large_batch_comes_in_slices_and_between_two_of_them_others_have_their_turn() -> None:
    async def run() -> None:
        taken: list[list[int]] = []
        turns: list[int] = []
        handover = Handover(asyncio.get_running_loop(), taken.append, slice_size=100)
        thread = threading.Thread(target=handover, args=(list(range(1_050)),))
        thread.start()
        while len(taken) < 11:
            turns.append(len(taken))
            await asyncio.sleep(0)
        thread.join()
        assert [number for each in taken for number in each] == list(range(1_050))
        assert [len(each) for each in taken] == [100] * 10 + [50]
        assert set(turns) == set(range(11)), "a turn after each"

    asyncio.run(run())
