"""How a task of a client's is ended."""

import asyncio


async def cancel(task: asyncio.Task[None]) -> None:
    """Cancel `task` and wait until it has ended. Raises what it ended with; CancelledError only if we are cancelled meanwhile."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
