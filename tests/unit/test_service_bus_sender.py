"""Whoever sends to a queue is told what became of it, also when the SDK does what nobody expected."""

import asyncio
from typing import Any, Self

import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.exceptions import ServiceBusError

from shared.adapters.service_bus_sender import GatheringSender


class Link:
    """An SDK sender that fails a number of times."""

    def __init__(self, failures: list[Exception], *, refuses: Exception | None = None) -> None:
        self.failures, self.refuses, self.closed, self.sent = failures, refuses, False, 0
        self.opened, self.answered, self.left = 0, asyncio.Event(), asyncio.Event()
        self.answered.set()

    async def __aenter__(self) -> Self:
        self.opened += 1
        if self.refuses is not None:
            raise self.refuses
        await self.answered.wait()
        return self

    async def send_messages(self, _messages: Any) -> None:
        if self.failures:
            raise self.failures.pop()
        self.sent += 1

    async def close(self) -> None:
        self.closed = True
        self.left.set()


def sender_over(*links: Link, idle_seconds: float = 600) -> GatheringSender:
    given = iter(links)
    make: Any = lambda: next(given)  # noqa: E731
    return GatheringSender("turns", make, failed=lambda: None, idle_seconds=idle_seconds)


def test_a_link_opened_ahead_is_the_one_that_the_first_messages_go_over() -> None:
    async def scenario() -> None:
        link = Link([])
        link.answered.clear()
        sender = sender_over(link)
        sender.prepare()
        sender.prepare()
        await asyncio.sleep(0)
        early = asyncio.create_task(sender.send(ServiceBusMessage("before it is open")))
        await asyncio.sleep(0)
        assert (link.opened, link.sent) == (1, 0)

        link.answered.set()
        await early
        await sender.send(ServiceBusMessage("after"))
        sender.prepare()
        await sender.close()

        assert (link.opened, link.sent) == (1, 2)

    asyncio.run(scenario())


@pytest.mark.parametrize("fault", [ServiceBusError("The namespace does not answer."), KeyError("unexpected")])
def test_a_message_given_while_a_link_could_not_be_opened_ahead_goes_over_the_next_one(fault: Exception) -> None:
    async def scenario() -> None:
        away, back = Link([], refuses=fault), Link([])
        sender = sender_over(away, back)
        sender.prepare()
        await sender.send(ServiceBusMessage("first"))
        await sender.close()

        assert (away.closed, away.sent, back.sent) == (True, 0, 1)

    asyncio.run(scenario())


def test_a_link_over_which_nothing_was_sent_for_long_is_replaced_before_the_next_message() -> None:
    async def scenario() -> None:
        links: list[Link] = []

        def make() -> Any:
            links.append(Link([]))
            return links[-1]

        sender = GatheringSender("turns", make, failed=lambda: None, idle_seconds=0.05)
        await sender.send(ServiceBusMessage("first"))
        async with asyncio.timeout(10):
            await links[0].left.wait()
        await sender.send(ServiceBusMessage("second"))
        await sender.close()

        assert links[0].sent == 1
        assert sum(link.sent for link in links) == 2
        assert all(link.closed and link.opened == 1 for link in links)

    asyncio.run(scenario())


def test_a_fault_that_nobody_expected_is_told_to_those_too_whose_messages_were_next() -> None:
    async def scenario() -> None:
        sender = sender_over(Link([KeyError("unexpected")]), Link([]))
        sends = [asyncio.create_task(sender.send(ServiceBusMessage(str(number)))) for number in range(150)]
        async with asyncio.timeout(10):
            ends = await asyncio.gather(*sends, return_exceptions=True)
        await sender.close()

        assert [type(end) for end in ends] == [KeyError] * 150

    asyncio.run(scenario())


def test_a_fault_that_nobody_expected_is_told_and_the_next_message_goes_over_a_new_link() -> None:
    async def scenario() -> None:
        links = [Link([AttributeError("'NoneType' object has no attribute 'send'")]), Link([])]
        sender = sender_over(*links)

        async with asyncio.timeout(10):
            with pytest.raises(AttributeError):
                await sender.send(ServiceBusMessage("first"))
            await sender.send(ServiceBusMessage("second"))

        assert links[0].closed
        assert links[1].sent == 1

    asyncio.run(scenario())
