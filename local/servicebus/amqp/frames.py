"""Splits the byte stream of a connection into protocol headers and frames (part 2, section 2.3)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from local.servicebus.amqp.errors import FramingError

AMQP_HEADER = b"AMQP\x00\x01\x00\x00"
SASL_HEADER = b"AMQP\x03\x01\x00\x00"
AMQP_FRAME = 0x00
SASL_FRAME = 0x01
EMPTY_FRAME = b"\x00\x00\x00\x08\x02\x00\x00\x00"

MIN_MAX_FRAME_BYTES = 512
MAX_FRAME_BYTES = 65_536

_HEADER = struct.Struct(">IBBH")


@dataclass(slots=True, frozen=True)
class Frame:
    """One frame; `body` is empty for the frame that only shows that the peer is alive."""

    kind: int
    channel: int
    body: bytes


def frame(channel: int, body: bytes, kind: int = AMQP_FRAME) -> bytes:
    """The bytes of a frame with the shortest header."""
    return _HEADER.pack(8 + len(body), 2, kind, channel) + body


class FrameReader:
    """Collects bytes and hands out what is complete. Never holds more than one frame and one read."""

    __slots__ = ("_buffer", "_expects_header")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._expects_header = True

    def expect_header(self) -> None:
        """The next eight bytes are a protocol header: at the start, and again after the SASL outcome."""
        self._expects_header = True

    def feed(self, data: bytes) -> Iterator[bytes | Frame]:
        """Protocol headers (eight bytes) and frames that `data` completes.

        Raises:
            FramingError: The stream is not AMQP, or a frame is larger than MAX_FRAME_BYTES.
        """
        self._buffer += data
        buffer, start = self._buffer, 0
        try:
            while len(buffer) - start >= 8:
                if self._expects_header:
                    self._expects_header = False
                    yield bytes(buffer[start : start + 8])
                    start += 8
                    continue
                size, offset, kind, channel = _HEADER.unpack_from(buffer, start)
                body = offset * 4
                if size > MAX_FRAME_BYTES:
                    raise FramingError(f"A frame of {size} bytes exceeds the limit of {MAX_FRAME_BYTES}.")
                if body < 8 or body > size:
                    raise FramingError(f"A frame of {size} bytes cannot have its body at byte {body}.")
                if len(buffer) - start < size:
                    break
                yield Frame(kind, channel, bytes(buffer[start + body : start + size]))
                start += size
        finally:
            del buffer[:start]
