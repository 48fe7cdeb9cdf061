"""The path of tokens from a worker to the instance that holds the caller's connection.

A worker puts all news for one instance into one message per tick, so relay cost grows with instances, not streams.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.answering.live import FINAL, Board
from shared.errors import Unavailable
from shared.events import News
from shared.policies.pacing import relay_interval_seconds
from shared.ports import Clock, Relay
from shared.telemetry import log

IDLE_SECONDS = 1.0
LISTEN_AGAIN_SECONDS = 1.0


def coalesce(news: Iterable[News]) -> list[News]:
    """Joins text of one run that follows on directly, so that a turn has few entries in a message."""
    joined: list[News] = []
    newest: dict[str, int] = {}
    for piece in news:
        place = newest.get(piece.turn_id)
        last = None if place is None else joined[place]
        if last is not None and place is not None and _follows_on(last, piece):
            text = last.text + piece.text
            joined[place] = News(piece.turn_id, piece.run, last.position, text, piece.state, piece.details)
        else:
            newest[piece.turn_id] = len(joined)
            joined.append(piece)
    return joined


def _follows_on(last: News, piece: News) -> bool:
    same_run = last.run == piece.run and last.state not in FINAL and last.details is None
    return same_run and last.position + len(last.text) == piece.position and piece.state == last.state


@dataclass(slots=True)
class _Destination:
    """What waits for one instance; `urgent` is set when it should not wait for the next tick."""

    news: list[News] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    urgent: asyncio.Event = field(default_factory=asyncio.Event)
    pump: asyncio.Task[None] | None = None


class RelayOutbox:
    """Collects news by destination and sends it tick by tick; the first token of a turn does not wait for a tick."""

    def __init__(self, relay: Relay) -> None:
        """Takes what it sends with."""
        self._relay = relay
        self._destinations: dict[str, _Destination] = {}

    def add(self, instance: str, news: News) -> None:
        """Takes news for an instance; returns at once."""
        destination = self._destinations.get(instance)
        if destination is None:
            destination = self._destinations[instance] = _Destination()
            destination.pump = asyncio.create_task(self._pump(instance, destination))
        destination.news.append(news)
        destination.arrived.set()
        if news.position == 0 or news.state in FINAL:
            destination.urgent.set()

    async def _pump(self, instance: str, destination: _Destination) -> None:
        """Sends to one instance until there is nothing to send; the next news begins anew, whatever ended it."""
        try:
            await self._send_all(instance, destination)
        except Exception as fault:  # noqa: BLE001  followers read the durable copy meanwhile, operators the traceback
            log.failure("break_relay", fault, destination=instance)
        finally:
            del self._destinations[instance]

    async def _send_all(self, instance: str, destination: _Destination) -> None:
        sent = 0
        while destination.news or await _happens(destination.arrived, IDLE_SECONDS):
            news, destination.news = destination.news, []
            destination.arrived.clear()
            destination.urgent.clear()
            try:
                await self._relay.send(instance, coalesce(news))
            except Unavailable:
                # The durable copy is the fallback: followers read it when no news comes.
                log.warning("miss_relay", destination=instance, news=len(news))
            sent += 1
            await _happens(destination.urgent, relay_interval_seconds(sent))

    async def close(self) -> None:
        """Stops; what was not sent is in the store."""
        pumps = [destination.pump for destination in self._destinations.values() if destination.pump is not None]
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return event.is_set()


class RelayListener:
    """Listens for news of the turns whose callers wait on this instance, from the first such caller on."""

    def __init__(self, relay: Relay, board: Board, *, instance: str, clock: Clock) -> None:
        """Takes where to listen and where to put the news."""
        self._relay, self._board, self._clock = relay, board, clock
        self.instance = instance
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to listen, once."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        while True:
            began = self._clock.monotonic()
            try:
                # Ends by itself after a long silence.
                async for batch in self._relay.listen(self.instance):
                    for news in batch:
                        self._board.publish(news)
            except Unavailable:
                log.warning("lose_relay", instance=self.instance)
            lasted_seconds = self._clock.monotonic() - began
            await self._clock.sleep(max(0.0, LISTEN_AGAIN_SECONDS - lasted_seconds))

    async def close(self) -> None:
        """Stops listening."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
