"""One HTTP exchange over ASGI: bounded reading, exact answers, waiting that ends when the caller goes away."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from local.openai.alarm import Alarm, wake
from local.openai.errors import ServiceError, too_large

Header = tuple[bytes, bytes]
_MIN_WAIT_SECONDS = 0.00005


class ClientGone(Exception):
    """The caller closed the connection before the answer was complete."""


class Exchange:
    """One request and its response.

    Attributes:
        started: Whether the status line went out.
    """

    def __init__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
        alarm: Alarm,
    ) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.client_host: str = (scope.get("client") or ("",))[0]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.started = False
        self._receive = receive
        self._send = send
        self._alarm = alarm
        self._gone = False
        self._watch: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def body(self, limit_bytes: int) -> bytes:
        """Reads the body.

        Raises:
            ServiceError: 413, it is larger than the limit; what is beyond the limit is not kept.
            ClientGone: The caller left while sending it.
        """
        length = self.headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > limit_bytes:
            raise too_large(limit_bytes)
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limit_bytes:
                raise too_large(limit_bytes)
            if not message.get("more_body", False):
                return b"".join(parts)

    async def answer(self, status: int, body: bytes, headers: list[Header]) -> None:
        """Sends a whole response; its headers say the content type."""
        await self.start(status, [*headers, (b"content-length", b"%d" % len(body))])
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def fail(self, error: ServiceError, headers: list[Header]) -> None:
        """Sends an error response."""
        content_type = (b"content-type", error.content_type)
        await self.answer(error.status, error.body, [content_type, *headers, *error.headers])

    async def start(self, status: int, headers: list[Header]) -> None:
        """Sends status and headers."""
        self.started = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, body: bytes) -> None:
        """Sends a part of the body.

        Raises:
            ClientGone: The caller left.
        """
        if self._gone:
            raise ClientGone
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self, body: bytes = b"") -> None:
        """Sends the last part of the body."""
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def sleep_until(self, deadline: float) -> None:
        """Waits until a monotonic time; times less than 50 microseconds ahead count as now.

        Raises:
            ClientGone: The caller left before, or while waiting.
        """
        delay = deadline - time.monotonic()
        if delay > _MIN_WAIT_SECONDS and not self._gone:
            loop = asyncio.get_running_loop()
            if self._watch is None:
                self._watch = loop.create_task(self._notice_leaving())
            self._waiter = loop.create_future()
            self._alarm.at(deadline, self._waiter)
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._gone:
            raise ClientGone

    def close(self) -> None:
        """Ends the watch over the connection."""
        if self._watch is not None:
            self._watch.cancel()

    async def _notice_leaving(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        if self._waiter is not None:
            wake(self._waiter)
