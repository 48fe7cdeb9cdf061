"""Steps that many tests take."""

from datetime import UTC, datetime, timedelta

from azure.servicebus import ServiceBusMessage, ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusReceiver, ServiceBusSender

from tests.contract.servicebus.conftest import Desk

WAIT_SECONDS = 5


def soon(seconds: float) -> datetime:
    """A time so many seconds from now."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def send(sender: ServiceBusSender, *bodies: str) -> None:
    """Sends texts one by one."""
    for body in bodies:
        await sender.send_messages(ServiceBusMessage(body))


async def put(desk: Desk, session_id: str, *bodies: str) -> None:
    """Sends texts to a session one by one."""
    for body in bodies:
        await desk.sender.send_messages(ServiceBusMessage(body, session_id=session_id))


async def receive(receiver: ServiceBusReceiver, count: int) -> list[ServiceBusReceivedMessage]:
    """Receives exactly so many messages."""
    received: list[ServiceBusReceivedMessage] = []
    while len(received) < count:
        more = await receiver.receive_messages(count - len(received), max_wait_time=WAIT_SECONDS)
        assert more, f"only {len(received)} of {count} messages arrived"
        received += more
    return received


async def receive_one(receiver: ServiceBusReceiver) -> ServiceBusReceivedMessage:
    """Receives one message."""
    (message,) = await receive(receiver, 1)
    return message


async def consume(receiver: ServiceBusReceiver, count: int) -> list[ServiceBusReceivedMessage]:
    """Receives and completes exactly so many messages."""
    messages = await receive(receiver, count)
    for message in messages:
        await receiver.complete_message(message)
    return messages


async def peek_all(receiver: ServiceBusReceiver) -> list[ServiceBusReceivedMessage]:
    """Everything the queue holds, in any state."""
    return await receiver.peek_messages(100, sequence_number=1)
