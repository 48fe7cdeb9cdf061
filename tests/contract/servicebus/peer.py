"""A client written from the AMQP 1.0 specification alone, byte by byte; nothing of the service's own code is used."""

import base64
import hmac
import socket
import struct
import time
from hashlib import sha256
from typing import Self
from urllib.parse import quote_plus

SASL_HEADER = bytes.fromhex("414d515003010000")
AMQP_HEADER = bytes.fromhex("414d515000010000")
NULL = b"\x40"
TRUE, FALSE = b"\x41", b"\x42"


def frame(body: bytes, channel: int = 0, kind: int = 0) -> bytes:
    """Section 2.3.1: size, data offset, type, channel."""
    return struct.pack(">IBBH", len(body) + 8, 2, kind, channel) + body


def text(value: str) -> bytes:
    raw = value.encode()
    return b"\xb1" + struct.pack(">I", len(raw)) + raw


def symbol(value: str) -> bytes:
    return b"\xa3" + bytes((len(value),)) + value.encode()


def binary(value: bytes) -> bytes:
    return b"\xb0" + struct.pack(">I", len(value)) + value


def uint(value: int) -> bytes:
    return b"\x70" + struct.pack(">I", value)


def items(*values: bytes) -> bytes:
    """A list in its wide form."""
    body = b"".join(values)
    return b"\xd0" + struct.pack(">II", len(body) + 4, len(values)) + body


def mapping(*pairs: tuple[bytes, bytes]) -> bytes:
    """A map in its wide form."""
    body = b"".join(key + value for key, value in pairs)
    return b"\xd1" + struct.pack(">II", len(body) + 4, 2 * len(pairs)) + body


def described(code: int, value: bytes) -> bytes:
    return bytes((0x00, 0x53, code)) + value


def open_(*, max_frame_bytes: int = 65536, idle_timeout_ms: int | None = None) -> bytes:
    idle = NULL if idle_timeout_ms is None else uint(idle_timeout_ms)
    return frame(described(0x10, items(text("peer"), NULL, uint(max_frame_bytes), NULL, idle)))


def begin(*, incoming_window: int = 5000, channel: int = 1) -> bytes:
    return frame(described(0x11, items(NULL, uint(0), uint(incoming_window), uint(5000))), channel)


def attach_receiver(name: str, handle: int, address: str, *, sender_mode: int = 0) -> bytes:
    source, target = described(0x28, items(text(address))), described(0x29, items(text(f"target-{name}")))
    modes = (b"\x50" + bytes((sender_mode,)), b"\x50\x01")
    return frame(described(0x12, items(text(name), uint(handle), TRUE, *modes, source, target)), 1)


def attach_sender(name: str, handle: int, address: str) -> bytes:
    source, target = described(0x28, items(text(f"source-{name}"))), described(0x29, items(text(address)))
    fields = (text(name), uint(handle), FALSE, b"\x50\x00", b"\x50\x00", source, target, NULL, NULL, uint(0))
    return frame(described(0x12, items(*fields)), 1)


def flow(handle: int, *, credit: int, seen: int, window: int, delivery_count: int = 0, drain: bool = False) -> bytes:
    """Grants credit; `seen` is the transfer id that is expected next."""
    session = (uint(seen), uint(window), uint(0), uint(5000))
    link = (uint(handle), uint(delivery_count), uint(credit), NULL, TRUE if drain else FALSE)
    return frame(described(0x13, items(*session, *link)), 1)


def session_flow(*, seen: int, window: int) -> bytes:
    return frame(described(0x13, items(uint(seen), uint(window), uint(0), uint(5000))), 1)


def transfer(handle: int, delivery_id: int, message: bytes, *, more: bool = False, message_format: int = 0) -> bytes:
    tag = b"\xa0\x04" + struct.pack(">I", delivery_id)
    fields = (uint(handle), uint(delivery_id), tag, uint(message_format), FALSE, TRUE if more else FALSE)
    return frame(described(0x14, items(*fields)) + message, 1)


def disposition(first: int, state: bytes, *, last: int | None = None) -> bytes:
    numbers = (uint(first), NULL if last is None else uint(last))
    return frame(described(0x15, items(TRUE, *numbers, FALSE, state)), 1)


def message(body: bytes, message_id: str = "m") -> bytes:
    return described(0x73, items(text(message_id))) + described(0x75, binary(body))


def token(resource: str, key: str = "SAS_KEY_VALUE", *, expiry: int | None = None) -> str:
    """A shared access signature over an encoded resource and its expiry."""
    encoded, ends = quote_plus(resource), int(time.time()) + 600 if expiry is None else expiry
    signature = base64.b64encode(hmac.new(key.encode(), f"{encoded}\n{ends}".encode(), sha256).digest()).decode()
    return f"SharedAccessSignature sr={encoded}&sig={quote_plus(signature)}&se={ends}&skn=RootManageSharedAccessKey"


def put_token(handle: int, delivery_id: int, audience: str, signature: str) -> bytes:
    properties = mapping(
        (text("operation"), text("put-token")),
        (text("type"), text("servicebus.windows.net:sastoken")),
        (text("name"), text(audience)),
    )
    head = described(0x73, items(text("request-1"), NULL, NULL, NULL, text("replies")))
    request = head + described(0x74, properties) + described(0x77, text(signature))
    return transfer(handle, delivery_id, request)


class Peer:
    """A TCP connection that sends bytes and takes frames apart."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *data: bytes) -> None:
        self.socket.sendall(b"".join(data))

    def read(self, size: int) -> bytes:
        """Exactly so many bytes."""
        while len(self._buffer) < size:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError(f"closed after {self._buffer!r}")
            self._buffer += more
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def frame(self) -> bytes:
        """The next frame, with its header."""
        head = self.read(4)
        return head + self.read(struct.unpack(">I", head)[0] - 4)

    def frames(self, count: int) -> list[bytes]:
        return [self.frame() for _ in range(count)]

    def until(self, code: int) -> bytes:
        """The next frame with a performative, skipping others."""
        while True:
            received = self.frame()
            if received[8:11] == bytes((0x00, 0x53, code)):
                return received

    def is_silent(self) -> bool:
        """Whether nothing came, after everything sent so far was answered: an echo request proves that it was."""
        self.send(frame(described(0x13, items(uint(1), uint(0), uint(0), uint(5000), *[NULL] * 4, FALSE, TRUE)), 1))
        return self.frame()[8:11] == b"\x00\x53\x13"

    def is_closed(self) -> bool:
        """Whether the service closed the connection; what it still says is read first."""
        try:
            while True:
                self.read(1)
        except (EOFError, ConnectionResetError):
            return True

    def connect(self, *, max_frame_bytes: int = 65536, incoming_window: int = 5000) -> "Peer":
        """Handshake, open and begin, and a token for everything."""
        init = frame(described(0x41, items(symbol("ANONYMOUS"))), kind=1)
        self.send(SASL_HEADER, init, AMQP_HEADER, open_(max_frame_bytes=max_frame_bytes))
        self.read(8)
        self.frames(2)
        self.read(8)
        self.frame()
        self.send(begin(incoming_window=incoming_window))
        self.frame()
        return self

    def authorize(self, audience: str = "sb://localhost/", signature: str | None = None) -> bytes:
        """Puts a token over $cbs (handles 10 and 11) and returns the reply's frame."""
        self.send(attach_sender("cbs-requests", 10, "$cbs"), attach_receiver("cbs-replies", 11, "$cbs"))
        self.frames(3)
        self.send(flow(11, credit=10, seen=1, window=5000))
        self.send(put_token(10, 0, audience, signature or token(audience)))
        reply = self.until(0x14)
        self.until(0x15)
        return reply
