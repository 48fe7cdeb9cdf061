"""The broker's own account: what a queue was asked to do, and how long its messages were held."""

from typing import Any

from tests.unit.servicebus.rig import Rig


def account(rig: Rig, name: str = "q") -> dict[str, Any]:
    found: dict[str, Any] = rig.broker.account()[name]
    return found


def test_every_operation_is_counted() -> None:
    rig = Rig()
    rig.put("a", "b", "c", "d")
    rig.put("later", scheduled_at=rig.clock.now + 30)
    receiver = rig.receive(credit=4)
    first, second, third, fourth = [token for token in receiver.tokens if token is not None]
    rig.queue.renew_lock(first)
    rig.queue.complete(first)
    rig.queue.abandon(second)
    rig.queue.dead_letter(third)
    rig.queue.defer(fourth)

    assert account(rig)["operations"] == {
        "sent": 5,
        "scheduled": 1,
        "delivered": 4,
        "renewed": 1,
        "completed": 1,
        "abandoned": 1,
        "dead_lettered": 1,
        "deferred": 1,
    }


def test_a_message_counts_as_held_from_its_delivery_to_its_settlement_or_the_end_of_its_lock() -> None:
    rig = Rig(lock_seconds=10.0)
    rig.put("settled", "lapsing", "open")
    receiver = rig.receive(credit=2)
    rig.pass_time(4)
    assert receiver.tokens[0] is not None
    rig.queue.complete(receiver.tokens[0])
    rig.pass_time(6)

    held = account(rig)

    assert held["operations"]["lock_expired"] == 1
    assert (held["locked_seconds"], held["locked"], held["messages"]) == (14.0, 0, 2)

    rig.receive(receiver)
    rig.pass_time(3)
    assert (account(rig)["locked_seconds"], account(rig)["locked"]) == (17.0, 1)
