"""What Service Bus can do and this service cannot is answered with an error that names it."""

import pytest

from tests.contract.servicebus import peer
from tests.contract.servicebus.conftest import QueueNames
from tests.contract.servicebus.peer import Peer
from tests.processes import Service


def test_transactions_are_refused(service: Service) -> None:
    coordinator = peer.described(0x30, peer.items())
    attach = (peer.text("t"), peer.uint(3), peer.FALSE, peer.NULL, peer.NULL, peer.NULL, coordinator)
    with Peer(service.port) as client:
        client.connect().authorize()
        client.send(peer.frame(peer.described(0x12, peer.items(*attach)), 1))
        refusal = client.until(0x16)

    assert b"amqp:not-implemented" in refusal
    assert b"Transactions are not covered" in refusal


@pytest.mark.parametrize("address", ["topic/Subscriptions/one", "queue/$Transfer/$DeadLetterQueue"])
def test_other_entities_are_refused(service: Service, address: str) -> None:
    with Peer(service.port) as client:
        client.connect().authorize()
        client.send(peer.attach_receiver("r", 3, address))
        assert b"not covered by this service" in client.until(0x16)


def test_an_unknown_management_operation_is_answered_with_501(service: Service, fresh_queue: QueueNames) -> None:
    node = f"{fresh_queue('plain')}/$management"
    head = peer.described(0x73, peer.items(peer.text("1")))
    properties = peer.mapping((peer.text("operation"), peer.text("com.microsoft:add-rule")))
    request = head + peer.described(0x74, properties) + peer.described(0x77, peer.mapping())
    with Peer(service.port) as client:
        client.connect().authorize()
        client.send(peer.attach_sender("q", 0, node), peer.attach_receiver("a", 1, node))
        client.send(peer.flow(1, credit=5, seen=2, window=100), peer.transfer(0, 1, request))
        reply = client.until(0x14)

    assert b"\xa1\x0astatusCode\x71\x00\x00\x01\xf5" in reply
    assert b"'com.microsoft:add-rule' is not covered" in reply
    assert b"amqp:not-implemented" in reply


def test_an_unknown_message_format_is_rejected(service: Service, fresh_queue: QueueNames) -> None:
    with Peer(service.port) as client:
        client.connect().authorize()
        client.send(peer.attach_sender("s", 0, fresh_queue("plain")))
        client.frames(2)
        client.send(peer.transfer(0, 1, peer.message(b"x"), message_format=0x12345))
        assert b"Message format 0x00012345 is not supported" in client.frame()
