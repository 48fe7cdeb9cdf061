"""What becomes of a message that was received, and of its lock."""

import asyncio
from datetime import UTC, datetime

import pytest
from azure.servicebus.aio import AutoLockRenewer
from azure.servicebus.exceptions import MessageLockLostError, ServiceBusError

from tests.contract.servicebus.conftest import Desks
from tests.contract.servicebus.steps import consume, peek_all, receive, receive_one, send

pytestmark = pytest.mark.asyncio(loop_scope="module")
DESKS = {"plain": 9, "short-lock": 3}


async def test_a_completed_message_is_gone(desks: Desks) -> None:
    desk = desks("plain")
    await send(desk.sender, "x")
    await desk.receiver.complete_message(await receive_one(desk.receiver))

    assert await peek_all(desk.receiver) == []


async def test_an_abandoned_message_comes_back_with_its_delivery_count(desks: Desks) -> None:
    desk = desks("plain")
    await send(desk.sender, "x")
    await desk.receiver.abandon_message(await receive_one(desk.receiver))

    (again,) = await consume(desk.receiver, 1)

    assert (str(again), again.delivery_count) == ("x", 1)


async def test_after_the_maximum_of_deliveries_a_message_is_dead_lettered(desks: Desks) -> None:
    desk = desks("plain")
    await send(desk.sender, "poison")
    for _ in range(3):
        await desk.receiver.abandon_message(await receive_one(desk.receiver))

    assert await peek_all(desk.receiver) == []
    (message,) = await consume(desk.dead, 1)
    assert str(message) == "poison"
    assert message.dead_letter_reason == "MaxDeliveryCountExceeded"
    assert (message.delivery_count, message.enqueued_sequence_number) == (3, 1)


async def test_a_dead_lettered_message_keeps_reason_and_description(desks: Desks) -> None:
    desk = desks("plain")
    await send(desk.sender, "x")
    message = await receive_one(desk.receiver)
    await desk.receiver.dead_letter_message(message, reason="unreadable", error_description="no JSON")

    (dead,) = await consume(desk.dead, 1)

    assert (dead.dead_letter_reason, dead.dead_letter_error_description) == ("unreadable", "no JSON")
    assert await peek_all(desk.dead) == []


async def test_a_dead_letter_stays_in_its_queue_however_often_it_fails(desks: Desks) -> None:
    desk = desks("plain")
    await send(desk.sender, "x")
    await desk.receiver.dead_letter_message(await receive_one(desk.receiver))
    for _ in range(4):
        await desk.dead.abandon_message(await receive_one(desk.dead))
    message = await receive_one(desk.dead)
    with pytest.raises(ServiceBusError, match="dead-letter queue already"):
        await desk.dead.dead_letter_message(message)

    assert message.delivery_count == 4


async def test_a_deferred_message_is_received_by_its_number_only(desks: Desks) -> None:
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


async def test_peeking_shows_messages_in_any_state_and_takes_none(desks: Desks) -> None:
    desk = desks("plain")
    await send(desk.sender, "n0", "n1", "n2", "n3")
    locked = await receive_one(desk.receiver)

    assert [str(message) for message in await peek_all(desk.receiver)] == ["n0", "n1", "n2", "n3"]
    assert [str(message) for message in await desk.receiver.peek_messages(2, sequence_number=3)] == ["n2", "n3"]
    await desk.receiver.complete_message(locked)
    assert [str(message) for message in await consume(desk.receiver, 3)] == ["n1", "n2", "n3"]


async def test_an_expired_lock_is_reported_and_the_message_comes_back(desks: Desks) -> None:
    desk = desks("short-lock")
    await send(desk.sender, "x")
    late = await receive_one(desk.receiver)
    again = await receive_one(desk.receiver)
    with pytest.raises(MessageLockLostError):
        await desk.receiver.complete_message(late)
    await desk.receiver.complete_message(again)

    assert again.delivery_count == 1


async def test_a_renewed_lock_outlives_its_first_end(desks: Desks) -> None:
    desk = desks("short-lock")
    await send(desk.sender, "x")
    message = await receive_one(desk.receiver)
    first_end = message.locked_until_utc
    for _ in range(3):
        assert await desk.receiver.receive_messages(max_wait_time=0.9) == []
        await desk.receiver.renew_message_lock(message)
    assert first_end is not None
    assert datetime.now(UTC) > first_end
    await desk.receiver.complete_message(message)

    assert await peek_all(desk.receiver) == []


async def test_a_lock_renewer_keeps_moving_the_end_of_a_lock(desks: Desks) -> None:
    desk = desks("plain")
    await send(desk.sender, "slow")
    async with AutoLockRenewer() as renewer:
        renewer._renew_period = 59  # of a lock of 60 seconds: it looks once a second and renews within two
        message = await receive_one(desk.receiver)
        first_end = message.locked_until_utc
        renewer.register(desk.receiver, message)
        assert first_end is not None
        async with asyncio.timeout(20):
            while message.locked_until_utc <= first_end:
                await desk.receiver.receive_messages(max_wait_time=0.1)
        await desk.receiver.complete_message(message)

    assert await peek_all(desk.receiver) == []


async def test_a_lock_outlives_the_receiver_that_took_it(desks: Desks) -> None:
    desk = desks("short-lock")
    await send(desk.sender, "x")
    async with desk.client.get_queue_receiver(desk.queue) as gone:
        taken = await receive_one(gone)
        await desk.receiver.renew_message_lock(taken)
        closing = asyncio.create_task(gone.close())
        assert await desk.receiver.receive_messages(max_wait_time=0.6) == []
        await closing

    (again,) = await consume(desk.receiver, 1)

    assert again.delivery_count == 1


async def test_a_closed_receiver_returns_what_it_had_prefetched(desks: Desks) -> None:
    desk = desks("plain")
    await send(desk.sender, *(f"n{number}" for number in range(20)))
    async with desk.client.get_queue_receiver(desk.queue, prefetch_count=20) as receiver:
        (first,) = await receive(receiver, 1)
        await receiver.complete_message(first)

    rest = await consume(desk.receiver, 19)

    assert {message.delivery_count for message in rest} == {0}
