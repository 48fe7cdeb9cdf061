"""Single messages, many at once: one receiver for each message that is being worked on or waited for."""

import asyncio

from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusReceiver

from local.host.bus.listener import RECEIVE_SECONDS, BusListener
from local.host.bus.lock import kept

_FEWEST = 2
_GROWTH = 4
# Bounds the connections that prefetchCount adds.
_MOST_AHEAD = 32


class QueueListener(BusListener):
    """Keeps up to `maxConcurrentCalls` messages of one function in work.

    Receivers are added as the work grows, to four times as many as there are. The SDK takes half a second to open one,
    or thirty at once, so a burst meets 2, then 8, then 32 of them within a second; those that have been idle$
    for a while go. `prefetchCount` adds receivers that hold a message until a call is free.
    """

    _count = 0
    _busy = 0
    _calls: asyncio.Semaphore

    def start(self) -> None:
        """Starts with a few receivers."""
        self._calls = asyncio.Semaphore(self.options.max_concurrent_calls)
        self._most = self.options.max_concurrent_calls + min(self.options.prefetch_count, _MOST_AHEAD)
        self._add(min(_FEWEST, self._most))

    def _add(self, number: int) -> None:
        for _ in range(number):
            self._count += 1
            self._spawn(self._slot())

    async def _slot(self) -> None:
        while not self._stopping.is_set():
            async with self._tried(), self._open() as receiver:
                if receiver is not None and await self._serve(receiver):
                    return

    async def _serve(self, receiver: ServiceBusReceiver) -> bool:
        """Receives and works, one message at a time; returns True when this receiver is not needed any more."""
        while not self._stopping.is_set():
            messages = await self._receive(
                receiver.receive_messages(max_message_count=1, max_wait_time=RECEIVE_SECONDS)
            )
            if messages:
                self._busy += 1
                try:
                    self._grow()
                    await self._work(receiver, messages[0])
                finally:
                    self._busy -= 1
            elif self._count - self._busy > _FEWEST:
                self._count -= 1
                return True
        return True

    def _grow(self) -> None:
        if self._count - self._busy < _FEWEST and not self._stopping.is_set():
            self._add(min(_GROWTH * self._count, self._most) - self._count)

    async def _work(self, receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage) -> None:
        success = False
        try:
            async with self._calls:
                if self._stopping.is_set():
                    # Held ahead of a free call, and there will be none.
                    return
                async with kept(
                    lambda: receiver.renew_message_lock(message),
                    message.locked_until_utc,
                    most_seconds=self.options.max_lock_renewal_seconds,
                    what=f"message {message.message_id}",
                ):
                    success = await self._run([message], many=False)
        finally:
            await self._settle(receiver, message, success=success)
