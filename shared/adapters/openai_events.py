"""Server-sent events out of a byte stream, however the network has cut it.

Source: WHATWG HTML, section 9.2.6 "Interpreting an event stream". Two things differ: an event without its closing empty
line at the clean end of a stream counts, as it does for the official clients, and one event may only be so large.
"""

from typing import NamedTuple

LARGEST_EVENT_BYTES = 4 * 1024 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PLAIN = b"data: "


class ServerEvent(NamedTuple):
    """One event: its name, empty when the stream gave none, and its data, lines joined with a line feed."""

    name: bytes
    data: bytes


class EventStream:
    """Takes bytes as they come and gives the events that are complete."""

    def __init__(self) -> None:
        """Begins at the start of a stream."""
        self._rest = b""
        self._begun = False
        self._after_return = False

    def feed(self, data: bytes) -> list[ServerEvent]:
        """The events that these bytes complete.

        Raises:
            ValueError: An event is larger than `LARGEST_EVENT_BYTES`.
        """
        if not data:
            return []
        if self._after_return or b"\r" in data:
            data = self._with_line_feeds(data)
        *blocks, self._rest = (self._rest + data).split(b"\n\n")
        if len(self._rest) > LARGEST_EVENT_BYTES:
            raise ValueError(f"an event of the stream is larger than {LARGEST_EVENT_BYTES} bytes")
        return self._events(blocks)

    def end(self) -> list[ServerEvent]:
        """What is left at the clean end of the stream."""
        rest, self._rest = self._rest, b""
        return self._events([rest])

    def _with_line_feeds(self, data: bytes) -> bytes:
        """All line ends as line feeds. A return may be the first half of a line end whose second half comes later."""
        if self._after_return:
            data = data.removeprefix(b"\n")
        self._after_return = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _events(self, blocks: list[bytes]) -> list[ServerEvent]:
        events: list[ServerEvent] = []
        for each in blocks:
            block = each
            if not self._begun and block:
                self._begun = True
                block = block.removeprefix(BYTE_ORDER_MARK)
            # What deployments send, nearly always.
            if block.startswith(_PLAIN) and b"\n" not in block:
                events.append(ServerEvent(b"", block[6:]))
            elif block and (event := _read(block)) is not None:
                events.append(event)
        return events


def _read(block: bytes) -> ServerEvent | None:
    """The event of some lines; None when none of them has data."""
    name, data = b"", list[bytes]()
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
    return ServerEvent(name, b"\n".join(data)) if data else None
