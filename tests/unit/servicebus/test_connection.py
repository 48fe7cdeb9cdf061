"""A connection without a network: time-outs and back-pressure."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from local.servicebus.amqp.connection import MAX_OUTPUT_BYTES, Connection, Limits
from local.servicebus.amqp.encoder import NULL, TRUE, described, encode, encoded_list, uint
from local.servicebus.amqp.errors import FramingError
from local.servicebus.amqp.frames import AMQP_HEADER, Frame, FrameReader, frame
from local.servicebus.amqp.link import Link
from local.servicebus.amqp.outgoing import OutgoingLink


class Endless:
    """A service whose every link has as many messages as the client takes."""

    def __init__(self, _connection: Connection) -> None:
        self.delivered = 0

    def attach(self, link: Link) -> None:
        assert isinstance(link, OutgoingLink)
        self.link = link
        link.accept(self)

    def credit_changed(self) -> None:
        while self.link.can_deliver:
            self.delivered += 1
            self.link.deliver(b"x" * 10_000, b"tag", None)

    def received(self, message: bytes, message_format: int) -> None:
        raise AssertionError

    def settle(self, token: bytes, state: Any) -> None:
        raise AssertionError

    def closed(self) -> None:
        pass


class Transport(asyncio.Transport):
    """Keeps what is written, as a socket does whose peer does not read."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closing = self.aborted = False
        self.ended = asyncio.Event()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self

    def setsockopt(self, *_: Any) -> None:
        pass

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True
        self.ended.set()

    def abort(self) -> None:
        self.aborted = True
        self.close()

    def resume_reading(self) -> None:
        pass


def connect(
    limits: Limits | None = None, flush: Callable[[Callable[[], None]], object] = id
) -> tuple[Connection, Endless, Transport]:
    services: list[Endless] = []

    def serve(connection: Connection) -> Endless:
        services.append(Endless(connection))
        return services[0]

    connection, transport = Connection(serve, lambda it: flush(it.flush), limits or Limits()), Transport()
    connection.connection_made(transport)
    return connection, services[0], transport


OPEN = frame(0, described(0x10, encoded_list([encode("c"), NULL, uint(65536)])))
BEGIN = frame(1, described(0x11, encoded_list([NULL, uint(0), uint(2**31), uint(1)])))
SOURCE = described(0x28, encoded_list([encode("q")]))
ATTACH = frame(1, described(0x12, encoded_list([encode("l"), uint(0), TRUE, NULL, NULL, SOURCE])))
FLOW = frame(
    1, described(0x13, encoded_list([uint(1), uint(2**31), uint(0), uint(1), uint(0), uint(0), uint(1_000_000)]))
)


async def test_deliveries_stop_while_the_peer_does_not_read_and_go_on_when_it_does() -> None:
    connection, service, transport = connect()
    connection.data_received(AMQP_HEADER + OPEN + BEGIN + ATTACH + FLOW)
    first = service.delivered
    assert first * 10_000 < 2 * MAX_OUTPUT_BYTES

    connection.pause_writing()
    connection.flush()
    assert service.delivered == first
    connection.resume_writing()
    assert service.delivered > first
    assert len(transport.written) < 2 * MAX_OUTPUT_BYTES
    connection.connection_lost(None)


async def test_deliveries_go_on_after_each_flush() -> None:
    connection, service, _ = connect()
    connection.data_received(AMQP_HEADER + OPEN + BEGIN + ATTACH + FLOW)
    first = service.delivered
    connection.flush()

    assert service.delivered >= 2 * first
    connection.connection_lost(None)


async def test_a_handshake_that_takes_too_long_is_cut_off() -> None:
    connection, _, transport = connect(Limits(handshake_seconds=0.01))
    connection.data_received(AMQP_HEADER[:4])
    async with asyncio.timeout(5):
        await transport.ended.wait()
    assert transport.aborted
    connection.connection_lost(None)


async def test_a_silent_connection_is_closed_with_the_reason() -> None:
    connection, _, transport = connect(Limits(idle_timeout_seconds=0.01), flush=asyncio.get_running_loop().call_soon)
    connection.data_received(AMQP_HEADER + OPEN)
    async with asyncio.timeout(5):
        await transport.ended.wait()

    assert b"amqp:resource-limit-exceeded" in transport.written
    assert b"No frame was received" in transport.written
    connection.connection_lost(None)


@pytest.mark.parametrize("size", [1, 3, 7, 64])
def test_frames_are_found_however_the_bytes_are_cut(size: int) -> None:
    stream = AMQP_HEADER + OPEN + frame(0, b"") + BEGIN
    reader, found = FrameReader(), []
    for start in range(0, len(stream), size):
        found += list(reader.feed(stream[start : start + size]))

    assert found == [AMQP_HEADER, Frame(0, 0, OPEN[8:]), Frame(0, 0, b""), Frame(0, 1, BEGIN[8:])]


def test_extended_frame_headers_are_skipped() -> None:
    reader = FrameReader()
    list(reader.feed(AMQP_HEADER))

    (found,) = reader.feed(bytes.fromhex("0000000d 03000001 ffffffff 45"))

    assert found == Frame(0, 1, b"\x45")


@pytest.mark.parametrize("head", ["00010001 02000000", "00000007 02000000", "00000008 01000000", "00000008 03000000"])
def test_frames_that_cannot_be_are_refused_at_their_header(head: str) -> None:
    reader = FrameReader()
    list(reader.feed(AMQP_HEADER))

    with pytest.raises(FramingError):
        list(reader.feed(bytes.fromhex(head)))
