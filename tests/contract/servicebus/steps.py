"""Steps that many tests take."""

from azure.servicebus import ServiceBusMessage, ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusReceiver, ServiceBusSender

WAIT_SECONDS = 5


async def send(sender: ServiceBusSender, *bodies: str) -> None:
    """Sends texts one by one."""
    for body in bodies:
        await sender.send_messages(ServiceBusMessage(body))


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
