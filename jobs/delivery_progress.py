"""How far a delivery has caught up with the topic: a bar on a terminal, a line of the log now and then elsewhere."""

import asyncio
from collections.abc import Callable
from typing import Any

from connectors.delivery.intake.status import IntakeStatus

LOOK_S = 0.2
SAY_S = 5.0


async def show_catching_up(status: Callable[[], IntakeStatus], log: Any, *, terminal: bool) -> None:
    """Show it until it has caught up."""
    begun_s = asyncio.get_running_loop().time()
    await (_bar(status) if terminal else _lines(status, log))
    took_s = asyncio.get_running_loop().time() - begun_s
    log.info("caught_up", results=status().results, took_s=round(took_s, 1))


async def _lines(status: Callable[[], IntakeStatus], log: Any) -> None:
    loop = asyncio.get_running_loop()
    say_at_s = loop.time() + SAY_S
    while not (now := status()).caught_up:
        if loop.time() >= say_at_s:
            log.info("catching_up", results=now.results, behind=now.behind)
            say_at_s += SAY_S
        await asyncio.sleep(LOOK_S)


async def _bar(status: Callable[[], IntakeStatus]) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    columns = (SpinnerColumn(), TextColumn("catching up"), BarColumn(), MofNCompleteColumn(), TextColumn("results"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        while not (now := status()).caught_up:
            total = None if now.behind is None else now.results + now.behind
            progress.update(task, completed=now.results, total=total)
            await asyncio.sleep(LOOK_S)
