"""The connection to Service Bus that queues and relay share, with senders that gather what is sent at once."""

import asyncio
import gc
import ssl
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusSender
from azure.servicebus.exceptions import ServiceBusError

from shared.errors import Unavailable
from shared.telemetry import log
from shared.waiters import refuse

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

SEND_SECONDS = 6.0
RETRY_AFTER_SECONDS = 2.0
MOST_IN_A_BATCH = 100
MOST_BYTES_IN_A_BATCH = 192 * 1024
MESSAGE_OVERHEAD_BYTES = 512
COLLECT_SECONDS = 1.0
"""How long after a failure what it left is freed."""
KEEP_ALIVE_SECONDS = 90
"""How often the SDK listens on an idle link. While it does, for 0.2 s, a message that is sent waits, so not every 30 s
as it would by itself. Source: the service hangs up after 240 s of silence, Azure/azure-sdk-for-python#31229."""


class ServiceBusConnection:
    """One client for the process, opened with the first operation."""

    def __init__(
        self,
        connection_string: str | None,
        namespace: str | None,
        credential: "AsyncTokenCredential | None",
        *,
        collect_seconds: float = COLLECT_SECONDS,
    ) -> None:
        """Notes where to connect: by connection string on a laptop, by namespace and identity in Azure.

        Args:
            connection_string: None in Azure.
            namespace: Its host name; None on a laptop.
            credential: Goes with the namespace.
            collect_seconds: See `failed`.
        """
        self._connection_string, self._namespace, self._credential = connection_string, namespace, credential
        self._collect_seconds = collect_seconds
        self._collecting: asyncio.TimerHandle | None = None
        self._client: ServiceBusClient | None = None
        self._senders: dict[str, GatheringSender] = {}

    @property
    def client(self) -> ServiceBusClient:
        """The SDK's client. Its retries are few and short: longer waits are Spillway's own.

        Its links share one TLS context. Left alone, the SDK loads all certificates again for each: 17 to 20 ms in which
        nothing else runs, and 0.7 MiB.
        """
        if self._client is None:
            options: dict[str, Any] = {"retry_total": 1, "retry_backoff_factor": 0.2, "retry_backoff_max": 1}
            options["ssl_context"] = ssl.create_default_context()
            if self._connection_string is not None:
                self._client = ServiceBusClient.from_connection_string(self._connection_string, **options)
            else:
                assert self._namespace is not None and self._credential is not None  # noqa: S101, PT018  settings ensure it
                self._client = ServiceBusClient(self._namespace, self._credential, **options)
        return self._client

    def failed(self) -> None:
        """Frees, a moment later, what failures leave: the SDK leaves cycles of references with an open socket in each.

        Unasked, Python would do it after some hundred of them.
        """
        if self._collecting is None:
            self._collecting = asyncio.get_running_loop().call_later(self._collect_seconds, self._collect)

    def _collect(self) -> None:
        self._collecting = None
        gc.collect()

    def sender(self, queue: str) -> "GatheringSender":
        """The sender of a queue."""
        return self._senders.setdefault(queue, GatheringSender(self, queue))

    async def close(self) -> None:
        """Closes senders and client."""
        if self._collecting is not None:
            self._collecting.cancel()
        closing = [sender.close() for sender in self._senders.values()]
        await asyncio.gather(*closing, return_exceptions=True)
        if self._client is not None:
            await self._client.close()


class GatheringSender:
    """Sends to one queue over one link. What is given while a send is under way goes out together in the next."""

    def __init__(self, connection: ServiceBusConnection, queue: str) -> None:
        """Notes where to send; opens its link when told to prepare, or with the first message."""
        self._connection, self._queue, self._prepared = connection, queue, False
        self._waiting: list[tuple[ServiceBusMessage, asyncio.Future[None]]] = []
        self._pump: asyncio.Task[None] | None = None
        self._link: ServiceBusSender | None = None

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
                    # Nobody expected it; who has given more meanwhile begins another task.
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
                    self._link = self._connection.client.get_queue_sender(self._queue, keep_alive=KEEP_ALIVE_SECONDS)
                    await self._link.__aenter__()
                if messages:
                    await self._link.send_messages(messages[0] if len(messages) == 1 else list(messages))
        except (ServiceBusError, TimeoutError, OSError, ValueError) as fault:
            log.warning("fail_queue", queue=self._queue, fault=type(fault).__name__)
            await self._drop_link()
            self._connection.failed()
            raise Unavailable("The queue does not answer.", retry_after_seconds=RETRY_AFTER_SECONDS) from fault
        except Exception:
            # The link may be of no more use; the next send opens another.
            await self._drop_link()
            raise

    async def _drop_link(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            try:
                async with asyncio.timeout(1):
                    await link.close()
            except (ServiceBusError, TimeoutError, OSError) as fault:
                log.info("drop_link", queue=self._queue, fault=type(fault).__name__)

    async def close(self) -> None:
        """Waits for what is under way and closes the link."""
        if self._pump is not None:
            await asyncio.gather(self._pump, return_exceptions=True)
        await self._drop_link()
