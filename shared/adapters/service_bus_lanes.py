"""The lanes' queues on Service Bus."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.servicebus import ServiceBusMessage, ServiceBusReceivedMessage, ServiceBusSubQueue
from azure.servicebus.exceptions import ServiceBusError

from shared.adapters.service_bus_connection import ServiceBusConnection
from shared.errors import Unavailable
from shared.events import TurnMessage
from shared.lanes import Lane, queue_of

SHORTEST_LIFE_SECONDS = 1.0
RECEIVE_SECONDS = 2.0


class ServiceBusLanes:
    """Sends turn messages and looks after dead letters."""

    def __init__(self, connection: ServiceBusConnection) -> None:
        """Takes the connection."""
        self._connection = connection

    async def send(self, message: TurnMessage, *, time_to_live_seconds: float, not_before: float | None = None) -> None:
        """See `shared.ports.LaneQueues`.

        The life of a scheduled message counts from when it becomes active, so the sleep is taken off.
        """
        sleep = 0.0 if not_before is None else max(0.0, not_before - message.sent_at)
        await self._connection.sender(queue_of(message.lane)).send(
            ServiceBusMessage(
                message.encode(),
                message_id=message.message_id,
                content_type="application/json",
                subject="turn",
                correlation_id=message.turn_id,
                time_to_live=timedelta(seconds=max(SHORTEST_LIFE_SECONDS, time_to_live_seconds - sleep)),
                application_properties=_trace(message.traceparent),
                scheduled_enqueue_time_utc=None if sleep == 0 else datetime.fromtimestamp(not_before or 0, UTC),
            )
        )

    async def peek_dead_letters(self, lane: Lane, limit: int, after: int) -> list[dict[str, Any]]:
        """See `shared.ports.LaneQueues`."""
        try:
            async with self._dead_letters(lane) as receiver:
                found = await receiver.peek_messages(limit, sequence_number=after + 1)
        except (ServiceBusError, OSError) as fault:
            raise Unavailable("The queue does not answer.", retry_after_seconds=2.0) from fault
        return [_describe(message) for message in found]

    async def remove_dead_letters(self, lane: Lane, sequence_numbers: Sequence[int]) -> list[int]:
        """See `shared.ports.LaneQueues`."""
        wanted, removed = set(sequence_numbers), list[int]()
        try:
            async with self._dead_letters(lane) as receiver:
                kept: list[ServiceBusReceivedMessage] = []
                while wanted:
                    batch = await receiver.receive_messages(max_message_count=100, max_wait_time=RECEIVE_SECONDS)
                    if not batch:
                        break
                    for message in batch:
                        if message.sequence_number in wanted:
                            await receiver.complete_message(message)
                            wanted.discard(message.sequence_number)
                            removed.append(message.sequence_number)
                        else:
                            kept.append(message)
                for message in kept:
                    await receiver.abandon_message(message)
        except (ServiceBusError, OSError) as fault:
            raise Unavailable("The queue does not answer.", retry_after_seconds=2.0) from fault
        return removed

    def _dead_letters(self, lane: Lane) -> Any:
        return self._connection.client.get_queue_receiver(queue_of(lane), sub_queue=ServiceBusSubQueue.DEAD_LETTER)


def _trace(traceparent: str | None) -> dict[str | bytes, Any]:
    """The properties in which the platform looks for a message's trace.

    The SDK would take the trace that is current where the gathered messages are sent, which is another turn's; it
    leaves alone what is there, and looks for it under names in bytes.
    """
    return {} if traceparent is None else {b"Diagnostic-Id": traceparent, b"traceparent": traceparent}


def _describe(message: ServiceBusReceivedMessage) -> dict[str, Any]:
    body = b"".join(message.body)
    try:
        turn = TurnMessage.decode(body)
    except ValueError:
        turn = None
    return {
        "sequence_number": message.sequence_number,
        "turn_id": None if turn is None else turn.turn_id,
        "copy": None if turn is None else turn.copy,
        "reason": message.dead_letter_reason,
        "description": message.dead_letter_error_description,
        "enqueued_at": None if message.enqueued_time_utc is None else message.enqueued_time_utc.isoformat(),
        "delivery_count": message.delivery_count,
    }
