"""What becomes of a message that was received, and of its lock. The scenarios run side by side."""

import pytest
from azure.servicebus.exceptions import ServiceBusError

from tests.contract.servicebus.conftest import Accept, Desks, Failures, Scenario
from tests.contract.servicebus.steps import consume, peek_all, receive_one, send

DESKS = {"plain": 7}


async def a_completed_message_is_gone(desks: Desks, _accept: Accept) -> None:
    desk = desks("plain")
    await send(desk.sender, "x")
    await desk.receiver.complete_message(await receive_one(desk.receiver))

    assert await peek_all(desk.receiver) == []


async def an_abandoned_message_comes_back_with_its_delivery_count(desks: Desks, _accept: Accept) -> None:
    desk = desks("plain")
    await send(desk.sender, "x")
    await desk.receiver.abandon_message(await receive_one(desk.receiver))

    (again,) = await consume(desk.receiver, 1)

    assert (str(again), again.delivery_count) == ("x", 1)


async def after_the_maximum_of_deliveries_a_message_is_dead_lettered(desks: Desks, _accept: Accept) -> None:
    desk = desks("plain")
    await send(desk.sender, "poison")
    for _ in range(3):
        await desk.receiver.abandon_message(await receive_one(desk.receiver))

    assert await peek_all(desk.receiver) == []
    (message,) = await consume(desk.dead, 1)
    assert str(message) == "poison"
    assert message.dead_letter_reason == "MaxDeliveryCountExceeded"
    assert (message.delivery_count, message.enqueued_sequence_number) == (3, 1)


async def a_dead_lettered_message_keeps_reason_and_description(desks: Desks, _accept: Accept) -> None:
    desk = desks("plain")
    await send(desk.sender, "x")
    message = await receive_one(desk.receiver)
    await desk.receiver.dead_letter_message(message, reason="unreadable", error_description="no JSON")

    (dead,) = await consume(desk.dead, 1)

    assert (dead.dead_letter_reason, dead.dead_letter_error_description) == ("unreadable", "no JSON")
    assert await peek_all(desk.dead) == []


async def a_dead_letter_stays_in_its_queue_however_often_it_fails(desks: Desks, _accept: Accept) -> None:
    desk = desks("plain")
    await send(desk.sender, "x")
    await desk.receiver.dead_letter_message(await receive_one(desk.receiver))
    for _ in range(4):
        await desk.dead.abandon_message(await receive_one(desk.dead))
    message = await receive_one(desk.dead)
    with pytest.raises(ServiceBusError, match="dead-letter queue already"):
        await desk.dead.dead_letter_message(message)

    assert message.delivery_count == 4


async def a_deferred_message_is_received_by_its_number_only(desks: Desks, _accept: Accept) -> None:
    desk = desks("plain")
    await send(desk.sender, "x")
    message = await receive_one(desk.receiver)
    number = message.sequence_number
    assert number is not None
    await desk.receiver.defer_message(message)

    assert await desk.receiver.receive_messages(max_wait_time=0.3) == []
    (deferred,) = await desk.receiver.receive_deferred_messages(number)
    assert str(deferred) == "x"
    await desk.receiver.complete_message(deferred)
    with pytest.raises(ServiceBusError, match="message-not-found"):
        await desk.receiver.receive_deferred_messages(number)


async def peeking_shows_messages_in_any_state_and_takes_none(desks: Desks, _accept: Accept) -> None:
    desk = desks("plain")
    await send(desk.sender, "n0", "n1", "n2", "n3")
    locked = await receive_one(desk.receiver)

    assert [str(message) for message in await peek_all(desk.receiver)] == ["n0", "n1", "n2", "n3"]
    assert [str(message) for message in await desk.receiver.peek_messages(2, sequence_number=3)] == ["n2", "n3"]
    await desk.receiver.complete_message(locked)
    assert [str(message) for message in await consume(desk.receiver, 3)] == ["n1", "n2", "n3"]


SCENARIOS: list[Scenario] = [
    a_completed_message_is_gone,
    an_abandoned_message_comes_back_with_its_delivery_count,
    after_the_maximum_of_deliveries_a_message_is_dead_lettered,
    a_dead_lettered_message_keeps_reason_and_description,
    a_dead_letter_stays_in_its_queue_however_often_it_fails,
    a_deferred_message_is_received_by_its_number_only,
    peeking_shows_messages_in_any_state_and_takes_none,
]


@pytest.mark.parametrize("guarantee", [scenario.__name__ for scenario in SCENARIOS])
def test_settlement(guarantee: str, failures: Failures) -> None:
    if failures[guarantee] is not None:
        raise failures[guarantee]
