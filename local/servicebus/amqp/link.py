"""Links (part 2, section 2.6): what both directions have in common, and what stands behind them."""

from abc import ABC, abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from local.servicebus.amqp import performatives
from local.servicebus.amqp.attach import AttachRequest
from local.servicebus.amqp.encoder import FALSE, NULL, TRUE, encode, uint
from local.servicebus.amqp.errors import AmqpError
from local.servicebus.amqp.types import UByte, ULong

if TYPE_CHECKING:
    from local.servicebus.amqp.session import Session

U32 = 0xFFFF_FFFF


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
        expires: Whether it is detached after a while without use, as links to queues are.
        used_at: When something last came or went over it, on the event loop's clock; None while it cannot expire.
    """

    kind = "link"

    def __init__(self, session: "Session", request: AttachRequest) -> None:
        self.session = session
        self.request = request
        self.terminus: Terminus | None = None
        self.delivery_count = 0
        self.credit = 0
        self.detached = self.expires = False
        self.used_at: float | None = None

    def accept(self, terminus: Terminus, properties: dict[Any, Any] | None = None) -> None:
        """Answers the attach: the link is open."""
        self.terminus = terminus
        self.use()
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

    def use(self) -> None:
        """Notes that the link is used."""
        if self.expires:
            self.used_at = self.session.connection.now

    def expire(self, idle_seconds: float) -> None:
        """Detaches the link because nobody used it; in the service's words, which clients may look for."""
        idle = timedelta(seconds=idle_seconds)
        self.detach(
            AmqpError(
                "amqp:link:detach-forced",
                f"The link '{self.request.name}' is force detached. Code: {self.kind}. "
                f"Details: IdleTimerExpired: Idle timeout: {idle}.",
            )
        )

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
