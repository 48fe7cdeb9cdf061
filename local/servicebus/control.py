"""The control plane, which no real namespace has: counts over HTTP, for tests and measurements on this machine."""

import asyncio
import json
import socket
from typing import Any

from local.servicebus.broker.broker import Broker

MOST_HEAD_BYTES = 8192
HEAD_SECONDS = 5.0


class Control:
    """Answers `GET /_sim/account`, one request a connection."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def serve(self, listener: socket.socket) -> asyncio.Server:
        """Starts to answer."""
        return await asyncio.start_server(self._handle, sock=listener, limit=MOST_HEAD_BYTES)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            writer.write(_response(*self._answer(head.split(b"\r\n", 1)[0])))
            await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            # Whoever does not send a request in time, or leaves, gets no answer.
            pass
        finally:
            writer.close()

    def _answer(self, request_line: bytes) -> tuple[int, dict[str, Any]]:
        method, _, rest = request_line.partition(b" ")
        if rest.split(b" ")[0] != b"/_sim/account":
            return 404, {"error": "The control plane has /_sim/account."}
        if method != b"GET":
            return 405, {"error": "Only GET is possible here."}
        return 200, {"queues": self._broker.account()}


def _response(status: int, document: dict[str, Any]) -> bytes:
    reason = {200: "OK", 404: "Not Found", 405: "Method Not Allowed"}[status]
    body = json.dumps(document).encode()
    head = (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
