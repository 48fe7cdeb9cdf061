"""Links on which messages come from the client."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.servicebus.amqp import performatives
from local.servicebus.amqp.attach import AttachRequest
from local.servicebus.amqp.errors import AmqpError
from local.servicebus.amqp.link import U32, Link, Terminus
from local.servicebus.amqp.types import UInt

if TYPE_CHECKING:
    from local.servicebus.amqp.session import Session

CREDIT = 1000
CREDIT_LOW = 500


@dataclass(slots=True)
class Delivery:
    """A delivery while its frames come in.

    Attributes:
        id: The client's delivery id.
        message_format: 0 for a message, other numbers for other layouts.
        is_settled: The client wants no answer.
        is_transactional: It carries a delivery state, which only transactions do.
        parts: Payloads so far; none once the delivery exceeds the size limit.
        size: Bytes that came in, kept or not.
    """

    id: int
    message_format: int
    is_settled: bool
    is_transactional: bool
    parts: list[bytes] = field(default_factory=list)
    size: int = 0


class IncomingLink(Link):
    """Messages come from the client. They are put together from frames, never beyond the size limit.

    A client that sends more than its credit is served all the same, because the Python SDK does that; every message
    is handled as it comes in, so nothing piles up.
    """

    kind = "publisher"

    def __init__(self, session: "Session", request: AttachRequest, initial_delivery_count: int) -> None:
        super().__init__(session, request)
        self.delivery_count = initial_delivery_count & U32
        self._delivery: Delivery | None = None
        self._held = 0

    def accept(self, terminus: Terminus, properties: dict[Any, Any] | None = None) -> None:
        """Opens the link and grants the first credit."""
        super().accept(terminus, properties)
        self._grant()

    def flow(self, delivery_count: int | None, credit: int | None, *, drain: bool) -> None:
        """The sender's own view changes nothing here; credit is the broker's to give."""

    def close(self) -> None:
        """Lets go of an unfinished message too."""
        self._delivery = None
        self._hold(0)
        super().close()

    def transfer(self, fields: list[Any], payload: bytes) -> None:
        """One transfer frame (section 2.7.5)."""
        self.use()
        delivery = self._delivery
        if delivery is None:
            delivery = self._delivery = _first_frame(fields)
        self._add(delivery, payload)
        more, aborted = fields[5] is True, fields[9] is True
        if more and not aborted:
            self._hold(sum(map(len, delivery.parts)))
            return
        self._delivery = None
        self._hold(0)
        self.delivery_count = (self.delivery_count + 1) & U32
        self.credit -= 1
        if not aborted:
            self._complete(delivery)
        if self.credit <= CREDIT_LOW and not self.detached:
            self._grant()

    def _grant(self) -> None:
        self.credit = CREDIT
        self.send_flow()

    def _add(self, delivery: Delivery, payload: bytes) -> None:
        delivery.size += len(payload)
        if delivery.size > self.session.connection.limits.max_message_bytes:
            delivery.parts.clear()
        elif payload:
            delivery.parts.append(payload)

    def _hold(self, size: int) -> None:
        """Tells the connection how much the unfinished message takes."""
        change, self._held = size - self._held, size
        self.session.connection.count_partial(change)

    def _complete(self, delivery: Delivery) -> None:
        try:
            self._hand_over(delivery)
        except AmqpError as error:
            if delivery.is_settled:  # there is no other way left to say that it was not taken
                self.detach(error)
            else:
                self.session.settle(delivery.id, self.session.connection.reject(error), receiver=True)
            return
        if not delivery.is_settled:
            self.session.settle(delivery.id, performatives.ACCEPTED, receiver=True)

    def _hand_over(self, delivery: Delivery) -> None:
        limit = self.session.connection.limits.max_message_bytes
        if delivery.size > limit:
            raise AmqpError(
                "amqp:link:message-size-exceeded",
                f"The received message (delivery-id:{delivery.id}, size:{delivery.size} bytes) exceeds the limit "
                f"({limit} bytes) currently allowed on the link.",
            )
        if delivery.is_transactional:
            raise AmqpError("amqp:not-implemented", "Transactional transfers are not supported.")
        if self.terminus is None:
            raise AmqpError("amqp:illegal-state", "The link is not attached.")
        parts = delivery.parts
        self.terminus.received(parts[0] if len(parts) == 1 else b"".join(parts), delivery.message_format)


def _first_frame(fields: list[Any]) -> Delivery:
    return Delivery(
        id=performatives.field(fields[1], UInt, "transfer.delivery-id"),
        message_format=performatives.field(fields[3] or UInt(0), UInt, "transfer.message-format"),
        is_settled=fields[4] is True,
        is_transactional=fields[7] is not None,
    )
