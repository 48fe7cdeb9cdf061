"""Schedules, expiry and duplicate detection."""

from datetime import UTC, datetime, timedelta

import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.exceptions import ServiceBusError

from tests.contract.servicebus.conftest import Desks
from tests.contract.servicebus.steps import consume, peek_all, receive_one, send

pytestmark = pytest.mark.asyncio(loop_scope="module")
DESKS = {"plain": 3, "expiring": 3, "forgetting": 1, "unique": 3}


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def test_a_scheduled_message_arrives_at_its_time_and_not_before(desks: Desks) -> None:
    desk, due = desks("plain"), soon(2)
    (number,) = await desk.sender.schedule_messages(ServiceBusMessage("later"), due)
    (peeked,) = await peek_all(desk.receiver)
    assert await desk.receiver.receive_messages(max_wait_time=0.3) == []
    message = await receive_one(desk.receiver)
    await desk.receiver.complete_message(message)

    assert datetime.now(UTC) >= due
    assert (peeked.sequence_number, peeked.state.name) == (number, "SCHEDULED")
    assert peeked.scheduled_enqueue_time_utc == due.replace(microsecond=due.microsecond // 1000 * 1000)
    assert message.sequence_number == number + 1
    assert message.enqueued_time_utc is not None
    assert timedelta(milliseconds=-1) <= message.enqueued_time_utc - due < timedelta(seconds=0.5)


async def test_a_message_can_be_scheduled_by_its_own_property(desks: Desks) -> None:
    desk = desks("plain")
    await desk.sender.send_messages(ServiceBusMessage("later", scheduled_enqueue_time_utc=soon(0.5)))
    await send(desk.sender, "now")

    assert [str(message) for message in await consume(desk.receiver, 2)] == ["now", "later"]


async def test_a_cancelled_schedule_never_arrives(desks: Desks) -> None:
    desk = desks("plain")
    numbers = await desk.sender.schedule_messages([ServiceBusMessage("a"), ServiceBusMessage("b")], soon(60))
    await desk.sender.cancel_scheduled_messages(numbers)
    with pytest.raises(ServiceBusError, match="message-not-found"):
        await desk.sender.cancel_scheduled_messages(numbers)

    assert await peek_all(desk.receiver) == []


async def test_an_expired_message_goes_to_the_dead_letter_queue(desks: Desks) -> None:
    desk = desks("expiring")
    await send(desk.sender, "old")

    (message,) = await consume(desk.dead, 1)

    assert (str(message), message.dead_letter_reason) == ("old", "TTLExpiredException")
    assert await peek_all(desk.receiver) == []


async def test_a_message_expires_although_a_receiver_held_it(desks: Desks) -> None:
    desk = desks("expiring")
    await send(desk.sender, "old")
    message = await receive_one(desk.receiver)
    assert await desk.receiver.receive_messages(max_wait_time=1.1) == []
    assert await peek_all(desk.dead) == []
    await desk.receiver.abandon_message(message)

    assert [str(dead) for dead in await consume(desk.dead, 1)] == ["old"]


async def test_an_expired_message_is_dropped_when_the_queue_says_so(desks: Desks) -> None:
    desk = desks("forgetting")
    message = ServiceBusMessage("old", time_to_live=timedelta(milliseconds=1))
    await desk.sender.send_messages(message)

    assert await peek_all(desk.receiver) == []
    assert await peek_all(desk.dead) == []


async def test_the_sooner_of_both_times_to_live_counts(desks: Desks) -> None:
    desk = desks("expiring")
    await desk.sender.send_messages(ServiceBusMessage("long", time_to_live=timedelta(hours=1)))

    (message,) = await peek_all(desk.receiver)

    assert message.enqueued_time_utc is not None
    assert message.time_to_live == timedelta(seconds=1)
    assert message.expires_at_utc == message.enqueued_time_utc + timedelta(seconds=1)


async def test_a_duplicate_is_accepted_and_dropped(desks: Desks) -> None:
    desk = desks("unique")
    for body, message_id in (("first", "same"), ("second", "same"), ("third", "other")):
        await desk.sender.send_messages(ServiceBusMessage(body, message_id=message_id))

    assert [str(message) for message in await peek_all(desk.receiver)] == ["first", "third"]


async def test_an_id_is_forgotten_after_the_window(desks: Desks) -> None:
    desk = desks("unique")
    await desk.sender.send_messages(ServiceBusMessage("first", message_id="same"))
    assert [str(message) for message in await consume(desk.receiver, 1)] == ["first"]
    assert await desk.receiver.receive_messages(max_wait_time=2.1) == []
    await desk.sender.send_messages(ServiceBusMessage("second", message_id="same"))

    assert [str(message) for message in await consume(desk.receiver, 1)] == ["second"]


async def test_a_scheduled_copy_with_the_same_id_is_a_duplicate(desks: Desks) -> None:
    desk = desks("unique")
    await desk.sender.send_messages(ServiceBusMessage("first", message_id="same"))
    numbers = await desk.sender.schedule_messages(ServiceBusMessage("again", message_id="same"), soon(30))

    assert numbers == [1]
    assert [str(message) for message in await peek_all(desk.receiver)] == ["first"]
