"""The synchronous Python SDK. It is stricter about frames than the JavaScript SDK is."""

from datetime import UTC, datetime, timedelta

import pytest
from azure.servicebus import (
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusReceivedMessage,
    ServiceBusReceiver,
)
from azure.servicebus.exceptions import MessageSizeExceededError

from tests.contract.servicebus.conftest import QueueNames


def receive_one(receiver: ServiceBusReceiver) -> ServiceBusReceivedMessage:
    (message,) = receiver.receive_messages(max_message_count=1, max_wait_time=5)
    return message


def test_all_ways_of_sending_and_settling_work(client: ServiceBusClient, fresh_queue: QueueNames) -> None:
    queue = fresh_queue("plain")
    with client.get_queue_sender(queue) as sender, client.get_queue_receiver(queue) as receiver:
        sender.send_messages(ServiceBusMessage("single"))
        sender.send_messages([ServiceBusMessage(f"batch-{number}") for number in range(3)])
        soon = datetime.now(UTC) + timedelta(seconds=60)
        sender.cancel_scheduled_messages(sender.schedule_messages(ServiceBusMessage("never"), soon))
        with pytest.raises(MessageSizeExceededError):
            sender.send_messages(ServiceBusMessage(b"x" * 263_000))

        receiver.complete_message(receive_one(receiver))
        receiver.abandon_message(receive_one(receiver))
        again = receive_one(receiver)
        receiver.dead_letter_message(again, reason="r")
        deferred = receive_one(receiver)
        receiver.defer_message(deferred)
        assert deferred.sequence_number is not None
        (found,) = receiver.receive_deferred_messages(deferred.sequence_number)
        receiver.complete_message(found)
        last = receive_one(receiver)
        assert receiver.renew_message_lock(last) > datetime.now(UTC)
        receiver.complete_message(last)
        assert receiver.peek_messages() == []

    assert [str(again), str(found), str(last)] == ["batch-0", "batch-1", "batch-2"]
    assert again.delivery_count == 1


def test_a_session_is_iterated_until_it_is_empty(client: ServiceBusClient, fresh_queue: QueueNames) -> None:
    queue, bodies = fresh_queue("sessions"), [f"n{number}" for number in range(10)]
    with (
        client.get_queue_sender(queue) as sender,
        client.get_queue_receiver(queue, session_id="s", max_wait_time=1) as receiver,
    ):
        sender.send_messages([ServiceBusMessage(body, session_id="s") for body in bodies])
        seen = []
        for message in receiver:
            receiver.complete_message(message)
            seen.append(str(message))
        receiver.session.set_state("done")
        assert receiver.session.get_state() == b"done"

    assert seen == bodies
