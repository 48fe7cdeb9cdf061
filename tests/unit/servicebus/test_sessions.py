"""Message sessions against a clock that is moved by hand."""

import pytest

from local.servicebus.broker.errors import (
    BrokerError,
    MessageLockLost,
    MessageNotFound,
    NotAllowed,
    SessionCannotBeLocked,
    SessionLockLost,
    Timeout,
)
from tests.unit.servicebus.rig import Receiver, Rig


@pytest.fixture
def rig() -> Rig:
    return Rig(requires_session=True, lock_seconds=10)


def anyone(_consumer: object) -> bool:
    return True


def test_messages_go_to_the_holder_of_their_session_only(rig: Rig) -> None:
    rig.put("a1", "a2", session_id="a")
    rig.put("b1", session_id="b")
    holder, other = rig.accept("a"), rig.accept("c")
    rig.receive(other, credit=5)

    assert rig.receive(holder, credit=5).bodies == ["a1", "a2"]
    assert other.bodies == []
    assert holder.locked_until == rig.clock.now + 10


def test_a_message_that_arrives_later_goes_to_the_holder(rig: Rig) -> None:
    holder = rig.receive(rig.accept("a"), credit=1)
    rig.put("a1", session_id="a")
    rig.broker.finish_turn()

    assert holder.bodies == ["a1"]


def test_sessions_are_given_out_in_the_order_they_became_available(rig: Rig) -> None:
    for session_id in ("b", "a", "c"):
        rig.put("x", session_id=session_id)

    assert [rig.accept().session_id for _ in range(4)] == ["b", "a", "c", None]


def test_waiting_receivers_are_served_in_the_order_they_came(rig: Rig) -> None:
    first, second = rig.accept(), rig.accept()
    rig.put("x", session_id="a")
    rig.broker.finish_turn()
    rig.put("x", session_id="b")
    rig.broker.finish_turn()

    assert (first.session_id, second.session_id) == ("a", "b")


def test_waiting_ends_with_a_timeout(rig: Rig) -> None:
    receiver = rig.accept(wait_seconds=5)
    rig.pass_time(4.9)
    assert receiver.errors == []
    rig.pass_time(0.1)

    assert [type(error) for error in receiver.errors] == [Timeout]
    rig.put("x", session_id="a")
    rig.broker.finish_turn()
    assert receiver.session_id is None


def test_a_receiver_that_left_is_not_given_a_session(rig: Rig) -> None:
    gone, waiting = rig.accept(), rig.accept()
    rig.queue.leave_session(gone, None)
    rig.put("x", session_id="a")
    rig.broker.finish_turn()

    assert (gone.session_id, waiting.session_id) == (None, "a")


def test_a_held_session_cannot_be_accepted_by_another(rig: Rig) -> None:
    rig.accept("a")
    with pytest.raises(SessionCannotBeLocked):
        rig.accept("a")


def test_when_a_receiver_leaves_its_messages_come_back_without_counting(rig: Rig) -> None:
    rig.put("x", "y", session_id="a")
    holder = rig.receive(rig.accept("a"), credit=1)
    rig.queue.leave_session(holder, "a")
    rig.broker.finish_turn()
    with pytest.raises(MessageLockLost):
        rig.queue.complete(holder.token)

    assert rig.receive(rig.accept(), credit=2).bodies == ["x", "y"]
    assert rig.queue.store.messages[1].delivery_count == 0


def test_when_a_session_expires_its_holder_is_told_and_its_messages_count(rig: Rig) -> None:
    rig.put("x", session_id="a")
    holder, next_one = rig.receive(rig.accept("a"), credit=1), rig.accept(wait_seconds=60)
    rig.pass_time(10)

    assert [type(error) for error in holder.errors] == [SessionLockLost]
    assert next_one.session_id == "a"
    assert rig.receive(next_one).bodies == ["x"]
    assert rig.queue.store.messages[1].delivery_count == 1
    with pytest.raises(MessageLockLost):
        rig.queue.complete(holder.token)


def test_messages_of_a_session_that_expires_again_and_again_are_dead_lettered(rig: Rig) -> None:
    rig.put("x", session_id="a")
    for _ in range(3):
        rig.receive(rig.accept("a"), credit=1)
        rig.pass_time(10)

    assert (rig.held(), rig.held(rig.dead)) == ([], ["x"])
    assert rig.receive(queue=rig.dead).bodies == ["x"]


def test_renewing_a_session_keeps_its_messages_locked(rig: Rig) -> None:
    rig.put("x", session_id="a")
    holder = rig.receive(rig.accept("a"), credit=1)
    for _ in range(3):
        rig.pass_time(9)
        assert rig.queue.renew_session(rig.queue.held_session("a", anyone)) == rig.clock.now + 10
    rig.queue.complete(holder.token)

    assert (holder.errors, rig.held()) == ([], [])


def test_only_the_holder_may_act_on_a_session(rig: Rig) -> None:
    holder = rig.accept("a")

    assert rig.queue.held_session("a", lambda consumer: consumer is holder).id == "a"
    for session_id, is_caller in (("a", lambda consumer: consumer is not holder), ("b", anyone)):
        with pytest.raises(SessionLockLost):
            rig.queue.held_session(session_id, is_caller)
    rig.clock.now += 10
    with pytest.raises(SessionLockLost):
        rig.queue.held_session("a", anyone)


def test_a_message_lock_is_not_renewed_apart_from_its_session(rig: Rig) -> None:
    rig.put("x", session_id="a")
    holder = rig.receive(rig.accept("a"), credit=1)

    with pytest.raises(NotAllowed, match="renew the session"):
        rig.queue.renew_lock(holder.token)


def test_state_outlives_the_holder_and_unused_sessions_are_forgotten(rig: Rig) -> None:
    kept, dropped = rig.accept("kept"), rig.accept("dropped")
    rig.queue.set_session_state(rig.queue.held_session("kept", anyone), b"s")
    rig.queue.leave_session(kept, "kept")
    rig.queue.leave_session(dropped, "dropped")

    assert list(rig.queue.sessions.known) == ["kept"]
    again = rig.accept("kept")
    assert rig.queue.held_session("kept", anyone).state == b"s"
    rig.queue.set_session_state(rig.queue.held_session("kept", anyone), None)
    rig.queue.leave_session(again, "kept")
    assert list(rig.queue.sessions.known) == []


def test_a_session_whose_messages_expired_is_not_available(rig: Rig) -> None:
    rig = Rig(requires_session=True, time_to_live_seconds=5)
    rig.put("x", session_id="a")
    rig.pass_time(5)

    assert rig.accept().session_id is None
    assert rig.queue.sessions.known == {}


def test_a_message_without_a_session_is_refused_with_its_whole_batch(rig: Rig) -> None:
    with pytest.raises(NotAllowed, match="SessionId was not set"):
        rig.put("x")
    assert rig.held() == []


def test_a_deferred_message_belongs_to_its_session(rig: Rig) -> None:
    rig.put("x", session_id="a")
    holder = rig.receive(rig.accept("a"), credit=1)
    rig.accept("b")
    rig.queue.defer(holder.token)

    with pytest.raises(MessageNotFound):
        rig.queue.receive_deferred([1], delete=False, session=rig.queue.held_session("b", anyone))
    (message,) = rig.queue.receive_deferred([1], delete=False, session=rig.queue.held_session("a", anyone))
    assert message.lock_token is not None
    rig.queue.leave_session(holder, "a")
    assert message.lock_token is None


def test_sessions_are_listed_by_use_or_by_when_their_state_was_set(rig: Rig) -> None:
    rig.put("x", session_id="b")
    rig.accept("a")
    rig.queue.set_session_state(rig.queue.held_session("a", anyone), b"s")
    rig.accept("empty")

    assert list(rig.queue.sessions.listed(None)) == ["a", "b"]
    assert list(rig.queue.sessions.listed(rig.clock.now - 1)) == ["a"]
    assert list(rig.queue.sessions.listed(rig.clock.now)) == []


def test_a_scheduled_message_opens_its_session_when_it_is_due(rig: Rig) -> None:
    rig.put("x", session_id="a", scheduled_at=rig.clock.now + 5)
    waiting = rig.accept()
    rig.pass_time(5)

    assert waiting.session_id == "a"


def test_a_receiver_without_credit_gets_nothing_from_its_session(rig: Rig) -> None:
    rig.put("x", session_id="a")
    holder: Receiver = rig.accept("a")
    rig.receive(holder, credit=0)

    assert holder.bodies == []
    assert isinstance(Timeout("t"), BrokerError)
