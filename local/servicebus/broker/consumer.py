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


class Consumers:
    """The receivers of a queue, served in turn."""

    def __init__(self) -> None:
        self._consumers: list[Consumer] = []
        self._next = 0

    def add(self, consumer: Consumer) -> None:
        """Adds a receiver at the end of the round."""
        self._consumers.append(consumer)

    def remove(self, consumer: Consumer) -> None:
        """Leaves a receiver out from now on."""
        self._consumers.remove(consumer)

    def next_free(self) -> Consumer | None:
        """The receiver whose turn it is, of those that take a message now."""
        count = len(self._consumers)
        for offset in range(count):
            index = (self._next + offset) % count
            if self._consumers[index].can_deliver:
                self._next = index + 1
                return self._consumers[index]
        return None
