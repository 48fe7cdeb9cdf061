"""Tokens: signatures are really checked."""

import time

import pytest
from azure.servicebus import ServiceBusClient
from azure.servicebus.exceptions import ServiceBusAuthenticationError

from tests.contract.servicebus import peer
from tests.contract.servicebus.conftest import QueueNames, connection_string
from tests.contract.servicebus.peer import Peer
from tests.processes import Service

STATUS = b"\xa1\x0bstatus-code"
OK, UNAUTHORIZED = b"\x71\x00\x00\x00\xca", b"\x71\x00\x00\x01\x91"


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (peer.token("sb://localhost/", "another-key"), b"the signature is not valid"),
        (peer.token("sb://localhost/", expiry=int(time.time()) - 1), b"The token has expired"),
        (peer.token("sb://localhost/").replace("&se=", "&se=1"), b"the signature is not valid"),
        (peer.token("sb://localhost/other"), b"The token is for 'other'"),
        ("eyJ0eXAiOiJKV1QifQ.e30.c2ln", b"Only shared access signatures"),
        ("SharedAccessSignature sr=&sig=&se=soon", b"lacks sr, sig or se"),
    ],
)
def test_a_token_that_is_not_valid_is_answered_with_401(service: Service, signature: str, reason: bytes) -> None:
    with Peer(service.port) as client:
        reply = client.connect().authorize(signature=signature)

    assert STATUS + UNAUTHORIZED in reply
    assert reason in reply


def test_a_valid_token_is_accepted_whatever_host_it_names(service: Service, fresh_queue: QueueNames) -> None:
    queue = fresh_queue("plain")
    audience = f"amqps://anything.example:1234/{queue.upper()}"
    with Peer(service.port) as client:
        assert STATUS + OK in client.connect().authorize(audience)
        client.send(peer.attach_sender("s", 0, queue))
        assert client.frame()[8:11] == b"\x00\x53\x12"
        assert client.frame()[8:11] == b"\x00\x53\x13"


def test_a_link_needs_a_token_for_its_own_queue(service: Service, fresh_queue: QueueNames) -> None:
    allowed, other = fresh_queue("plain"), fresh_queue("plain")
    with Peer(service.port) as client:
        client.connect().authorize(f"sb://localhost/{allowed}")
        for handle, address in enumerate((other, f"{other}/$management")):
            client.send(peer.attach_sender(f"s{handle}", handle, address))
            assert b"amqp:unauthorized-access" in client.until(0x16)
        client.send(peer.attach_receiver("dead", 3, f"{allowed}/$DeadLetterQueue"))
        assert client.frame()[8:11] == b"\x00\x53\x12"


def test_without_a_token_nothing_can_be_attached(service: Service, fresh_queue: QueueNames) -> None:
    with Peer(service.port) as client:
        client.connect()
        client.send(peer.attach_sender("s", 0, fresh_queue("plain")))
        assert b"amqp:unauthorized-access" in client.until(0x16)


def test_the_client_reports_a_wrong_key_as_an_authentication_error(service: Service, fresh_queue: QueueNames) -> None:
    wrong = connection_string(service.port, key="wrong")
    with (
        ServiceBusClient.from_connection_string(wrong, retry_total=0) as client,
        pytest.raises(ServiceBusAuthenticationError),
        client.get_queue_sender(fresh_queue("plain")),
    ):
        pass
