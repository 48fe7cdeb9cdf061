"""Guarantees that take real time to see. Their scenarios mostly wait, so they run side by side."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusMessage
from azure.servicebus.aio import AutoLockRenewer
from azure.servicebus.exceptions import MessageLockLostError, OperationTimeoutError, SessionLockLostError

from tests.contract.servicebus.conftest import Accept, Desks, Failures, Scenario
from tests.contract.servicebus.steps import consume, peek_all, put, receive, receive_one, send, soon

DESKS = {"plain": 3, "short-lock": 3, "sessions": 2, "short-sessions": 2, "expiring": 2, "unique": 1}


async def an_expired_lock_is_reported_and_the_message_comes_back(desks: Desks, _accept: Accept) -> None:
    desk = desks("short-lock")
    await send(desk.sender, "x")
    late = await receive_one(desk.receiver)
    again = await receive_one(desk.receiver)
    with pytest.raises(MessageLockLostError):
        await desk.receiver.complete_message(late)
    await desk.receiver.complete_message(again)

    assert again.delivery_count == 1


async def a_renewed_lock_outlives_its_first_end(desks: Desks, _accept: Accept) -> None:
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


async def a_lock_renewer_keeps_moving_the_end_of_a_lock(desks: Desks, _accept: Accept) -> None:
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


async def a_lock_outlives_the_receiver_that_took_it(desks: Desks, _accept: Accept) -> None:
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


async def a_closed_receiver_returns_what_it_had_prefetched(desks: Desks, _accept: Accept) -> None:
    desk = desks("plain")
    await send(desk.sender, *(f"n{number}" for number in range(20)))
    async with desk.client.get_queue_receiver(desk.queue, prefetch_count=20) as receiver:
        (first,) = await receive(receiver, 1)
        await receiver.complete_message(first)

    rest = await consume(desk.receiver, 19)

    assert {message.delivery_count for message in rest} == {0}


async def waiting_for_a_session_ends_after_the_time_the_client_gave(desks: Desks, accept: Accept) -> None:
    with pytest.raises(OperationTimeoutError):
        await accept(desks("sessions"), NEXT_AVAILABLE_SESSION, max_wait_time=1)


async def a_session_whose_lock_expired_is_lost_and_its_message_counts_as_failed(desks: Desks, accept: Accept) -> None:
    desk = desks("short-sessions")
    await put(desk, "a", "x")
    late = await accept(desk, "a")
    message = await receive_one(late)

    other = await accept(desk, NEXT_AVAILABLE_SESSION, max_wait_time=10)

    with pytest.raises(SessionLockLostError):
        await late.session.renew_lock()
    with pytest.raises(SessionLockLostError):
        await late.complete_message(message)
    assert (await receive_one(other)).delivery_count == 1


async def a_renewed_session_outlives_its_first_end(desks: Desks, accept: Accept) -> None:
    desk = desks("short-sessions")
    await put(desk, "a", "x")
    receiver = await accept(desk, "a")
    message = await receive_one(receiver)
    for _ in range(3):
        assert await receiver.receive_messages(max_wait_time=0.9) == []
        await receiver.session.renew_lock()
    await receiver.complete_message(message)

    assert await receiver.peek_messages(sequence_number=1) == []


async def state_and_messages_stay_when_a_session_is_closed(desks: Desks, accept: Accept) -> None:
    desk = desks("sessions")
    await put(desk, "a", "x")
    receiver = await accept(desk, "a")
    assert await receiver.session.get_state() is None
    await receiver.session.set_state(b"step 7")
    await receive_one(receiver)
    await receiver.close()

    receiver = await accept(desk, "a")

    assert await receiver.session.get_state() == b"step 7"
    await receiver.session.set_state(None)
    assert await receiver.session.get_state() is None
    (message,) = await consume(receiver, 1)
    assert message.delivery_count == 0


async def a_scheduled_message_arrives_at_its_time_and_not_before(desks: Desks, _accept: Accept) -> None:
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


async def a_message_expires_although_a_receiver_held_it(desks: Desks, _accept: Accept) -> None:
    desk = desks("expiring")
    await send(desk.sender, "old")
    message = await receive_one(desk.receiver)
    assert await desk.receiver.receive_messages(max_wait_time=1.1) == []
    assert await peek_all(desk.dead) == []
    await desk.receiver.abandon_message(message)

    assert [str(dead) for dead in await consume(desk.dead, 1)] == ["old"]


async def an_id_is_forgotten_after_the_window(desks: Desks, _accept: Accept) -> None:
    desk = desks("unique")
    await desk.sender.send_messages(ServiceBusMessage("first", message_id="same"))
    assert [str(message) for message in await consume(desk.receiver, 1)] == ["first"]
    assert await desk.receiver.receive_messages(max_wait_time=2.1) == []
    await desk.sender.send_messages(ServiceBusMessage("second", message_id="same"))

    assert [str(message) for message in await consume(desk.receiver, 1)] == ["second"]


async def an_expired_message_goes_to_the_dead_letter_queue(desks: Desks, _accept: Accept) -> None:
    desk = desks("expiring")
    await send(desk.sender, "old")

    (message,) = await consume(desk.dead, 1)

    assert (str(message), message.dead_letter_reason) == ("old", "TTLExpiredException")
    assert await peek_all(desk.receiver) == []


SCENARIOS: list[Scenario] = [
    an_expired_lock_is_reported_and_the_message_comes_back,
    a_renewed_lock_outlives_its_first_end,
    a_lock_renewer_keeps_moving_the_end_of_a_lock,
    a_lock_outlives_the_receiver_that_took_it,
    a_closed_receiver_returns_what_it_had_prefetched,
    waiting_for_a_session_ends_after_the_time_the_client_gave,
    a_session_whose_lock_expired_is_lost_and_its_message_counts_as_failed,
    a_renewed_session_outlives_its_first_end,
    state_and_messages_stay_when_a_session_is_closed,
    a_scheduled_message_arrives_at_its_time_and_not_before,
    a_message_expires_although_a_receiver_held_it,
    an_id_is_forgotten_after_the_window,
    an_expired_message_goes_to_the_dead_letter_queue,
]


@pytest.mark.parametrize("guarantee", [scenario.__name__ for scenario in SCENARIOS])
def test_in_time(guarantee: str, failures: Failures) -> None:
    if failures[guarantee] is not None:
        raise failures[guarantee]
