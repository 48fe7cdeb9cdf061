"""uvicorn's HTTP protocol with bounds that it does not have by itself: on the size of a head and on slow requests.

The limits on slowness are those of Kestrel, the server of the platform's host. Source: learn.microsoft.com, "Configure
options for the ASP.NET Core Kestrel web server".
"""

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_LIMIT_BYTES = 64 * 1024


class BoundedHttp(HttpToolsProtocol):
    """Answers 400 to too large a head, 408 to one that takes too long and to a body that comes too slowly.

    Attributes:
        IDLE_SECONDS: How long a new connection may say nothing.
        HEAD_SECONDS: How long a request line and headers may take from their first byte.
        BODY_GRACE_SECONDS: How long a body may take before its rate counts.
        BODY_BYTES_PER_SECOND: The least rate of a body that the app is ready to read.
        LOOK_SECONDS: How often an unfinished request is looked at.
    """

    IDLE_SECONDS: ClassVar[float] = 130.0
    HEAD_SECONDS: ClassVar[float] = 30.0
    BODY_GRACE_SECONDS: ClassVar[float] = 5.0
    BODY_BYTES_PER_SECOND: ClassVar[float] = 240.0
    LOOK_SECONDS: ClassVar[float] = 1.0

    _in_head = True
    _head_bytes = 0
    _body_bytes = 0
    _borders = 0
    _since: float | None = None
    _look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A connection that nobody speaks on is closed after a while."""
        super().connection_made(transport)
        self._look = self.loop.call_later(self.IDLE_SECONDS, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left to look at."""
        self._look_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts data that has brought neither the end of a head nor that of a body."""
        borders = self._borders
        super().data_received(data)
        if self._since is None or self._borders != borders:
            self._look_no_more()
            self._since, self._head_bytes, self._body_bytes = None, 0, 0
        if self._borders == borders:
            self._count(len(data))
        if self._since is None and (self._head_bytes or not self._in_head):
            self._since = self.loop.time()
            self._look_later()

    def _count(self, size: int) -> None:
        if not self._in_head:
            self._body_bytes += size
            return
        self._head_bytes += size
        if self._head_bytes > HEAD_LIMIT_BYTES and not self.transport.is_closing():
            self.send_400_response("Request head too large.")

    def on_headers_complete(self) -> None:
        """The body begins, if there is one."""
        self._in_head = False
        self._borders += 1
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next request begins."""
        self._in_head = True
        self._borders += 1
        super().on_message_complete()

    def _look_later(self) -> None:
        self._look = self.loop.call_later(self.LOOK_SECONDS, self._look_now)

    def _look_no_more(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _look_now(self) -> None:
        self._look = None
        if self.transport.is_closing() or self._since is None:
            return
        now = self.loop.time()
        if not self._in_head and self.flow.read_paused:
            # The app is the slow one.
            self._since, self._body_bytes = now, 0
        elif self._too_slow(now - self._since):
            self._send_408()
            return
        self._look_later()

    def _too_slow(self, seconds: float) -> bool:
        if self._in_head:
            return seconds > self.HEAD_SECONDS
        return seconds > self.BODY_GRACE_SECONDS and self._body_bytes < seconds * self.BODY_BYTES_PER_SECOND

    def _send_408(self) -> None:
        answering = self._borders > 0 and self.cycle.response_started and not self.cycle.response_complete
        if not answering:
            self.transport.write(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        # Of an answer that has begun, no more can be said. Before the first head there is no cycle.
        self.transport.close()
