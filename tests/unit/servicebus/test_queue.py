"""Queue semantics against a clock that is moved by hand."""

import pytest

from local.servicebus.amqp.decoder import decode
from local.servicebus.broker.errors import MessageLockLost, MessageNotFound, NotAllowed, QuotaExceeded
from local.servicebus.broker.message import sections
from local.servicebus.broker.stored import State
from tests.unit.servicebus.rig import Receiver, Rig, content


def application_properties(message: bytes) -> dict[str, object]:
    section = next(section for section in sections(message) if section.code == 0x74)
    return dict(decode(message, section.value)[0])


def test_messages_are_delivered_in_order_up_to_the_credit() -> None:
    rig = Rig()
    rig.put("a", "b", "c")

    receiver = rig.receive(credit=2)

    assert receiver.bodies == ["a", "b"]
    assert rig.receive(receiver).bodies == ["a", "b", "c"]


def test_receivers_are_served_in_turn() -> None:
    rig, left, right = Rig(), Receiver(credit=3), Receiver(credit=3)
    rig.queue.add_consumer(left)
    rig.queue.add_consumer(right)
    rig.put("a", "b", "c", "d")
    rig.broker.finish_turn()

    assert (left.bodies, right.bodies) == (["a", "c"], ["b", "d"])


def test_a_presettled_receiver_leaves_nothing_behind() -> None:
    rig, receiver = Rig(), Receiver(credit=5, presettled=True)
    rig.queue.add_consumer(receiver)
    rig.put("a")
    rig.broker.finish_turn()

    assert (receiver.bodies, receiver.tokens, rig.held()) == (["a"], [None], [])


def test_an_abandoned_message_comes_back_first() -> None:
    rig = Rig()
    rig.put("a", "b")
    receiver = rig.receive()
    rig.queue.abandon(receiver.token)

    assert rig.receive(receiver, credit=2).bodies == ["a", "a", "b"]


def test_a_redelivered_message_keeps_its_delivery_count() -> None:
    rig = Rig()
    rig.put("a")
    receiver = rig.receive()
    rig.queue.abandon(receiver.token)
    rig.receive(receiver)
    rig.queue.release(receiver.token)
    rig.receive(receiver)

    assert rig.queue.store.messages[1].delivery_count == 1


def test_at_the_maximum_of_deliveries_a_message_is_dead_lettered_with_the_reason() -> None:
    rig = Rig(max_delivery_count=2)
    rig.put("a")
    receiver = rig.receive()
    rig.queue.abandon(receiver.token)
    rig.receive(receiver)
    rig.queue.abandon(receiver.token)

    assert (rig.held(), rig.held(rig.dead)) == ([], ["a"])
    dead = rig.dead.store.messages[1]
    assert application_properties(dead.encode())["DeadLetterReason"] == "MaxDeliveryCountExceeded"
    assert (dead.delivery_count, dead.original_sequence_number) == (2, 1)


def test_a_lock_expires_to_the_second_and_counts_as_a_failed_delivery() -> None:
    rig = Rig(lock_seconds=10)
    rig.put("a")
    receiver = rig.receive()
    receiver.credit = 1
    rig.pass_time(9.9)
    assert receiver.bodies == ["a"]
    rig.pass_time(0.1)

    assert receiver.bodies == ["a", "a"]
    assert rig.queue.store.messages[1].delivery_count == 1


def test_a_lock_that_ran_out_is_lost_even_when_no_timer_has_fired() -> None:
    rig = Rig(lock_seconds=10)
    rig.put("a")
    receiver = rig.receive()
    rig.clock.now += 10

    for settle in (rig.queue.complete, rig.queue.abandon, rig.queue.release, rig.queue.defer, rig.queue.dead_letter):
        with pytest.raises(MessageLockLost):
            settle(receiver.token)
    with pytest.raises(MessageLockLost):
        rig.queue.renew_lock(receiver.token)


def test_a_renewed_lock_ends_later() -> None:
    rig = Rig(lock_seconds=10)
    rig.put("a")
    receiver = rig.receive()
    rig.pass_time(8)
    assert rig.queue.renew_lock(receiver.token) == rig.clock.now + 10
    rig.pass_time(9)
    rig.queue.complete(receiver.token)

    assert rig.held() == []


def test_a_message_is_settled_once() -> None:
    rig = Rig()
    rig.put("a")
    receiver = rig.receive()
    rig.queue.complete(receiver.token)

    with pytest.raises(MessageLockLost):
        rig.queue.complete(receiver.token)


def test_locks_stay_when_their_receiver_goes() -> None:
    rig = Rig(lock_seconds=10)
    rig.put("a")
    gone = rig.receive()
    rig.queue.remove_consumer(gone)
    receiver = rig.receive()
    assert receiver.bodies == []
    rig.pass_time(10)

    assert (receiver.bodies, gone.bodies) == (["a"], ["a"])


def test_a_deferred_message_is_received_by_its_number_until_it_is_completed() -> None:
    rig = Rig()
    rig.put("a")
    receiver = rig.receive()
    rig.queue.defer(receiver.token)
    assert rig.receive(receiver).bodies == ["a"]

    (message,) = rig.queue.receive_deferred([1], delete=False, session=None)
    assert message.lock_token is not None
    with pytest.raises(MessageNotFound):
        rig.queue.receive_deferred([1], delete=False, session=None)
    rig.queue.abandon(message.lock_token)
    assert rig.queue.store.messages[1].state is State.DEFERRED
    (message,) = rig.queue.receive_deferred([1], delete=True, session=None)

    assert (message.delivery_count, rig.held()) == (1, [])


def test_the_lock_of_a_deferred_message_expires_too() -> None:
    rig = Rig(lock_seconds=10)
    rig.put("a")
    rig.queue.defer(rig.receive().token)
    (message,) = rig.queue.receive_deferred([1], delete=False, session=None)
    rig.broker.finish_turn()
    rig.pass_time(10)

    assert (message.lock_token, message.delivery_count, message.state) == (None, 1, State.DEFERRED)


def test_deferred_messages_are_taken_all_or_none() -> None:
    rig = Rig()
    rig.put("a")
    receiver = rig.receive()
    rig.queue.defer(receiver.token)

    with pytest.raises(MessageNotFound, match="sequence number 2"):
        rig.queue.receive_deferred([1, 2], delete=True, session=None)
    assert rig.held() == ["a"]


def test_properties_given_with_a_settlement_are_added_to_the_message() -> None:
    rig = Rig()
    rig.put("a")
    receiver = rig.receive()
    rig.queue.abandon(receiver.token, {"tried": "yes"})
    rig.receive(receiver)
    rig.queue.dead_letter(receiver.token, "reason", None, {"by": "worker"})

    assert application_properties(rig.dead.store.messages[1].encode()) == {
        "tried": "yes",
        "by": "worker",
        "DeadLetterReason": "reason",
    }


def test_a_dead_letter_cannot_be_dead_lettered_again() -> None:
    rig = Rig()
    rig.put("a")
    rig.queue.dead_letter(rig.receive().token)
    token = rig.receive(queue=rig.dead).token

    with pytest.raises(NotAllowed):
        rig.dead.dead_letter(token)
    rig.dead.complete(token)
    assert rig.held(rig.dead) == []


def test_a_scheduled_message_becomes_active_as_a_new_arrival() -> None:
    rig = Rig(time_to_live_seconds=100)
    rig.put("later", scheduled_at=rig.clock.now + 50)
    rig.put("now")
    receiver = rig.receive(credit=5)
    assert receiver.bodies == ["now"]
    rig.pass_time(50)

    message = rig.queue.store.messages[3]
    assert receiver.bodies == ["now", "later"]
    assert 1 not in rig.queue.store.messages
    assert (message.enqueued_at, message.expires_at) == (rig.clock.now, rig.clock.now + 100)


def test_a_schedule_in_the_past_is_now() -> None:
    rig = Rig()
    rig.put("a", scheduled_at=rig.clock.now - 1)

    assert rig.receive().bodies == ["a"]


def test_schedules_are_cancelled_all_or_none() -> None:
    rig = Rig()
    rig.put("a", scheduled_at=rig.clock.now + 50)
    with pytest.raises(MessageNotFound):
        rig.queue.cancel_scheduled([1, 2])
    assert rig.held() == ["a"]
    rig.queue.cancel_scheduled([1])

    assert rig.held() == []


def test_a_message_expires_to_the_second() -> None:
    rig = Rig(time_to_live_seconds=30, dead_letters_on_expiry=True)
    rig.put("a")
    rig.pass_time(29.9)
    assert rig.held() == ["a"]
    rig.pass_time(0.1)

    assert (rig.held(), rig.held(rig.dead)) == ([], ["a"])
    rig.pass_time(1000)
    assert rig.held(rig.dead) == ["a"]


def test_an_expired_message_is_dropped_without_dead_lettering() -> None:
    rig = Rig(time_to_live_seconds=30)
    rig.put("a")
    rig.pass_time(30)

    assert (rig.held(), rig.held(rig.dead)) == ([], [])


def test_a_locked_message_expires_when_it_comes_back() -> None:
    rig = Rig(time_to_live_seconds=30, dead_letters_on_expiry=True)
    rig.put("a")
    receiver = rig.receive()
    rig.pass_time(40)
    assert rig.held() == ["a"]
    rig.queue.abandon(receiver.token)

    assert (rig.held(), rig.held(rig.dead)) == ([], ["a"])


def test_a_deferred_message_does_not_expire() -> None:
    rig = Rig(time_to_live_seconds=30)
    rig.put("a")
    rig.queue.defer(rig.receive().token)
    rig.pass_time(1000)

    assert rig.held() == ["a"]


def test_duplicates_are_dropped_within_the_window_and_told_the_first_number() -> None:
    rig = Rig(duplicate_window_seconds=60)
    assert rig.put("a", message_id="same") == [1]
    assert rig.put("b", message_id="same") == [1]
    rig.queue.complete(rig.receive().token)
    assert rig.put("c", message_id="same") == [1]
    rig.pass_time(60)

    assert rig.put("d", message_id="same") == [2]
    assert rig.held() == ["d"]


def test_duplicates_within_one_batch_are_dropped() -> None:
    rig = Rig(duplicate_window_seconds=60)

    assert rig.put("a", "b", message_id="same") == [1, 1]
    assert rig.held() == ["a"]


def test_a_full_queue_refuses_the_whole_batch() -> None:
    size = len(content("x").raw)
    rig = Rig(max_bytes=2 * size + size // 2)
    rig.put("x")

    with pytest.raises(QuotaExceeded):
        rig.put("y", "z")
    assert rig.held() == ["x"]
    rig.queue.complete(rig.receive().token)
    assert rig.put("y", "z") == [2, 3]


def test_browsing_starts_anywhere_and_survives_removals() -> None:
    rig = Rig()
    rig.put(*(f"n{number}" for number in range(300)))
    receiver = rig.receive(credit=290)
    for token in receiver.tokens:
        assert token is not None
        rig.queue.complete(token)

    assert rig.held() == [f"n{number}" for number in range(290, 300)]
    assert [message.sequence_number for message in rig.queue.browse(298)] == [298, 299, 300]


def test_the_next_deadline_is_the_earliest_of_all_queues() -> None:
    rig = Rig(lock_seconds=10, time_to_live_seconds=30)
    assert rig.broker.next_deadline() is None
    rig.put("a")
    rig.broker.finish_turn()
    assert rig.broker.next_deadline() == rig.clock.now + 30
    rig.receive()

    assert rig.broker.next_deadline() == rig.clock.now + 10
