"""Sessions (part 2, section 2.5): links that share windows and delivery numbers on one channel."""

from collections import deque
from typing import TYPE_CHECKING, Any

from local.servicebus.amqp import performatives
from local.servicebus.amqp.attach import read_attach
from local.servicebus.amqp.encoder import uint
from local.servicebus.amqp.errors import AmqpError
from local.servicebus.amqp.incoming import IncomingLink
from local.servicebus.amqp.link import U32, Link
from local.servicebus.amqp.outgoing import OutgoingLink
from local.servicebus.amqp.performatives import ATTACH, DETACH, DISPOSITION, FLOW, TRANSFER, Performative, field
from local.servicebus.amqp.types import UInt

if TYPE_CHECKING:
    from local.servicebus.amqp.connection import Connection

HANDLE_MAX = 255
WINDOW = 0x7FFF_FFFF
MAX_ATTACH_BYTES = 8192
TRANSFER_HEAD_BYTES = 64
MAX_BLOCKED_BYTES = 16 * 1024 * 1024


class Session:
    """One session of a connection.

    Attributes:
        connection: The connection it runs on.
        channel: Its channel, the same number in both directions.
        links: Attached links by handle.
    """

    def __init__(self, connection: "Connection", channel: int, fields: list[Any]) -> None:
        self.connection = connection
        self.channel = channel
        self.links: dict[int, Link] = {}
        self._next_incoming_id = field(fields[1], UInt, "begin.next-outgoing-id")
        self._window = field(fields[2], UInt, "begin.incoming-window")
        self._next_outgoing_id = 1
        self._next_delivery_id = 0
        self._blocked: deque[tuple[OutgoingLink, bytes]] = deque()
        self._blocked_bytes = 0
        self._unsettled: dict[int, tuple[OutgoingLink, bytes]] = {}
        self._outcomes: list[tuple[int, bool, bytes]] = []
        self.send(performatives.begin(channel, self._next_outgoing_id, WINDOW, HANDLE_MAX))

    @property
    def is_open_for_deliveries(self) -> bool:
        """False while the peer's incoming window is used up."""
        return self._window > 0 and not self._blocked

    def send(self, body: bytes) -> None:
        """Sends any frame but a transfer."""
        self.connection.send(self.channel, body)

    def handle(self, received: Performative) -> None:
        """One performative for this session.

        Raises:
            AmqpError: It breaks the protocol; the connection is closed with it.
        """
        code, fields = received.code, received.fields
        if code == TRANSFER:
            self._transfer(fields, received.payload)
        elif code == DISPOSITION:
            self._disposition(fields)
        elif code == FLOW:
            self._flow(fields)
        elif code == ATTACH:
            if received.size > MAX_ATTACH_BYTES:
                raise AmqpError("amqp:not-allowed", f"An attach has at most {MAX_ATTACH_BYTES} bytes.")
            self._attach(fields)
        elif code == DETACH:
            self._detach(fields)

    def deliver(self, link: OutgoingLink, message: bytes, tag: bytes, token: bytes | None) -> None:
        """Sends a message in as many frames as the peer's frame size asks for, within its incoming window."""
        delivery_id, self._next_delivery_id = self._next_delivery_id, (self._next_delivery_id + 1) & U32
        if token is not None:
            self._unsettled[delivery_id] = (link, token)
        room = self.connection.peer_frame_bytes - TRANSFER_HEAD_BYTES
        handle, settled, start = link.request.handle, token is None, 0
        while True:
            more = len(message) - start > room
            head = performatives.transfer(handle, delivery_id, tag, settled=settled, more=more)
            self._send_transfer(link, head + message[start : start + room])
            start += room
            if not more:
                return

    def settle(self, delivery_id: int, state: bytes, *, receiver: bool) -> None:
        """Notes an outcome; it leaves with the others of this turn.

        Args:
            delivery_id: The delivery.
            state: Encoded outcome.
            receiver: True when the broker received the delivery.
        """
        self._outcomes.append((delivery_id, receiver, state))

    def flush_outcomes(self) -> None:
        """Sends the outcomes of this turn, neighbours with the same outcome in one frame."""
        outcomes, self._outcomes = self._outcomes, []
        index, count = 0, len(outcomes)
        while index < count:
            first, receiver, state = outcomes[index]
            last = first
            index += 1
            while index < count and outcomes[index] == (last + 1, receiver, state):
                last += 1
                index += 1
            self.send(performatives.disposition(receiver=receiver, first=first, last=last, state=state))

    def send_flow(self, *link_fields: bytes) -> None:
        """Sends the state of the session, and of one link when its fields are given."""
        session_fields = (uint(self._next_incoming_id), uint(WINDOW), uint(self._next_outgoing_id), uint(WINDOW))
        self.send(performatives.performative(FLOW, *session_fields, *link_fields))

    def forget(self, link: Link) -> None:
        """Drops what the session still holds for a link that is gone."""
        if self.links.get(link.request.handle) is link:
            del self.links[link.request.handle]
            self.connection.count_link(-1)
        if isinstance(link, OutgoingLink):
            self._unsettled = {key: value for key, value in self._unsettled.items() if value[0] is not link}
            self._blocked = deque(entry for entry in self._blocked if entry[0] is not link)
            self._blocked_bytes = sum(len(body) for _, body in self._blocked)

    def close(self) -> None:
        """The session is over: so are its links."""
        for link in list(self.links.values()):
            link.close()

    def resume(self) -> None:
        """The window or the connection has room again: consumers may go on."""
        for link in list(self.links.values()):
            if isinstance(link, OutgoingLink) and link.terminus is not None and (link.credit > 0 or link.draining):
                link.terminus.credit_changed()

    def _send_transfer(self, link: OutgoingLink, body: bytes) -> None:
        if self._window > 0 and not self._blocked:
            self._window -= 1
            self._next_outgoing_id = (self._next_outgoing_id + 1) & U32
            self.send(body)
            return
        self._blocked.append((link, body))
        self._blocked_bytes += len(body)
        if self._blocked_bytes > MAX_BLOCKED_BYTES:
            raise AmqpError("amqp:resource-limit-exceeded", "Too many replies wait for the session's window.")

    def _attach(self, fields: list[Any]) -> None:
        request = read_attach(fields)
        if request.handle > HANDLE_MAX:
            raise AmqpError("amqp:not-allowed", f"Handle {request.handle} exceeds handle-max {HANDLE_MAX}.")
        if request.handle in self.links:
            raise AmqpError("amqp:session:handle-in-use", f"Handle {request.handle} is in use.")
        link: Link
        if request.client_receives:
            link = OutgoingLink(self, request)
        else:
            link = IncomingLink(self, request, field(fields[9] or UInt(0), UInt, "attach.initial-delivery-count"))
        self.connection.count_link(1)
        self.links[request.handle] = link
        try:
            self.connection.service.attach(link)
        except AmqpError as error:
            link.refuse(error)

    def _detach(self, fields: list[Any]) -> None:
        link = self.links.get(field(fields[0], UInt, "detach.handle"))
        if link is not None:
            link.detach()

    def _flow(self, fields: list[Any]) -> None:
        received = field(UInt(1) if fields[0] is None else fields[0], UInt, "flow.next-incoming-id")
        window = field(fields[1], UInt, "flow.incoming-window")
        in_flight = (self._next_outgoing_id - received) & U32
        self._window = max(window - in_flight, 0) if in_flight <= WINDOW else window
        self._send_blocked()
        if fields[4] is None:
            if fields[9] is True:
                self.send_flow()
            self.resume()
            return
        link = self.links.get(field(fields[4], UInt, "flow.handle"))
        if link is None:
            return
        counts = [None if value is None else field(value, UInt, "flow.link-credit") for value in fields[5:7]]
        link.flow(counts[0], counts[1], drain=fields[8] is True)
        if fields[9] is True:
            link.send_flow()

    def _send_blocked(self) -> None:
        while self._blocked and self._window > 0:
            _, body = self._blocked.popleft()
            self._blocked_bytes -= len(body)
            self._window -= 1
            self._next_outgoing_id = (self._next_outgoing_id + 1) & U32
            self.send(body)

    def _transfer(self, fields: list[Any], payload: bytes) -> None:
        self._next_incoming_id = (self._next_incoming_id + 1) & U32
        link = self.links.get(field(fields[0], UInt, "transfer.handle"))
        if isinstance(link, IncomingLink):
            link.transfer(fields, payload)
        elif link is not None:
            raise AmqpError("amqp:not-allowed", f"Handle {fields[0]} belongs to a link that sends to the client.")

    def _disposition(self, fields: list[Any]) -> None:
        if fields[0] is not True:
            return
        first = field(fields[1], UInt, "disposition.first")
        last = field(first if fields[2] is None else fields[2], UInt, "disposition.last")
        settled, state = fields[3] is True, fields[4]
        if state is None and not settled:
            return
        if last - first > len(self._unsettled):
            numbers = [number for number in self._unsettled if first <= number <= last]
        else:
            numbers = [number for number in range(first, last + 1) if number in self._unsettled]
        for number in numbers:
            link, token = self._unsettled[number]
            link.use()
            outcome = None if link.terminus is None else link.terminus.settle(token, state)
            if outcome is None:
                continue
            self._unsettled.pop(number, None)
            if not settled:
                self.settle(number, outcome, receiver=False)
