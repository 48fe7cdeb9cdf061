"""Who receives from a queue, as the queue sees it."""

from typing import Protocol

from local.servicebus.broker.errors import BrokerError


class Consumer(Protocol):
    """A receiver.

    Attributes:
        presettled: Receive-and-delete: a message is gone once it is handed over.
    """

    presettled: bool

    @property
    def can_deliver(self) -> bool:
        """Whether it takes a message now."""

    def deliver(self, message: bytes, token: bytes | None) -> None:
        """Hands over an encoded message; `token` is its lock, None when it is settled already."""

    def session_granted(self, session_id: str, locked_until: float) -> None:
        """The session it asked for is locked for it (seconds since the epoch)."""

    def session_refused(self, error: BrokerError) -> None:
        """No session became available in time."""

    def session_lost(self, error: BrokerError) -> None:
        """Its session's lock expired."""
