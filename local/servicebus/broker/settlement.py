"""How receivers end the locks they hold, one method per outcome."""

from collections.abc import Mapping
from typing import Any

from local.servicebus.broker.errors import MessageLockLost, NotAllowed
from local.servicebus.broker.lifecycle import Lifecycle
from local.servicebus.broker.stored import State, StoredMessage


class Settlement(Lifecycle):
    """Settles locked messages by their lock token.

    Every method raises MessageLockLost when the lock is over, also when no timer has noticed yet.
    """

    def complete(self, token: bytes) -> None:
        """The message was handled: it is removed."""
        self.remove(self._held(token))
        self.usage.count("completed")

    def abandon(self, token: bytes, properties: Mapping[str, Any] | None = None) -> None:
        """The message was not handled: it becomes available again, or is dead-lettered."""
        message = self._held(token)
        self.modify(message, properties)
        self.usage.count("abandoned")
        self.unlock(message)
        self.fail(message)

    def release(self, token: bytes) -> None:
        """The message was not looked at: it becomes available again without counting as delivered."""
        message = self._held(token)
        self.usage.count("released")
        self.unlock(message)
        self.store.changed(message)
        self.place(message)

    def defer(self, token: bytes, properties: Mapping[str, Any] | None = None) -> None:
        """The message is set aside; it can be received by its sequence number only."""
        message = self._held(token)
        self.modify(message, properties)
        self.usage.count("deferred")
        self.unlock(message)
        message.state = State.DEFERRED
        self.store.changed(message)

    def dead_letter(
        self,
        token: bytes,
        reason: str | None = None,
        description: str | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        """The message cannot be handled: it goes to the dead-letter queue.

        Raises:
            NotAllowed: It is there already.
        """
        message = self._held(token)
        self.modify(message, properties)
        self.bury(message, reason, description)
        self.usage.count("dead_lettered")

    def renew_lock(self, token: bytes) -> float:
        """Extends a message's lock; returns the new end in seconds since the epoch.

        Raises:
            NotAllowed: The message is locked by its session.
        """
        message = self._held(token)
        if self.settings.requires_session:
            raise NotAllowed("The message is locked by its session; renew the session's lock instead.")
        self.store.extend(message, self._clock() + self.settings.lock_seconds)
        self.usage.count("renewed")
        return message.locked_until

    def _held(self, token: bytes) -> StoredMessage:
        self.advance()
        message = self.store.locked.get(token)
        if message is None:
            raise MessageLockLost
        return message
