"""Opens what the first turn of an instance would wait for, all at once and while the tokenizer is being loaded."""

import asyncio
from collections.abc import Awaitable

from shared.answering.relay import RelayListener
from shared.connections import Connections
from shared.errors import Unavailable
from shared.events import TurnMessage
from shared.lanes import Lane
from shared.ports import Clock, TurnStore
from shared.telemetry import log
from shared.turns import NO_TURN

WAIT_SECONDS = 10.0
LATER_SECONDS = 1.0
"""Long enough for the first turn of an instance to have its first token: it shares its one core with what is opened."""


class WarmUp:
    """Begins to open connections; whoever needs one before it is open waits for what is left.

    Nothing depends on it: what cannot be opened is told of, and tried again by whoever needs it.
    """

    def __init__(self, connections: Connections, listener: RelayListener, store: TurnStore, clock: Clock) -> None:
        """Takes what it opens."""
        self._connections, self._listener, self._store, self._clock = connections, listener, store, clock
        self._callers = False
        self._tasks: list[asyncio.Task[None]] = []

    def for_callers(self) -> None:
        """For an instance that callers talk to: the links by which a turn is queued, and by which its text comes."""
        if not self._callers:
            self._callers = True
            self._tasks.append(asyncio.create_task(self._for_callers()))

    async def _for_callers(self) -> None:
        await self._clock.sleep(LATER_SECONDS)
        self._connections.open_lane(Lane.INTERACTIVE)
        self._listener.start()

    def for_answer(self, message: TurnMessage) -> None:
        """For a worker: the link by which text goes to whoever waits for it."""
        if message.reply_to is not None:
            self._connections.open_relay()

    def for_all(self) -> None:
        """For every instance: the store's client, and the token that the models want."""
        self._tasks += [
            asyncio.create_task(_quietly("store", self._store.get(NO_TURN))),
            asyncio.create_task(_quietly("models", self._connections.sign_in_to_models())),
        ]

    async def close(self) -> None:
        """Stops what is still under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _quietly(what: str, work: Awaitable[object]) -> None:
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await work
    except (Unavailable, TimeoutError) as fault:
        log.warning("open_ahead", what=what, fault=type(fault).__name__)
