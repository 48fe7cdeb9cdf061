"""Links on which messages go to the client."""

from typing import TYPE_CHECKING

from local.servicebus.amqp.attach import AttachRequest
from local.servicebus.amqp.link import U32, Link

if TYPE_CHECKING:
    from local.servicebus.amqp.session import Session

HALF_RANGE = 0x7FFF_FFFF


class OutgoingLink(Link):
    """Messages go to the client, as many as it granted credit for."""

    kind = "consumer"

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
            tag: Delivery tag, at most 32 bytes.
            token: What to settle it by; None when it is settled already.
        """
        self.use()
        self.credit -= 1
        self.delivery_count = (self.delivery_count + 1) & U32
        self.session.deliver(self, message, tag, token)

    def flow(self, delivery_count: int | None, credit: int | None, *, drain: bool) -> None:
        """New credit counts from the client's delivery count, which may be behind what is on the wire."""
        self.use()
        if credit is not None:
            on_the_wire = (self.delivery_count - (delivery_count or 0)) & U32
            self.credit = max(credit - on_the_wire, 0) if on_the_wire <= HALF_RANGE else credit
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
