"""The connection to Service Bus that queues and relay share."""

import asyncio
import gc
import ssl
from typing import TYPE_CHECKING, Any

from azure.servicebus.aio import ServiceBusClient, ServiceBusSender

from shared.adapters.service_bus_sender import GatheringSender

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

COLLECT_SECONDS = 1.0
"""How long after a failure what it left is freed."""
KEEP_ALIVE_SECONDS = 90
"""How often the SDK listens on an idle link. While it does, for 0.2 s, a message that is sent waits, so not every 30 s
as it would by itself. Source: the service hangs up after 240 s of silence, Azure/azure-sdk-for-python#31229."""
IDLE_SECONDS = 540.0
"""After so long without a message a link is opened anew. After 600 s the service detaches it, whatever keeps its
connection alive, and the next message would take 0.9 s to find out. Source: Azure/azure-sdk-for-python#10127."""


class ServiceBusConnection:
    """One client for the process, opened with the first operation."""

    def __init__(
        self,
        connection_string: str | None,
        namespace: str | None,
        credential: "AsyncTokenCredential | None",
        *,
        collect_seconds: float = COLLECT_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        """Notes where to connect: by connection string on a laptop, by namespace and identity in Azure.

        Args:
            connection_string: None in Azure.
            namespace: Its host name; None on a laptop.
            credential: Goes with the namespace.
            collect_seconds: See `failed`.
            idle_seconds: See `IDLE_SECONDS`.
        """
        self.idle_seconds = idle_seconds
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

    def sender(self, queue: str) -> GatheringSender:
        """The sender of a queue."""
        sender = self._senders.get(queue)
        if sender is None:
            sender = self._senders[queue] = GatheringSender(
                queue, lambda: self._link(queue), failed=self.failed, idle_seconds=self.idle_seconds
            )
        return sender

    def _link(self, queue: str) -> ServiceBusSender:
        return self.client.get_queue_sender(queue, keep_alive=KEEP_ALIVE_SECONDS)

    async def close(self) -> None:
        """Closes senders and client."""
        if self._collecting is not None:
            self._collecting.cancel()
        closing = [sender.close() for sender in self._senders.values()]
        await asyncio.gather(*closing, return_exceptions=True)
        if self._client is not None:
            await self._client.close()
