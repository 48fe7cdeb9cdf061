"""Cardinality many: one receiver, one batch of messages at a time."""

import asyncio

from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusReceiver

from local.host.bus.listener import RECEIVE_SECONDS, BusListener


class BatchListener(BusListener):
    """Runs the function on up to `maxMessageBatchSize` messages; all of them are completed or abandoned together.

    As in the extension, the locks of a batch are not renewed.
    """

    def start(self) -> None:
        """Starts the one receiver."""
        self._spawn(self._slot())

    async def _slot(self) -> None:
        while not self._stopping.is_set():
            async with self._tried(), self._open() as receiver:
                while receiver is not None and not self._stopping.is_set():
                    await self._work(receiver, await self._batch(receiver))

    async def _batch(self, receiver: ServiceBusReceiver) -> list[ServiceBusReceivedMessage]:
        """The next messages; fewer than the minimum only when more did not come in time."""
        options, loop = self.options, asyncio.get_running_loop()
        batch: list[ServiceBusReceivedMessage] = []
        wait_seconds, until = RECEIVE_SECONDS, 0.0
        while len(batch) < options.min_message_batch_size and wait_seconds > 0 and not self._stopping.is_set():
            room = options.max_message_batch_size - len(batch)
            batch += await self._receive(receiver.receive_messages(room, wait_seconds)) or []
            if batch:
                until = until or loop.time() + options.max_batch_wait_seconds
                wait_seconds = until - loop.time()
        return batch

    async def _work(self, receiver: ServiceBusReceiver, messages: list[ServiceBusReceivedMessage]) -> None:
        if not messages:
            return
        success = False
        try:
            if not self._stopping.is_set():
                success = await self._run(messages, many=True)
        finally:
            for message in messages:
                await self._settle(receiver, message, success=success)
