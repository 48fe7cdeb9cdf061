"""Requests that mean two things, and requests that never end, over raw sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from typing import ClassVar

import pytest
from starlette.types import Receive, Scope, Send

from local import wire
from local.host.web.protocol import BoundedHttp
from local.host.web.server import WebServer
from tests.contract.host.conftest import APPS
from tests.processes import Service, running

SMUGGLED = "GET /api/instance HTTP/1.1\r\nHost: x\r\n\r\n"
TWO_LENGTHS = f"Content-Length: 0\r\nContent-Length: {len(SMUGGLED)}\r\n\r\n{SMUGGLED}"
LENGTH_FIRST = f"Content-Length: {len(SMUGGLED) + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}"
AMBIGUOUS = {
    "a length and chunks": LENGTH_FIRST,
    "chunks and a length": f"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "two lengths": TWO_LENGTHS,
    "a list of lengths": f"Content-Length: 0, {len(SMUGGLED)}\r\n\r\n{SMUGGLED}",
    "a signed length": f"Content-Length: +0\r\n\r\n{SMUGGLED}",
    "a negative length": f"Content-Length: -1\r\n\r\n{SMUGGLED}",
    "a hexadecimal length": f"Content-Length: 0x0\r\n\r\n{SMUGGLED}",
    "a length that overflows": f"Content-Length: 18446744073709551616\r\n\r\n{SMUGGLED}",
    "a space before the colon": f"Content-Length : 0\r\n\r\n{SMUGGLED}",
    "a folded header": f"X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n{SMUGGLED}",
    "chunked is not the last coding": f"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "an unknown coding": f"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "a coding behind a vertical tab": f"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "a chunk size that is no number": f"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n{SMUGGLED}",
    "a signed chunk size": f"Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n{SMUGGLED}",
    "a chunk size that overflows": f"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n{SMUGGLED}",
    "a chunk longer than it says": f"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n{SMUGGLED}",
    "a header with a null": f"X-A: a\0b\r\nContent-Length: 0\r\n\r\n{SMUGGLED}",
    "a header name with a space": f"X A: b\r\nContent-Length: 0\r\n\r\n{SMUGGLED}",
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("hostile")
    with running("local.host", "--app", str(APPS / "http_streaming"), "--port", "0", folder=folder) as service:
        yield service


def speak(port: int, data: bytes, *, seconds: float = 10.0) -> bytes:
    """Everything that is answered until the connection is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(data)
        answer = bytearray()
        while part := connection.recv(65_536):
            answer += part
    return bytes(answer)


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_a_request_with_two_meanings_is_refused_and_nothing_behind_it_is_answered(host: Service, name: str) -> None:
    request = f"POST /api/echo HTTP/1.1\r\nHost: x\r\n{AMBIGUOUS[name]}"
    answer = speak(host.port, request.encode("latin-1"))
    assert b'"pid"' not in answer
    assert b"HTTP/1.1 400" in answer
    assert b"HTTP/1.1 200" not in answer


def test_two_requests_that_are_complete_are_both_answered(host: Service) -> None:
    plain = "GET /api/instance HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = speak(host.port, f"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx{plain}".encode())
    assert answer.count(b"HTTP/1.1 200") == 2


class Quick(BoundedHttp):
    """The same bounds in a fraction of the time."""

    IDLE_SECONDS: ClassVar[float] = 0.3
    HEAD_SECONDS: ClassVar[float] = 0.3
    BODY_GRACE_SECONDS: ClassVar[float] = 0.3
    BODY_BYTES_PER_SECOND: ClassVar[float] = 1000.0
    LOOK_SECONDS: ClassVar[float] = 0.05


async def reads_all(scope: Scope, receive: Receive, send: Send) -> None:
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if message["type"] == "http.disconnect":
            return
        if not message.get("more_body"):
            break
        # An app that is slow itself, with a body that fills the server's buffer.
        if scope["path"] == "/slow" and size < 200_000:
            await asyncio.sleep(0.2)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def quick() -> AsyncIterator[int]:
    server = WebServer(reads_all, 1, protocol=Quick)
    listener = wire.listen("127.0.0.1", 0)
    server.begin([listener])
    yield listener.getsockname()[1]
    await server.end()


async def drip(port: int, first: bytes, drop: bytes) -> bytes:
    """Sends drops until there is an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(first)
    answer = asyncio.create_task(reader.read())
    async with asyncio.timeout(20):
        while not answer.done():
            writer.write(drop)
            await asyncio.wait([answer], timeout=0.05)
    writer.close()
    return answer.result()


async def test_a_head_that_comes_drop_by_drop_is_408(quick: int) -> None:
    answer = await drip(quick, b"GET / HTTP/1.1\r\n", b"x: y\r\n")
    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    ("head", "drop"), [(b"Content-Length: 100000", b"x"), (b"Transfer-Encoding: chunked", b"1\r\nx\r\n")]
)
async def test_a_body_that_comes_drop_by_drop_is_408(quick: int, head: bytes, drop: bytes) -> None:
    answer = await drip(quick, b"POST / HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n", drop)
    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_a_connection_that_says_nothing_is_closed(quick: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", quick)
    assert await asyncio.wait_for(reader.read(), 20) == b""
    writer.close()


async def test_a_body_that_the_app_reads_slowly_is_not_called_slow(quick: int) -> None:
    body = b"x" * 400_000
    reader, writer = await asyncio.open_connection("127.0.0.1", quick)
    writer.write(b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    answer = await asyncio.wait_for(reader.readline(), 20)
    assert answer == b"HTTP/1.1 200 OK\r\n"
    writer.close()
