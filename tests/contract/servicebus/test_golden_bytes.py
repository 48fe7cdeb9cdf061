"""Frames as the AMQP 1.0 specification writes them. The expected bytes were put together by hand from its tables."""

import struct

from tests.contract.servicebus import peer
from tests.contract.servicebus.conftest import QueueNames
from tests.contract.servicebus.peer import Peer
from tests.processes import Service


def test_the_handshake_offers_mechanisms_and_accepts_one(service: Service) -> None:
    with Peer(service.port) as client:
        client.send(bytes.fromhex("414d515003010000"))
        assert client.read(8).hex() == "414d515003010000"
        assert client.frame().hex(" ") == (
            "00 00 00 24 02 01 00 00 "  # 36 bytes, data offset 2, SASL frame
            "00 53 40 c0 17 01 "  # sasl-mechanisms: list of 23 bytes, one field
            "e0 14 02 a3 "  # array of 20 bytes, two symbols
            "07 4d 53 53 42 43 42 53 "  # MSSBCBS
            "09 41 4e 4f 4e 59 4d 4f 55 53"  # ANONYMOUS
        )
        client.send(bytes.fromhex("0000001902010000005341c00c01a309414e4f4e594d4f5553"))
        assert client.frame().hex(" ") == "00 00 00 10 02 01 00 00 00 53 44 c0 03 01 50 00"
        client.send(bytes.fromhex("414d515000010000"))
        assert client.read(8).hex() == "414d515000010000"


def test_open_and_begin_carry_all_their_fields(service: Service) -> None:
    with Peer(service.port) as client:
        client.send(peer.AMQP_HEADER, peer.open_())
        client.read(8)
        opened = client.frame()
        client.send(peer.begin())
        begun = client.frame()

    assert opened[4:12].hex(" ") == "02 00 00 00 00 53 10 c0"
    assert opened[13] == 10
    name_end = 16 + opened[15]
    assert opened[14] == 0xA1
    assert opened[name_end:].hex(" ") == (
        "40 "  # hostname
        "70 00 01 00 00 "  # max-frame-size 65536
        "60 13 87 "  # channel-max 4999
        "70 00 03 a9 80 "  # idle-time-out 240000 ms
        "40 40 40 40 40"  # locales, capabilities, properties
    )
    assert begun.hex(" ") == (
        "00 00 00 22 02 00 00 01 00 53 11 c0 15 08 "  # channel 1, begin: 8 fields
        "60 00 01 "  # remote-channel 1
        "52 01 "  # next-outgoing-id 1
        "70 7f ff ff ff 70 7f ff ff ff "  # incoming-window, outgoing-window
        "52 ff "  # handle-max 255
        "40 40 40"
    )


def test_an_attach_is_echoed_and_a_sender_is_given_credit(service: Service) -> None:
    with Peer(service.port) as client:
        client.connect()
        client.send(peer.attach_sender("s", 7, "$cbs"))
        attached, granted = client.frames(2)

    assert attached[8:].hex(" ") == (
        "00 53 12 c0 36 0e "  # attach: 14 fields
        "a1 01 73 52 07 41 "  # name "s", handle 7, role receiver
        "50 00 50 00 "  # settle modes as asked for
        "00 53 28 c0 0b 01 a1 08 73 6f 75 72 63 65 2d 73 "  # source "source-s"
        "00 53 29 c0 07 01 a1 04 24 63 62 73 "  # target "$cbs"
        "40 40 40 "  # unsettled, incomplete-unsettled, initial-delivery-count
        "80 00 00 00 00 00 04 00 00 "  # max-message-size 262144
        "40 40 40"
    )
    assert granted[8:].hex(" ") == (
        "00 53 13 c0 1a 0b "  # flow: 11 fields
        "43 70 7f ff ff ff 52 01 70 7f ff ff ff "  # next-incoming-id 0, windows, next-outgoing-id 1
        "52 07 43 70 00 00 03 e8 "  # handle 7, delivery-count 0, link-credit 1000
        "40 42 40 40"  # available, drain, echo, properties
    )


def test_a_sent_message_is_accepted_and_delivered_with_its_annotations(
    service: Service, fresh_queue: QueueNames
) -> None:
    queue = fresh_queue("plain")
    with Peer(service.port) as client:
        client.connect().authorize()
        client.send(peer.attach_sender("s", 0, queue))
        client.frames(2)
        sent = peer.message(b"hello", "m-1")
        client.send(peer.transfer(0, 1, sent))
        accepted = client.frame()
        client.send(peer.attach_receiver("r", 1, queue))
        client.frame()
        client.send(peer.flow(1, credit=1, seen=2, window=100))
        delivered = client.frame()
        client.send(peer.disposition(1, peer.described(0x24, peer.items())))
        settled = client.frame()

    assert accepted[8:].hex(" ") == "00 53 15 c0 0b 06 41 52 01 40 41 00 53 24 45 40"
    tag = delivered[23:39]
    expected_head = (
        bytes.fromhex("005314c0220b52017000000001a010")
        + tag
        + bytes.fromhex("4342424040404040")  # message-format 0, not settled, no more
    )
    assert delivered[8 : 8 + len(expected_head)] == expected_head
    payload = delivered[8 + len(expected_head) :]
    assert payload[:18].hex(" ") == "00 53 70 d0 00 00 00 09 00 00 00 05 40 40 40 40 43 00"
    annotations = payload[17:]
    keys = [b"x-opt-sequence-number", b"x-opt-enqueued-time", b"x-opt-locked-until", b"x-opt-message-state"]
    values = [b"\x81" + struct.pack(">q", 1), b"\x83", b"\x83", b"\x54\x00"]
    position = 12
    assert annotations[:4].hex(" ") == "00 53 72 d1"
    for key, value in zip(keys, values, strict=True):
        expected = b"\xa3" + bytes((len(key),)) + key + value
        assert annotations[position : position + len(expected)] == expected
        position += len(expected) + (8 if value == b"\x83" else 0)
    assert annotations[position:] == sent
    assert settled[8:].hex(" ") == "00 53 15 c0 0b 06 42 52 01 40 41 00 53 24 45 40"


def test_a_refused_attach_has_a_null_terminus_and_is_detached_with_the_reason(service: Service) -> None:
    with Peer(service.port) as client:
        client.connect().authorize()
        client.send(peer.attach_receiver("r", 1, "missing"))
        attached, detached = client.frames(2)

    assert attached[8:].startswith(
        bytes.fromhex("005312c0") + attached[12:13] + bytes.fromhex("0ea101725201425000500140")
    )
    assert detached[8:11].hex() == "005316"
    assert b"\xa3\x0eamqp:not-found" in detached
    assert b"The messaging entity 'missing' could not be found." in detached
    assert b"com.microsoft:tracking-id" in detached


def test_close_is_answered_with_close(service: Service) -> None:
    with Peer(service.port) as client:
        client.connect()
        client.send(bytes.fromhex("0000000c0200000000531845"))
        assert client.frame().hex(" ") == "00 00 00 0f 02 00 00 00 00 53 18 c0 02 01 40"
        assert client.is_closed()
