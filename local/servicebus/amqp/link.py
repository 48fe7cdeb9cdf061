"""Links (part 2, section 2.6): one direction each, with credit, between a client and what the broker put behind it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from local.servicebus.amqp import performatives
from local.servicebus.amqp.encoder import FALSE, NULL, TRUE, encode, uint
from local.servicebus.amqp.errors import AmqpError
from local.servicebus.amqp.types import Described, UByte, ULong

if TYPE_CHECKING:
    from local.servicebus.amqp.session import Session

CREDIT = 1000
CREDIT_LOW = 500
WINDOW = 0x7FFF_FFFF
MAX_DELIVERY_TAG_BYTES = 32
U32 = 0xFFFF_FFFF


@dataclass(slots=True, frozen=True)
class AttachRequest:
    """What the client asked for.

    Attributes:
        name: Link name, unique per direction between two containers.
        handle: The client's number for the link in its session; the broker answers with the same.
        client_receives: True when messages go to the client.
        presettled: True when the sender of messages settles them before they are sent.
        sender_mode: The snd-settle-mode field as it came.
        receiver_mode: The rcv-settle-mode field as it came.
        source: The source terminus as it came.
        target: The target terminus as it came.
        properties: Link properties by name.
    """

    name: str
    handle: int
    client_receives: bool
    presettled: bool
    sender_mode: int | None
    receiver_mode: int | None
    source: Described | None
    target: Described | None
    properties: dict[str, Any]

    @property
    def address(self) -> str:
        """Address of the node the client wants to talk to; empty when there is none."""
        terminus = self.source if self.client_receives else self.target
        fields = terminus.value if terminus is not None else []
        return fields[0] if fields and isinstance(fields[0], str) else ""

    @property
    def filters(self) -> dict[str, Any]:
        """Filters of the source, by name."""
        fields = self.source.value if self.source is not None else []
        filters = fields[7] if len(fields) > 7 else None
        return filters if isinstance(filters, dict) else {}

    def with_filters(self, filters: dict[str, Any]) -> "AttachRequest":
        """The same request with other source filters."""
        fields = list(self.source.value) if self.source is not None else []
        fields += [None] * (8 - len(fields))
        fields[7] = filters
        return replace(self, source=Described(ULong(0x28), fields))


def read_attach(fields: list[Any]) -> AttachRequest:
    """Checks an attach.

    Raises:
        AmqpError: A field has the wrong type.
    """
    name, handle, client_receives, sender_mode, receiver_mode, source, target = fields[:7]
    for terminus, label in ((source, "source"), (target, "target")):
        if terminus is not None and not (isinstance(terminus, Described) and isinstance(terminus.value, list)):
            raise AmqpError("amqp:invalid-field", f"The {label} of an attach must be a described list.")
    properties = fields[13] if fields[13] is not None else {}
    return AttachRequest(
        name=performatives.field(name, str, "attach.name"),
        handle=performatives.field(handle, int, "attach.handle"),
        client_receives=performatives.field(client_receives, bool, "attach.role"),
        presettled=sender_mode == 1,
        sender_mode=sender_mode if isinstance(sender_mode, int) else None,
        receiver_mode=receiver_mode if isinstance(receiver_mode, int) else None,
        source=source,
        target=target,
        properties=performatives.field(properties, dict, "attach.properties"),
    )


class Terminus(Protocol):
    """What the broker put at its end of a link."""

    def received(self, message: bytes, message_format: int) -> None:
        """Takes a message from the client. Raising AmqpError rejects it."""

    def credit_changed(self) -> None:
        """The client granted or took away credit, or asked for a drain."""

    def settle(self, token: bytes, state: Any) -> bytes | None:
        """Applies the client's outcome to a delivery.

        Returns:
            The encoded outcome that holds now; None when the delivery is still open.
        """

    def closed(self) -> None:
        """The link is gone, for whatever reason."""


class Link(ABC):
    """One link.

    Attributes:
        session: The session it belongs to.
        request: The client's attach.
        terminus: What stands behind the link; None until it is accepted.
        delivery_count: Deliveries so far, as a 32-bit serial number.
        credit: Deliveries that the sending side may still make.
    """

    def __init__(self, session: "Session", request: AttachRequest) -> None:
        self.session = session
        self.request = request
        self.terminus: Terminus | None = None
        self.delivery_count = 0
        self.credit = 0
        self.detached = False

    def accept(self, terminus: Terminus, properties: dict[Any, Any] | None = None) -> None:
        """Answers the attach: the link is open."""
        self.terminus = terminus
        self._answer(encode(self.request.source), encode(self.request.target), properties)

    def refuse(self, error: AmqpError) -> None:
        """Answers the attach with a null terminus and closes the link with the reason.

        The null is what tells the client that there is no link (section 2.6.3).
        """
        source = NULL if self.request.client_receives else encode(self.request.source)
        target = encode(self.request.target) if self.request.client_receives else NULL
        self._answer(source, target, None)
        self.detach(error)

    def detach(self, error: AmqpError | None = None) -> None:
        """Closes the link from the broker's side. The client's own detach still follows and is ignored."""
        if self.detached:
            return
        self.detached = True
        reason = NULL if error is None else self.session.connection.describe(error)
        self.session.send(performatives.detach(self.request.handle, reason))
        self.close()

    def close(self) -> None:
        """Lets go of what stands behind the link."""
        terminus, self.terminus = self.terminus, None
        self.detached = True
        self.session.forget(self)
        if terminus is not None:
            terminus.closed()

    def send_flow(self, *, drain: bool = False) -> None:
        """Tells the client the state of the link."""
        fields = (uint(self.request.handle), uint(self.delivery_count), uint(max(self.credit, 0)), NULL)
        self.session.send_flow(*fields, TRUE if drain else FALSE)

    @abstractmethod
    def flow(self, delivery_count: int | None, credit: int | None, *, drain: bool) -> None:
        """The client's view of the link."""

    def _answer(self, source: bytes, target: bytes, properties: dict[Any, Any] | None) -> None:
        request = self.request
        self.session.send(
            performatives.performative(
                performatives.ATTACH,
                encode(request.name),
                uint(request.handle),
                FALSE if request.client_receives else TRUE,
                NULL if request.sender_mode is None else encode(UByte(request.sender_mode)),
                NULL if request.receiver_mode is None else encode(UByte(request.receiver_mode)),
                source,
                target,
                NULL,
                NULL,
                uint(0) if request.client_receives else NULL,
                encode(ULong(self.session.connection.limits.max_message_bytes)),
                NULL,
                NULL,
                encode(properties),
            )
        )


class OutgoingLink(Link):
    """Messages go to the client, as many as it granted credit for."""

    def __init__(self, session: "Session", request: AttachRequest) -> None:
        super().__init__(session, request)
        self.draining = False

    @property
    def can_deliver(self) -> bool:
        """Whether a delivery may start now: credit, the session's window and the connection's buffer all allow it."""
        return self.credit > 0 and self.session.is_open_for_deliveries and not self.session.connection.is_congested

    def deliver(self, message: bytes, tag: bytes, token: bytes | None) -> None:
        """Sends a message.

        Args:
            message: Encoded sections.
            tag: Delivery tag, at most MAX_DELIVERY_TAG_BYTES.
            token: What to settle it by; None when it is settled already.
        """
        self.credit -= 1
        self.delivery_count = (self.delivery_count + 1) & U32
        self.session.deliver(self, message, tag, token)

    def flow(self, delivery_count: int | None, credit: int | None, *, drain: bool) -> None:
        """New credit counts from the client's delivery count, which may be behind what is on the wire."""
        if credit is not None:
            on_the_wire = (self.delivery_count - (delivery_count or 0)) & U32
            self.credit = max(credit - on_the_wire, 0) if on_the_wire <= WINDOW else credit
        self.draining = drain
        if self.terminus is not None:
            self.terminus.credit_changed()

    def finish_drain(self) -> None:
        """After everything available was delivered: the rest of the credit is used up at once."""
        if self.draining and self.session.is_open_for_deliveries and not self.session.connection.is_congested:
            self.draining = False
            self.delivery_count = (self.delivery_count + self.credit) & U32
            self.credit = 0
            self.send_flow(drain=True)


class IncomingLink(Link):
    """Messages come from the client. They are put together from frames, never beyond the size limit."""

    def __init__(self, session: "Session", request: AttachRequest, initial_delivery_count: int) -> None:
        super().__init__(session, request)
        self.delivery_count = initial_delivery_count & U32
        self._parts: list[bytes] = []
        self._size = 0
        self._first: list[Any] | None = None

    def accept(self, terminus: Terminus, properties: dict[Any, Any] | None = None) -> None:
        """Opens the link and grants the first credit."""
        super().accept(terminus, properties)
        self.credit = CREDIT
        self.send_flow()

    def flow(self, delivery_count: int | None, credit: int | None, *, drain: bool) -> None:
        """The sender's own view changes nothing here; credit is the broker's to give."""

    def transfer(self, fields: list[Any], payload: bytes) -> None:
        """One transfer frame (section 2.7.5)."""
        first = self._first
        if first is None:
            first = self._first = fields
        more, aborted = fields[5] is True, fields[9] is True
        self._size += len(payload)
        if self._size <= self.session.connection.limits.max_message_bytes:
            self._parts.append(payload)
        else:
            self._parts.clear()
        if more and not aborted:
            return
        message, size = b"".join(self._parts), self._size
        self._first, self._parts, self._size = None, [], 0
        self.delivery_count = (self.delivery_count + 1) & U32
        self.credit -= 1
        if not aborted:
            self._complete(first, fields[4] is True or first[4] is True, message, size)
        if self.credit <= CREDIT_LOW and not self.detached:
            self.credit = CREDIT
            self.send_flow()

    def _complete(self, first: list[Any], settled: bool, message: bytes, size: int) -> None:
        delivery_id = performatives.field(first[1], int, "transfer.delivery-id")
        try:
            self._hand_over(first, delivery_id, message, size)
        except AmqpError as error:
            if settled:
                self.detach(error)
            else:
                self.session.settle(delivery_id, self.session.connection.reject(error), receiver=True)
            return
        if not settled:
            self.session.settle(delivery_id, performatives.ACCEPTED, receiver=True)

    def _hand_over(self, first: list[Any], delivery_id: int, message: bytes, size: int) -> None:
        limit = self.session.connection.limits.max_message_bytes
        if size > limit:
            raise AmqpError(
                "amqp:link:message-size-exceeded",
                f"The received message (delivery-id:{delivery_id}, size:{size} bytes) exceeds the limit "
                f"({limit} bytes) currently allowed on the link.",
            )
        if first[7] is not None:
            raise AmqpError("amqp:not-implemented", "Transactional transfers are not supported.")
        if self.terminus is None:
            raise AmqpError("amqp:illegal-state", "The link is not attached.")
        self.terminus.received(message, first[3] if isinstance(first[3], int) else 0)
