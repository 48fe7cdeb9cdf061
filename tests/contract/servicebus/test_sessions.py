"""Message sessions: who holds one, how it ends, what stays. The scenarios run side by side."""

import asyncio

import pytest
from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusMessage
from azure.servicebus.exceptions import (
    ServiceBusError,
    SessionCannotBeLockedError,
)

from tests.contract.servicebus.conftest import Accept, Desks, Failures, Scenario
from tests.contract.servicebus.steps import consume, put, receive_one

DESKS = {"plain": 1, "sessions": 8}


async def sessions_are_worked_on_side_by_side_and_each_in_order(desks: Desks, accept: Accept) -> None:
    desk = desks("sessions")
    for index in range(4):
        for number in range(5):
            await put(desk, f"s{number}", f"{number}-{index}")

    async def work(session_id: str) -> list[str]:
        return [str(message) for message in await consume(await accept(desk, session_id), 4)]

    results = await asyncio.gather(*(work(f"s{number}") for number in range(5)))

    assert results == [[f"{number}-{index}" for index in range(4)] for number in range(5)]


async def the_next_available_session_is_one_that_nobody_holds(desks: Desks, accept: Accept) -> None:
    desk = desks("sessions")
    await put(desk, "a", "a1")
    await put(desk, "b", "b1")

    first = await accept(desk, NEXT_AVAILABLE_SESSION)
    with pytest.raises(SessionCannotBeLockedError):
        await accept(desk, "a")
    second = await accept(desk, NEXT_AVAILABLE_SESSION)

    assert (first.session.session_id, second.session.session_id) == ("a", "b")


async def a_waiting_receiver_is_given_the_session_a_message_opens(desks: Desks, accept: Accept) -> None:
    desk = desks("sessions")
    waiting = asyncio.create_task(accept(desk, NEXT_AVAILABLE_SESSION, max_wait_time=20))
    await asyncio.sleep(0)
    await put(desk, "new", "x")
    receiver = await waiting

    assert receiver.session.session_id == "new"
    assert [str(message) for message in await consume(receiver, 1)] == ["x"]


async def an_empty_session_can_be_accepted_by_name(desks: Desks, accept: Accept) -> None:
    desk = desks("sessions")
    receiver = await accept(desk, "replies-1")
    await put(desk, "replies-1", "x")

    assert [str(message) for message in await consume(receiver, 1)] == ["x"]


async def a_message_without_a_session_is_refused(desks: Desks, _accept: Accept) -> None:
    with pytest.raises(ServiceBusError, match="SessionId was not set"):
        await desks("sessions").sender.send_messages(ServiceBusMessage("x"))


async def a_receiver_must_match_its_queue(desks: Desks, accept: Accept) -> None:
    with pytest.raises(ServiceBusError, match="non-sessionful"):
        await accept(desks("sessions"), None)
    with pytest.raises(ServiceBusError, match="does not require sessions"):
        await accept(desks("plain"), "a")


async def deferred_and_dead_messages_of_a_session_are_found_again(desks: Desks, accept: Accept) -> None:
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


async def sessions_in_use_are_listed(desks: Desks, _accept: Accept) -> None:
    desk = desks("sessions")
    await put(desk, "b", "x")
    await put(desk, "a", "x")

    assert [session_id async for session_id in desk.client.list_queue_sessions(desk.queue)] == ["a", "b"]


SCENARIOS: list[Scenario] = [
    sessions_are_worked_on_side_by_side_and_each_in_order,
    the_next_available_session_is_one_that_nobody_holds,
    a_waiting_receiver_is_given_the_session_a_message_opens,
    an_empty_session_can_be_accepted_by_name,
    a_message_without_a_session_is_refused,
    a_receiver_must_match_its_queue,
    deferred_and_dead_messages_of_a_session_are_found_again,
    sessions_in_use_are_listed,
]


@pytest.mark.parametrize("guarantee", [scenario.__name__ for scenario in SCENARIOS])
def test_sessions(guarantee: str, failures: Failures) -> None:
    if failures[guarantee] is not None:
        raise failures[guarantee]
