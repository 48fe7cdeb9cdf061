"""The broker's end of a link on which a client sends to a queue."""

from typing import Any

from local.servicebus.amqp.errors import AmqpError
from local.servicebus.broker.message import batched_messages, read_content
from local.servicebus.broker.queue import Queue

BATCH_FORMAT = 0x80013700


class Sender:
    """Takes messages and batches for one queue."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def received(self, message: bytes, message_format: int) -> None:
        """Puts a message, or all messages of a batch, into the queue.

        Raises:
            AmqpError: The queue does not take them; then none was taken.
        """
        if message_format == BATCH_FORMAT:
            self._queue.put([read_content(each) for each in batched_messages(message)])
        elif message_format == 0:
            self._queue.put([read_content(message)])
        else:
            raise AmqpError("amqp:not-implemented", f"Message format 0x{message_format:08x} is not supported.")

    def credit_changed(self) -> None:
        """Credit for messages is the broker's to give."""

    def settle(self, token: bytes, state: Any) -> bytes | None:
        """Nothing is delivered over this link."""
        del token, state
        return None

    def closed(self) -> None:
        """A sender leaves nothing behind."""
