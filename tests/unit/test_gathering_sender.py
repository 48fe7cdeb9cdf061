"""Whoever sends to a queue is told what became of it, also when the SDK does what nobody expected."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from azure.servicebus import ServiceBusMessage

from shared.adapters.service_bus_connection import GatheringSender


class Link:
    """An SDK sender that fails a number of times."""

    def __init__(self, failures: list[Exception]) -> None:
        self.failures, self.closed, self.sent = failures, False, 0

    async def send_messages(self, _messages: Any) -> None:
        if self.failures:
            raise self.failures.pop()
        self.sent += 1

    async def close(self) -> None:
        self.closed = True


def test_a_fault_that_nobody_expected_is_told_and_the_next_message_goes_over_a_new_link() -> None:
    async def scenario() -> None:
        links = [Link([AttributeError("'NoneType' object has no attribute 'send'")]), Link([])]
        opened = iter(links)
        client = SimpleNamespace(get_queue_sender=lambda _queue, **_options: next(opened))
        sender = GatheringSender(SimpleNamespace(client=client), "turns")  # type: ignore[arg-type]

        async with asyncio.timeout(10):
            with pytest.raises(AttributeError):
                await sender.send(ServiceBusMessage("first"))
            await sender.send(ServiceBusMessage("second"))

        assert links[0].closed
        assert links[1].sent == 1

    asyncio.run(scenario())
