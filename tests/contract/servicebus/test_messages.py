"""What comes in goes out: properties, bodies, sizes, order. The scenarios run side by side."""

import asyncio
import uuid

import pytest
from azure.servicebus import ServiceBusMessage, ServiceBusReceiveMode
from azure.servicebus.amqp import AmqpAnnotatedMessage
from azure.servicebus.exceptions import MessageSizeExceededError, MessagingEntityNotFoundError, ServiceBusError

from tests.contract.servicebus.conftest import Accept, Desks, Failures, Scenario
from tests.contract.servicebus.steps import consume, peek_all, receive, send

DESKS = {"plain": 11}


async def every_property_of_a_message_arrives(desks: Desks, _accept: Accept) -> None:
    desk, key = desks("plain"), uuid.uuid4()
    await desk.sender.send_messages(
        ServiceBusMessage(
            b"body",
            message_id="m-1",
            correlation_id="c-1",
            subject="turn",
            content_type="application/json",
            to="someone",
            reply_to="replies",
            reply_to_session_id="host-1",
            session_id="not-needed-here",
            application_properties={"lane": "standard", "attempt": 3, "ratio": 0.5, "final": True, "key": key},
        )
    )

    (message,) = await consume(desk.receiver, 1)

    assert b"".join(message.body) == b"body"
    assert (message.message_id, message.correlation_id, message.subject) == ("m-1", "c-1", "turn")
    assert (message.content_type, message.to, message.reply_to) == ("application/json", "someone", "replies")
    assert (message.reply_to_session_id, message.session_id) == ("host-1", "not-needed-here")
    assert message.application_properties == {
        b"lane": b"standard",
        b"attempt": 3,
        b"ratio": 0.5,
        b"final": True,
        b"key": key,
    }
    assert (message.sequence_number, message.delivery_count) == (1, 0)


async def value_and_sequence_bodies_pass_unchanged(desks: Desks, _accept: Accept) -> None:
    desk = desks("plain")
    await desk.sender.send_messages(AmqpAnnotatedMessage(value_body={"a": [1, None, "x"]}))
    await desk.sender.send_messages(AmqpAnnotatedMessage(sequence_body=[[1, 2], ["x"]]))

    value, sequence = await consume(desk.receiver, 2)

    assert value.raw_amqp_message.body == {b"a": [1, None, b"x"]}
    assert list(sequence.raw_amqp_message.body) == [[1, 2], [b"x"]]


async def annotations_of_the_sender_are_kept(desks: Desks, _accept: Accept) -> None:
    desk = desks("plain")
    await desk.sender.send_messages(AmqpAnnotatedMessage(data_body=b"x", annotations={"x-app": "kept"}))

    (message,) = await consume(desk.receiver, 1)

    assert message.raw_amqp_message.annotations is not None
    assert message.raw_amqp_message.annotations[b"x-app"] == b"kept"


async def a_message_without_an_id_is_given_one(desks: Desks, _accept: Accept) -> None:
    desk = desks("plain")
    await send(desk.sender, "a", "b")

    first, second = await consume(desk.receiver, 2)

    assert first.message_id
    assert first.message_id != second.message_id


async def a_batch_arrives_in_order(desks: Desks, _accept: Accept) -> None:
    desk = desks("plain")
    batch = await desk.sender.create_message_batch()
    for number in range(250):
        batch.add_message(ServiceBusMessage(f"n{number}"))
    await desk.sender.send_messages(batch)

    messages = await consume(desk.receiver, 250)

    assert batch.max_size_in_bytes == 256 * 1024
    assert [str(message) for message in messages] == [f"n{number}" for number in range(250)]
    assert [message.sequence_number for message in messages] == list(range(1, 251))


async def a_batch_with_one_bad_message_is_refused_as_a_whole(desks: Desks, _accept: Accept) -> None:
    desk = desks("plain")
    batch = await desk.sender.create_message_batch()
    batch.add_message(ServiceBusMessage("good"))
    batch.add_message(AmqpAnnotatedMessage(data_body=b"bad", properties={"group_id": "g" * 129}))

    with pytest.raises(ServiceBusError, match="129 characters"):
        await desk.sender.send_messages(batch)

    assert await peek_all(desk.receiver) == []


async def messages_sent_at_once_all_arrive_once(desks: Desks, _accept: Accept) -> None:
    desk, expected = desks("plain"), [f"n{number}" for number in range(300)]
    for start in range(0, 300, 50):
        await asyncio.gather(*(send(desk.sender, body) for body in expected[start : start + 50]))

    messages = await consume(desk.receiver, 300)

    assert sorted(str(message) for message in messages) == sorted(expected)
    assert await peek_all(desk.receiver) == []


async def a_waiting_receiver_gets_a_message_as_soon_as_it_is_sent(desks: Desks, _accept: Accept) -> None:
    desk, clock = desks("plain"), asyncio.get_running_loop().time
    waiting = asyncio.create_task(receive(desk.receiver, 1))
    await asyncio.sleep(0)
    await send(desk.sender, "x")
    sent_at = clock()

    (message,) = await waiting

    assert clock() - sent_at < 2
    await desk.receiver.complete_message(message)


async def a_message_up_to_the_limit_passes_and_one_beyond_is_refused(desks: Desks, _accept: Accept) -> None:
    desk = desks("plain")
    await send(desk.sender, "x" * 261_000)
    with pytest.raises(MessageSizeExceededError):
        await send(desk.sender, "x" * 263_000)
    await send(desk.sender, "after")

    large, after = await consume(desk.receiver, 2)

    assert len(str(large)) == 261_000
    assert str(after) == "after"


async def receive_and_delete_leaves_nothing_behind(desks: Desks, _accept: Accept) -> None:
    desk = desks("plain")
    await send(desk.sender, "a", "b")
    mode = ServiceBusReceiveMode.RECEIVE_AND_DELETE
    async with desk.client.get_queue_receiver(desk.queue, receive_mode=mode) as receiver:
        messages = await receive(receiver, 2)

    assert [str(message) for message in messages] == ["a", "b"]
    assert await peek_all(desk.receiver) == []


async def what_does_not_exist_is_not_found_and_what_is_not_covered_says_so(desks: Desks, _accept: Accept) -> None:
    desk = desks("plain")

    async def refusal(handler: object) -> str:
        with pytest.raises(ServiceBusError) as caught:
            await handler.__aenter__()  # type: ignore[attr-defined]  # senders and receivers have no common base
        return f"{type(caught.value).__name__}: {caught.value}"

    missing, topic, dead = await asyncio.gather(
        refusal(desk.client.get_queue_receiver("no-such-queue")),
        refusal(desk.client.get_subscription_receiver("a-topic", "a-subscription")),
        refusal(desk.client.get_queue_sender(desk.queue + "/$DeadLetterQueue")),
    )

    assert missing.startswith(f"{MessagingEntityNotFoundError.__name__}: The messaging entity 'no-such-queue'")
    assert "Topics and subscriptions are not covered" in topic
    assert "cannot be sent to a dead-letter queue" in dead


SCENARIOS: list[Scenario] = [
    every_property_of_a_message_arrives,
    value_and_sequence_bodies_pass_unchanged,
    annotations_of_the_sender_are_kept,
    a_message_without_an_id_is_given_one,
    a_batch_arrives_in_order,
    a_batch_with_one_bad_message_is_refused_as_a_whole,
    messages_sent_at_once_all_arrive_once,
    a_waiting_receiver_gets_a_message_as_soon_as_it_is_sent,
    a_message_up_to_the_limit_passes_and_one_beyond_is_refused,
    receive_and_delete_leaves_nothing_behind,
    what_does_not_exist_is_not_found_and_what_is_not_covered_says_so,
]


@pytest.mark.parametrize("guarantee", [scenario.__name__ for scenario in SCENARIOS])
def test_messages(guarantee: str, failures: Failures) -> None:
    if failures[guarantee] is not None:
        raise failures[guarantee]
