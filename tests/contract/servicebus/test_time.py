"""Schedules, expiry and duplicate detection. The scenarios run side by side."""

from datetime import timedelta

import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.exceptions import ServiceBusError

from tests.contract.servicebus.conftest import Accept, Desks, Failures, Scenario
from tests.contract.servicebus.steps import consume, peek_all, send, soon

DESKS = {"plain": 2, "expiring": 1, "forgetting": 1, "unique": 2}


async def a_message_can_be_scheduled_by_its_own_property(desks: Desks, _accept: Accept) -> None:
    desk = desks("plain")
    await desk.sender.send_messages(ServiceBusMessage("later", scheduled_enqueue_time_utc=soon(0.5)))
    await send(desk.sender, "now")

    assert [str(message) for message in await consume(desk.receiver, 2)] == ["now", "later"]


async def a_cancelled_schedule_never_arrives(desks: Desks, _accept: Accept) -> None:
    desk = desks("plain")
    numbers = await desk.sender.schedule_messages([ServiceBusMessage("a"), ServiceBusMessage("b")], soon(60))
    await desk.sender.cancel_scheduled_messages(numbers)
    with pytest.raises(ServiceBusError, match="message-not-found"):
        await desk.sender.cancel_scheduled_messages(numbers)

    assert await peek_all(desk.receiver) == []


async def an_expired_message_is_dropped_when_the_queue_says_so(desks: Desks, _accept: Accept) -> None:
    desk = desks("forgetting")
    message = ServiceBusMessage("old", time_to_live=timedelta(milliseconds=1))
    await desk.sender.send_messages(message)

    assert await peek_all(desk.receiver) == []
    assert await peek_all(desk.dead) == []


async def the_sooner_of_both_times_to_live_counts(desks: Desks, _accept: Accept) -> None:
    desk = desks("expiring")
    await desk.sender.send_messages(ServiceBusMessage("long", time_to_live=timedelta(hours=1)))

    (message,) = await peek_all(desk.receiver)

    assert message.enqueued_time_utc is not None
    assert message.time_to_live == timedelta(seconds=1)
    assert message.expires_at_utc == message.enqueued_time_utc + timedelta(seconds=1)


async def a_duplicate_is_accepted_and_dropped(desks: Desks, _accept: Accept) -> None:
    desk = desks("unique")
    for body, message_id in (("first", "same"), ("second", "same"), ("third", "other")):
        await desk.sender.send_messages(ServiceBusMessage(body, message_id=message_id))

    assert [str(message) for message in await peek_all(desk.receiver)] == ["first", "third"]


async def a_scheduled_copy_with_the_same_id_is_a_duplicate(desks: Desks, _accept: Accept) -> None:
    desk = desks("unique")
    await desk.sender.send_messages(ServiceBusMessage("first", message_id="same"))
    numbers = await desk.sender.schedule_messages(ServiceBusMessage("again", message_id="same"), soon(30))

    assert numbers == [1]
    assert [str(message) for message in await peek_all(desk.receiver)] == ["first"]


SCENARIOS: list[Scenario] = [
    a_message_can_be_scheduled_by_its_own_property,
    a_cancelled_schedule_never_arrives,
    an_expired_message_is_dropped_when_the_queue_says_so,
    the_sooner_of_both_times_to_live_counts,
    a_duplicate_is_accepted_and_dropped,
    a_scheduled_copy_with_the_same_id_is_a_duplicate,
]


@pytest.mark.parametrize("guarantee", [scenario.__name__ for scenario in SCENARIOS])
def test_time(guarantee: str, failures: Failures) -> None:
    if failures[guarantee] is not None:
        raise failures[guarantee]
