"""Lets an instance end when its supervisor has gone without a word."""

import asyncio
import contextlib
import os

_POLL_SECONDS = 0.5


async def stop_without(parent: int, stop: asyncio.Event) -> None:
    """Sets `stop` once the process `parent` is no longer the parent of this one."""
    while os.getppid() == parent and not stop.is_set():
        # The operating system tells nobody of it, so it has to be asked.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_POLL_SECONDS):
                await stop.wait()
    stop.set()
