"""Keeps a message or session lock alive while a function works."""

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from azure.servicebus.exceptions import ServiceBusError

_logger = logging.getLogger(__name__)
_SHORTEST_WAIT_SECONDS = 0.2


@contextlib.asynccontextmanager
async def kept(
    renew: Callable[[], Awaitable[dt.datetime]],
    locked_until: dt.datetime | None,
    *,
    most_seconds: float,
    what: str,
) -> AsyncIterator[None]:
    """Renews a lock each time half of what is left of it has passed, until the block ends.

    A renewal that has been sent is awaited before the block is left: settling must not overtake it.

    Args:
        renew: Renews the lock and returns until when it holds then.
        locked_until: Until when it holds now, in UTC; None for no lock, and nothing is done.
        most_seconds: No renewal after so long, 0 for none at all.
        what: Names the lock in logs.
    """
    if locked_until is None or most_seconds <= 0:
        yield
        return
    done = asyncio.Event()
    task = asyncio.create_task(_renew(renew, locked_until, done, most_seconds, what))
    try:
        yield
    finally:
        done.set()
        await task


async def _renew(
    renew: Callable[[], Awaitable[dt.datetime]],
    locked_until: dt.datetime,
    done: asyncio.Event,
    most_seconds: float,
    what: str,
) -> None:
    loop = asyncio.get_running_loop()
    last = loop.time() + most_seconds
    while True:
        wait_seconds = pause_seconds(locked_until, dt.datetime.now(dt.UTC))
        if wait_seconds is None or loop.time() + wait_seconds >= last:
            return
        try:
            async with asyncio.timeout(wait_seconds):
                await done.wait()
        except TimeoutError:
            pass
        else:
            return
        try:
            locked_until = await renew()
        except (ServiceBusError, ValueError) as error:
            _logger.warning("The lock of %s could not be renewed: %s", what, error)
            return


def pause_seconds(locked_until: dt.datetime, now: dt.datetime) -> float | None:
    """Seconds until the next renewal, or None when the lock has lapsed."""
    left_seconds = (locked_until - now).total_seconds()
    if left_seconds <= 0:
        return None
    return max(left_seconds / 2, _SHORTEST_WAIT_SECONDS)
