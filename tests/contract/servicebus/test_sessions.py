"""Message sessions: who holds one, how it ends, what stays."""

import asyncio

import pytest
from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusMessage
from azure.servicebus.exceptions import (
    OperationTimeoutError,
    ServiceBusError,
    SessionCannotBeLockedError,
    SessionLockLostError,
)

from tests.contract.servicebus.conftest import Accept, Desk, Desks
from tests.contract.servicebus.steps import consume, receive_one

pytestmark = pytest.mark.asyncio(loop_scope="module")
DESKS = {"plain": 1, "sessions": 10, "short-sessions": 2}


async def put(desk: Desk, session_id: str, *bodies: str) -> None:
    for body in bodies:
        await desk.sender.send_messages(ServiceBusMessage(body, session_id=session_id))


async def test_sessions_are_worked_on_side_by_side_and_each_in_order(desks: Desks, accept: Accept) -> None:
    desk = desks("sessions")
    for index in range(4):
        for number in range(5):
            await put(desk, f"s{number}", f"{number}-{index}")

    async def work(session_id: str) -> list[str]:
        return [str(message) for message in await consume(await accept(desk, session_id), 4)]

    results = await asyncio.gather(*(work(f"s{number}") for number in range(5)))

    assert results == [[f"{number}-{index}" for index in range(4)] for number in range(5)]


async def test_the_next_available_session_is_one_that_nobody_holds(desks: Desks, accept: Accept) -> None:
    desk = desks("sessions")
    await put(desk, "a", "a1")
    await put(desk, "b", "b1")

    first = await accept(desk, NEXT_AVAILABLE_SESSION)
    with pytest.raises(SessionCannotBeLockedError):
        await accept(desk, "a")
    second = await accept(desk, NEXT_AVAILABLE_SESSION)

    assert (first.session.session_id, second.session.session_id) == ("a", "b")


async def test_waiting_for_a_session_ends_after_the_time_the_client_gave(desks: Desks, accept: Accept) -> None:
    with pytest.raises(OperationTimeoutError):
        await accept(desks("sessions"), NEXT_AVAILABLE_SESSION, max_wait_time=1)


async def test_a_waiting_receiver_is_given_the_session_a_message_opens(desks: Desks, accept: Accept) -> None:
    desk = desks("sessions")
    waiting = asyncio.create_task(accept(desk, NEXT_AVAILABLE_SESSION, max_wait_time=20))
    await asyncio.sleep(0)
    await put(desk, "new", "x")
    receiver = await waiting

    assert receiver.session.session_id == "new"
    assert [str(message) for message in await consume(receiver, 1)] == ["x"]


async def test_an_empty_session_can_be_accepted_by_name(desks: Desks, accept: Accept) -> None:
    desk = desks("sessions")
    receiver = await accept(desk, "replies-1")
    await put(desk, "replies-1", "x")

    assert [str(message) for message in await consume(receiver, 1)] == ["x"]


async def test_state_and_messages_stay_when_a_session_is_closed(desks: Desks, accept: Accept) -> None:
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


async def test_a_session_whose_lock_expired_is_lost_and_its_message_counts_as_failed(
    desks: Desks, accept: Accept
) -> None:
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


async def test_a_renewed_session_outlives_its_first_end(desks: Desks, accept: Accept) -> None:
    desk = desks("short-sessions")
    await put(desk, "a", "x")
    receiver = await accept(desk, "a")
    message = await receive_one(receiver)
    for _ in range(3):
        assert await receiver.receive_messages(max_wait_time=0.9) == []
        await receiver.session.renew_lock()
    await receiver.complete_message(message)

    assert await receiver.peek_messages(sequence_number=1) == []


async def test_a_message_without_a_session_is_refused(desks: Desks) -> None:
    with pytest.raises(ServiceBusError, match="SessionId was not set"):
        await desks("sessions").sender.send_messages(ServiceBusMessage("x"))


async def test_a_receiver_must_match_its_queue(desks: Desks, accept: Accept) -> None:
    with pytest.raises(ServiceBusError, match="non-sessionful"):
        await accept(desks("sessions"), None)
    with pytest.raises(ServiceBusError, match="does not require sessions"):
        await accept(desks("plain"), "a")


async def test_deferred_and_dead_messages_of_a_session_are_found_again(desks: Desks, accept: Accept) -> None:
    desk = desks("sessions")
    await put(desk, "a", "x")
    receiver = await accept(desk, "a")
    message = await receive_one(receiver)
    await receiver.defer_message(message)
    assert message.sequence_number is not None
    (deferred,) = await receiver.receive_deferred_messages(message.sequence_number)
    await receiver.dead_letter_message(deferred, reason="r")

    (dead,) = await consume(desk.dead, 1)

    assert (dead.session_id, dead.dead_letter_reason) == ("a", "r")


async def test_sessions_in_use_are_listed(desks: Desks) -> None:
    desk = desks("sessions")
    await put(desk, "b", "x")
    await put(desk, "a", "x")

    assert [session_id async for session_id in desk.client.list_queue_sessions(desk.queue)] == ["a", "b"]
