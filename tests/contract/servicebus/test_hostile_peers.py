"""Whatever one peer sends, the process lives and the others are served."""

import random
import struct
from collections.abc import Iterator

import pytest

from tests.contract.servicebus import peer
from tests.contract.servicebus.conftest import QueueNames
from tests.contract.servicebus.peer import Peer
from tests.processes import Service

OPENED = peer.AMQP_HEADER + peer.open_() + peer.begin()


@pytest.fixture(autouse=True)
def bystander(service: Service, fresh_queue: QueueNames) -> Iterator[None]:
    """A well-behaved client, connected before and served after whatever the test does."""
    with Peer(service.port) as client:
        client.connect().authorize()
        client.send(peer.attach_sender("s", 0, fresh_queue("plain")))
        client.frames(2)
        yield
        client.send(peer.transfer(0, 1, peer.message(b"still here")))
        assert client.frame()[8:].hex(" ") == "00 53 15 c0 0b 06 41 52 01 40 41 00 53 24 45 40"
        assert "Traceback" not in service.log.read_text()


def nested(depth: int) -> bytes:
    value = b"\x45"
    for _ in range(depth):
        value = b"\xd0" + struct.pack(">II", len(value) + 4, 1) + value
    return value


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("another protocol", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("TLS", bytes.fromhex("16030100c8010000c40303") + b"\x00" * 200),
        ("another AMQP version", b"AMQP\x00\x00\x09\x01"),
        ("a giant frame", peer.AMQP_HEADER + b"\x7f\xff\xff\xff\x02\x00\x00\x00"),
        ("a frame shorter than its header", peer.AMQP_HEADER + b"\x00\x00\x00\x04\x02\x00\x00\x00"),
        ("a body before the header ends", peer.AMQP_HEADER + b"\x00\x00\x00\x10\x01\x00\x00\x00" + b"\x00" * 8),
        ("no open", peer.AMQP_HEADER + peer.begin()),
        ("open twice", peer.AMQP_HEADER + peer.open_() + peer.open_()),
        ("begin twice", OPENED + peer.begin()),
        ("deep nesting", OPENED + peer.frame(peer.described(0x12, nested(200)), 1)),
        ("endless descriptors", OPENED + peer.frame(b"\x00" * 60_000, 1)),
        (
            "an array of four billion nulls",
            OPENED + peer.frame(b"\x00\x53\x12\xf0\x00\x00\x00\x05\xff\xff\xff\xff\x40", 1),
        ),
        ("a list that claims too much", OPENED + peer.frame(b"\x00\x53\x12\xd0\xff\xff\xff\xff\x00\x00\x00\x01", 1)),
        ("not a performative", OPENED + peer.frame(b"\x00\x53\x99\x45", 1)),
        ("a tiny frame size", peer.AMQP_HEADER + peer.open_(max_frame_bytes=10)),
        ("a handle beyond the maximum", OPENED + peer.attach_sender("s", 256, "$cbs")),
        ("a handle in use", OPENED + peer.attach_sender("s", 1, "$cbs") + peer.attach_sender("t", 1, "$cbs")),
        ("an attach with a huge name", OPENED + peer.attach_sender("s" * 9000, 1, "$cbs")),
        ("a wrong type", OPENED + peer.frame(peer.described(0x13, peer.items(*[peer.text("x")] * 5)), 1)),
    ],
)
def test_a_peer_that_breaks_the_protocol_is_disconnected(service: Service, name: str, data: bytes) -> None:
    with Peer(service.port) as client:
        client.send(data)
        assert client.is_closed(), name


def test_the_reason_is_told_before_the_connection_closes(service: Service) -> None:
    with Peer(service.port) as client:
        client.send(OPENED + peer.frame(peer.described(0x12, nested(200)), 1))
        client.read(8)
        assert b"amqp:decode-error" in client.until(0x18)


def test_random_bytes_are_survived(service: Service) -> None:
    generator = random.Random(7)
    for start in (b"", peer.SASL_HEADER, peer.AMQP_HEADER, OPENED):
        for _ in range(15):
            with Peer(service.port) as client:
                client.send(start + generator.randbytes(generator.randrange(1, 2000)))


def test_changed_bytes_in_valid_frames_are_survived(service: Service, fresh_queue: QueueNames) -> None:
    generator, queue = random.Random(11), fresh_queue("plain")
    script = b"".join(
        (
            peer.attach_sender("s", 0, queue),
            peer.attach_receiver("r", 1, queue),
            peer.transfer(0, 1, peer.message(b"x" * 50)),
            peer.flow(1, credit=5, seen=2, window=100),
            peer.disposition(1, peer.described(0x27, peer.items(peer.TRUE, peer.FALSE))),
        )
    )
    for _ in range(30):
        changed = bytearray(script)
        for _ in range(generator.randrange(1, 6)):
            changed[generator.randrange(len(changed))] = generator.randrange(256)
        with Peer(service.port) as client:
            client.connect().authorize()
            client.send(bytes(changed))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"garbage",
        b"\x00\x53\x75\xb0\xff\xff\xff\xff",
        peer.described(0x70, b"\x40"),
        peer.described(0x73, peer.items(nested(3))),
        peer.described(0x75, peer.binary(b"x")) + peer.described(0x70, peer.items()),
    ],
)
def test_a_message_that_is_none_is_rejected_and_the_link_lives(
    service: Service, fresh_queue: QueueNames, payload: bytes
) -> None:
    with Peer(service.port) as client:
        client.connect().authorize()
        client.send(peer.attach_sender("s", 0, fresh_queue("plain")))
        client.frames(2)
        client.send(peer.transfer(0, 1, payload))
        first = client.frame()
        client.send(peer.transfer(0, 2, peer.message(b"good")))
        second = client.frame()

    if payload:
        assert b"amqp:decode-error" in first
    assert second[8:].endswith(bytes.fromhex("0053244540"))


def test_an_oversized_message_in_pieces_is_rejected_without_being_kept(
    service: Service, fresh_queue: QueueNames
) -> None:
    with Peer(service.port) as client:
        client.connect().authorize()
        client.send(peer.attach_sender("s", 0, fresh_queue("plain")))
        client.frames(2)
        for _ in range(40):
            client.send(peer.transfer(0, 1, b"x" * 60_000, more=True))
        client.send(peer.transfer(0, 1, b"end"))
        assert b"amqp:link:message-size-exceeded" in client.frame()


def test_too_many_unfinished_messages_end_the_connection(service: Service) -> None:
    with Peer(service.port) as client:
        client.connect()
        for handle in range(80):
            client.send(peer.attach_sender(f"s{handle}", handle, "$cbs"))
        try:
            for handle in range(80):
                for _ in range(4):
                    client.send(peer.transfer(handle, handle, b"x" * 64_000, more=True))
        except (BrokenPipeError, ConnectionResetError):
            return
        assert b"amqp:resource-limit-exceeded" in client.until(0x18)


def test_a_peer_that_never_reads_is_not_fed_without_end(service: Service, fresh_queue: QueueNames) -> None:
    queue = fresh_queue("plain")
    with Peer(service.port) as client, Peer(service.port) as other:
        client.connect().authorize()
        client.send(peer.attach_sender("s", 0, queue))
        client.frames(2)
        for number in range(100):
            client.send(*_pieces(0, number + 1, peer.message(b"x" * 200_000, f"m{number}")))
            client.until(0x15)
        client.send(peer.attach_receiver("r", 1, queue), peer.flow(1, credit=1000, seen=2, window=2**31 - 1))
        other.connect().authorize()
        other.send(peer.attach_receiver("r", 1, queue), peer.flow(1, credit=1, seen=2, window=1000))
        assert other.until(0x14)


def _pieces(handle: int, delivery_id: int, message: bytes) -> list[bytes]:
    chunks = [message[start : start + 60_000] for start in range(0, len(message), 60_000)]
    return [
        peer.transfer(handle, delivery_id, chunk, more=index < len(chunks) - 1) for index, chunk in enumerate(chunks)
    ]
