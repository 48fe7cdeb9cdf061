"""uvicorn's HTTP protocol with a bound on the head of a request, which it does not have by itself."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_LIMIT_BYTES = 64 * 1024


class BoundedHttp(HttpToolsProtocol):
    """Answers 400 to a request line and headers of more than `HEAD_LIMIT_BYTES`, whether or not they ever end."""

    _in_head = True
    _head_bytes = 0
    _borders = 0

    def data_received(self, data: bytes) -> None:
        """Counts data that has brought neither the end of a head nor that of a body."""
        borders = self._borders
        super().data_received(data)
        if self._borders != borders:
            self._head_bytes = 0
        elif self._in_head:
            self._head_bytes += len(data)
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
