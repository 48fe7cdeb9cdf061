"""A sender that gathers what is sent at once, and keeps its link ready."""

import asyncio
from collections.abc import Callable, Sequence

from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusSender
from azure.servicebus.exceptions import ServiceBusError

from shared.errors import Unavailable
from shared.telemetry import log
from shared.waiters import refuse

SEND_SECONDS = 6.0
RETRY_AFTER_SECONDS = 2.0
MOST_IN_A_BATCH = 100
MOST_BYTES_IN_A_BATCH = 192 * 1024
MESSAGE_OVERHEAD_BYTES = 512


class GatheringSender:
    """Sends to one queue over one link. What is given while a send is under way goes out together in the next."""

    def __init__(
        self, queue: str, make_link: Callable[[], ServiceBusSender], *, failed: Callable[[], None], idle_seconds: float
    ) -> None:
        """Opens its link when told to prepare, or with the first message.

        Args:
            queue: For the log.
            make_link: A link to the queue, not opened.
            failed: Called after a failure, when its link is closed.
            idle_seconds: A link over which nothing was sent for so long is replaced by a new one.
        """
        self._queue, self._make_link, self._failed, self._idle_seconds = queue, make_link, failed, idle_seconds
        self._prepared = False
        self._waiting: list[tuple[ServiceBusMessage, asyncio.Future[None]]] = []
        self._pump: asyncio.Task[None] | None = None
        self._link: ServiceBusSender | None = None
        self._used_at = 0.0
        self._renewal: asyncio.TimerHandle | None = None
        self._left: asyncio.Task[None] | None = None

    def prepare(self) -> None:
        """Opens the link ahead of the first message, once; returns at once. Where that fails, the message says so.

        Opening takes half a second however near the service is: the SDK reads the nine frames that answer it one by
        one and naps 50 ms before each (azure-servicebus 7.15, `_open` of the aio sender).
        """
        if not self._prepared and self._pump is None:
            self._pump = asyncio.create_task(self._open_then_send())
        self._prepared = True

    async def _open_then_send(self) -> None:
        try:
            await self._send_batch([])
        except Unavailable:
            log.info("open_ahead", queue=self._queue)
        except Exception as fault:  # noqa: BLE001  the first message tries again and says so to whoever sends it
            log.failure("open_ahead", fault, queue=self._queue)
        await self._send_waiting()

    async def send(self, message: ServiceBusMessage) -> None:
        """Sends a message and returns when the queue holds it.

        Raises:
            Unavailable: The queue did not confirm it.
        """
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((message, sent))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._send_waiting())
        await sent

    async def _send_waiting(self) -> None:
        while self._waiting:
            batch = self._next_batch()
            try:
                await self._send_batch([message for message, _ in batch])
            except BaseException as fault:
                refuse((sent for _, sent in batch), fault)
                if not isinstance(fault, Unavailable):
                    # Nobody expected it, so this task ends: nobody may be left waiting for it.
                    left, self._waiting = self._waiting, []
                    refuse((sent for _, sent in left), fault)
                    raise
            else:
                for _, sent in batch:
                    if not sent.done():
                        sent.set_result(None)

    def _next_batch(self) -> list[tuple[ServiceBusMessage, "asyncio.Future[None]"]]:
        count, size = 0, 0
        for message, _ in self._waiting[:MOST_IN_A_BATCH]:
            size += sum(len(part) for part in message.body) + MESSAGE_OVERHEAD_BYTES
            if count and size > MOST_BYTES_IN_A_BATCH:
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    async def _send_batch(self, messages: Sequence[ServiceBusMessage]) -> None:
        """Sends messages, over a new link where there is none; with no message, only opens it."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                if self._link is None:
                    self._link = self._make_link()
                    await self._link.__aenter__()
                if messages:
                    await self._link.send_messages(messages[0] if len(messages) == 1 else list(messages))
            self._used()
        except (ServiceBusError, TimeoutError, OSError, ValueError) as fault:
            log.warning("fail_queue", queue=self._queue, fault=type(fault).__name__)
            await self._drop_link()
            self._failed()
            raise Unavailable("The queue does not answer.", retry_after_seconds=RETRY_AFTER_SECONDS) from fault
        except Exception:
            # The link may be of no more use; the next send opens another.
            await self._drop_link()
            raise

    def _used(self) -> None:
        loop = asyncio.get_running_loop()
        self._used_at = loop.time()
        if self._renewal is None:
            self._renewal = loop.call_later(self._idle_seconds, self._renew)

    def _renew(self) -> None:
        """Opens the link anew when nothing was sent over it for long; otherwise looks again when that may be so."""
        loop = asyncio.get_running_loop()
        self._renewal = None
        left_seconds = self._used_at + self._idle_seconds - loop.time()
        if left_seconds > 0:
            self._renewal = loop.call_later(left_seconds, self._renew)
        elif self._link is not None and (self._pump is None or self._pump.done()):
            link, self._link = self._link, None
            self._left = asyncio.create_task(self._close_link(link))
            self._pump = asyncio.create_task(self._open_then_send())

    async def _drop_link(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await self._close_link(link)

    async def _close_link(self, link: ServiceBusSender) -> None:
        try:
            async with asyncio.timeout(1):
                await link.close()
        except (ServiceBusError, TimeoutError, OSError) as fault:
            log.info("drop_link", queue=self._queue, fault=type(fault).__name__)

    async def close(self) -> None:
        """Waits for what is under way and closes the link."""
        await asyncio.gather(*(task for task in (self._pump, self._left) if task is not None), return_exceptions=True)
        if self._renewal is not None:
            self._renewal.cancel()
        await self._drop_link()
