"""Windows, credit, frame sizes and drain: the broker never sends more than the peer allows."""

import struct

import pytest

from tests.contract.servicebus import peer
from tests.contract.servicebus.conftest import QueueNames
from tests.contract.servicebus.peer import Peer
from tests.processes import Service


def fill(client: Peer, queue: str, count: int, body: bytes = b"x") -> None:
    client.send(peer.attach_sender("s", 0, queue))
    client.frames(2)
    client.send(*(peer.transfer(0, number + 1, peer.message(body, f"m{number}")) for number in range(count)))
    confirmed = 0
    while confirmed < count:
        first, last = _range(client.until(0x15))
        confirmed += last - first + 1


def _range(disposition: bytes) -> tuple[int, int]:
    """First and last of a disposition with small or wide numbers, behind `00 53 15 c0 size count role`."""
    first, position = _uint(disposition, 15)
    last, _ = _uint(disposition, position)
    return first or 0, last or first or 0


def _uint(data: bytes, position: int) -> tuple[int | None, int]:
    code = data[position]
    if code == 0x40:
        return None, position + 1
    if code == 0x43:
        return 0, position + 1
    if code == 0x52:
        return data[position + 1], position + 2
    return int(struct.unpack_from(">I", data, position + 1)[0]), position + 5


def is_transfer(frame: bytes) -> bool:
    return frame[8:11] == b"\x00\x53\x14"


@pytest.fixture
def receiving(service: Service, fresh_queue: QueueNames) -> Peer:
    """A peer with six messages in a queue and a receiver on handle 1 that has no credit."""
    queue = fresh_queue("plain")
    client = Peer(service.port).connect(incoming_window=3)
    client.authorize()
    fill(client, queue, 6)
    client.send(peer.attach_receiver("r", 1, queue))
    client.frame()
    return client


def test_no_more_is_delivered_than_the_credit_allows(receiving: Peer) -> None:
    with receiving as client:
        assert client.is_silent()
        client.send(peer.flow(1, credit=2, seen=2, window=100))
        assert all(map(is_transfer, client.frames(2)))
        assert client.is_silent()
        client.send(peer.flow(1, credit=3, seen=4, window=100, delivery_count=2))
        assert all(map(is_transfer, client.frames(3)))
        assert client.is_silent()


def test_credit_counts_from_what_the_client_has_seen(receiving: Peer) -> None:
    with receiving as client:
        client.send(peer.flow(1, credit=2, seen=2, window=100))
        assert all(map(is_transfer, client.frames(2)))
        client.send(peer.flow(1, credit=3, seen=2, window=100, delivery_count=0))
        assert all(map(is_transfer, client.frames(1)))
        assert client.is_silent()


def test_the_session_window_holds_deliveries_back(receiving: Peer) -> None:
    with receiving as client:
        client.send(peer.flow(1, credit=100, seen=2, window=2))
        assert all(map(is_transfer, client.frames(2)))
        client.send(peer.session_flow(seen=4, window=0))
        client.send(peer.session_flow(seen=4, window=3))
        assert all(map(is_transfer, client.frames(3)))
        client.send(peer.session_flow(seen=7, window=1))
        assert all(map(is_transfer, client.frames(1)))


def test_a_message_waits_in_the_middle_for_the_window(service: Service, fresh_queue: QueueNames) -> None:
    queue, body = fresh_queue("plain"), bytes(range(256)) * 20
    with Peer(service.port) as client:
        client.connect(max_frame_bytes=512)
        client.authorize()
        fill(client, queue, 1, body)
        client.send(peer.attach_receiver("r", 1, queue))
        client.frame()
        client.send(peer.flow(1, credit=10, seen=2, window=3))
        frames = client.frames(3)
        seen = 5
        while not frames[-1].endswith(body[-100:]):
            client.send(peer.session_flow(seen=seen, window=1))
            frames.append(client.frame())
            seen += 1

    assert all(is_transfer(frame) and len(frame) <= 512 for frame in frames)
    assert len(frames) > 10
    assert body in b"".join(_payload(frame) for frame in frames)


def _payload(transfer: bytes) -> bytes:
    return transfer[8 + 4 + 1 + transfer[12] :]


def test_a_drain_uses_up_the_credit_and_says_so(receiving: Peer) -> None:
    with receiving as client:
        client.send(peer.flow(1, credit=10, seen=2, window=100, drain=True))
        assert all(map(is_transfer, client.frames(6)))
        drained = client.frame()

    fields = drained[14:]
    assert drained[8:11] == b"\x00\x53\x13"
    assert fields.endswith(bytes.fromhex("5201520a4340414040"))


def test_acknowledgements_of_one_turn_share_a_frame(service: Service, fresh_queue: QueueNames) -> None:
    queue = fresh_queue("plain")
    with Peer(service.port) as client:
        client.connect().authorize()
        client.send(peer.attach_sender("s", 0, queue))
        client.frames(2)
        client.send(b"".join(peer.transfer(0, number, peer.message(b"x", f"m{number}")) for number in range(1, 101)))
        frames, confirmed = 0, 0
        while confirmed < 100:
            first, last = _range(client.frame())
            confirmed, frames = confirmed + last - first + 1, frames + 1

    assert frames < 10


def test_a_range_of_deliveries_is_settled_at_once(receiving: Peer) -> None:
    with receiving as client:
        client.send(peer.flow(1, credit=6, seen=2, window=100))
        client.frames(6)
        client.send(peer.disposition(1, peer.described(0x24, peer.items()), last=2**32 - 1))
        assert _range(client.frame()) == (1, 6)


def test_frames_are_sent_while_the_peer_asks_for_signs_of_life(service: Service) -> None:
    with Peer(service.port) as client:
        client.send(peer.AMQP_HEADER, peer.open_(idle_timeout_ms=1000))
        client.read(8)
        client.frame()
        assert client.frame().hex() == "0000000802000000"
        assert client.frame().hex() == "0000000802000000"
