"""The queue of evaluation work on Service Bus: `evaluations`."""

from datetime import UTC, datetime
from typing import Protocol

from azure.servicebus import ServiceBusMessage

from shared.adapters.service_bus_connection import ServiceBusConnection

QUEUE = "evaluations"


class Sendable(Protocol):
    """A message as the queue needs it."""

    @property
    def message_id(self) -> str:
        """What duplicate detection goes by."""

    def encode(self) -> bytes:
        """The body."""


class ServiceBusEvaluations:
    """Sends evaluation messages."""

    def __init__(self, connection: ServiceBusConnection) -> None:
        """Takes the connection."""
        self._connection = connection

    async def send(self, message: Sendable, *, not_before: float | None = None) -> None:
        """See `shared.evaluating.ports.EvaluationQueue`."""
        await self._connection.sender(QUEUE).send(
            ServiceBusMessage(
                message.encode(),
                message_id=message.message_id,
                content_type="application/json",
                subject="evaluation",
                scheduled_enqueue_time_utc=None if not_before is None else datetime.fromtimestamp(not_before, UTC),
            )
        )
