"""The relay on Service Bus: queue `replies`, one session an instance that waits for news."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from azure.servicebus import ServiceBusMessage, ServiceBusReceiveMode
from azure.servicebus.aio import AutoLockRenewer
from azure.servicebus.exceptions import ServiceBusError

from shared.adapters.service_bus_connection import KEEP_ALIVE_SECONDS, ServiceBusConnection
from shared.errors import Unavailable
from shared.events import News, compact
from shared.telemetry import log

QUEUE = "replies"
LIFE = timedelta(seconds=60)
RENEW_SECONDS = 86_400.0


class ServiceBusRelay:
    """Sends and receives news. News is fleeting: what is not read within a minute is in the store anyway."""

    def __init__(self, connection: ServiceBusConnection) -> None:
        """Takes the connection."""
        self._connection = connection

    async def send(self, destination: str, news: Sequence[News]) -> None:
        """See `shared.ports.Relay`."""
        body = compact([piece.as_list() for piece in news])
        message = ServiceBusMessage(
            body, session_id=destination, content_type="application/json", subject="news", time_to_live=LIFE
        )
        await self._connection.sender(QUEUE).send(message)

    async def listen(self, instance: str) -> AsyncIterator[list[News]]:
        """See `shared.ports.Relay`."""
        renewer = AutoLockRenewer()
        receiver = self._connection.client.get_queue_receiver(
            QUEUE,
            session_id=instance,
            receive_mode=ServiceBusReceiveMode.RECEIVE_AND_DELETE,
            prefetch_count=50,
            keep_alive=KEEP_ALIVE_SECONDS,
            # Ends the loop below when nothing came for so long, before the service detaches the link.
            max_wait_time=self._connection.idle_seconds,
        )
        try:
            async with receiver:
                renewer.register(receiver, receiver.session, max_lock_renewal_duration=RENEW_SECONDS)
                async for message in receiver:
                    yield _news(b"".join(message.body))
        except (ServiceBusError, OSError) as fault:
            self._connection.failed()
            raise Unavailable("The relay does not answer.") from fault
        finally:
            await renewer.close()


def _news(body: bytes) -> list[News]:
    try:
        return [News.from_list(entry) for entry in json.loads(body)]
    except (ValueError, TypeError):
        log.warning("drop_news", bytes=len(body))
        return []
