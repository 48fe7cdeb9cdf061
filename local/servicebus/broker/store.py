"""The messages of one queue, in order, in memory and in the journal alike."""

from bisect import bisect_left
from collections.abc import Iterator
from uuid import uuid4

from local.servicebus.broker.deadlines import Deadlines
from local.servicebus.broker.journal import Journal
from local.servicebus.broker.message import Content
from local.servicebus.broker.stored import State, StoredMessage

COMPACT_FROM = 64


class Store:
    """Holds messages, their locks and their deadlines; tells the journal of every change.

    Attributes:
        messages: All messages by sequence number, in that order.
        locked: Messages that a receiver holds, by lock token.
        last_sequence_number: The number given out last.
        bytes: Encoded size of all messages.
    """

    def __init__(self, name: str, journal: Journal, *, locked_by_session: bool) -> None:
        self.messages: dict[int, StoredMessage] = {}
        self.locked: dict[bytes, StoredMessage] = {}
        self.last_sequence_number = 0
        self.bytes = 0
        self._name = name
        self._journal = journal
        self._locked_by_session = locked_by_session
        self._order: list[int] = []
        self._deadlines: Deadlines[int] = Deadlines(lambda number, at: self._due_at(number) == at)

    def insert(self, message: StoredMessage) -> None:
        """Takes a new message."""
        self.restore(message)
        self._journal.added(self._name, message)

    def restore(self, message: StoredMessage) -> None:
        """Takes a message that the journal knows already."""
        self.last_sequence_number = max(self.last_sequence_number, message.sequence_number)
        self.messages[message.sequence_number] = message
        self._order.append(message.sequence_number)
        self.bytes += len(message.content.raw)

    def remove(self, message: StoredMessage) -> None:
        """Drops a message that is not locked any more."""
        del self.messages[message.sequence_number]
        self.bytes -= len(message.content.raw)
        self._journal.removed(self._name, message.sequence_number)
        if len(self._order) > 2 * len(self.messages) + COMPACT_FROM:
            self._order = list(self.messages)

    def rewrite(self, message: StoredMessage, content: Content) -> None:
        """Replaces what a message says."""
        self.bytes += len(content.raw) - len(message.content.raw)
        message.content = content
        self._journal.rewritten(self._name, message)

    def changed(self, message: StoredMessage) -> None:
        """Notes a new state, delivery count or schedule."""
        self._journal.changed(self._name, message)

    def lock(self, message: StoredMessage, until: float) -> bytes:
        """Locks a message; returns the lock's token."""
        token = message.lock_token = uuid4().bytes_le
        self.locked[token] = message
        self.extend(message, until)
        self.changed(message)
        return token

    def extend(self, message: StoredMessage, until: float) -> None:
        """Gives a lock another end."""
        message.locked_until = until
        self.note_deadline(message)

    def unlock(self, message: StoredMessage) -> bytes | None:
        """Ends a lock; returns the token it had. The change is noted with what happens next."""
        token, message.lock_token = message.lock_token, None
        if token is not None:
            del self.locked[token]
        return token

    def browse(self, from_number: int) -> Iterator[StoredMessage]:
        """Messages in order from a sequence number on."""
        order = self._order
        for index in range(bisect_left(order, from_number), len(order)):
            message = self.messages.get(order[index])
            if message is not None:
                yield message

    def note_deadline(self, message: StoredMessage) -> None:
        """Remembers when something is due for a message, as it is now."""
        at = self._due_at(message.sequence_number)
        if at is not None:
            self._deadlines.add(at, message.sequence_number)

    def due(self, now: float) -> Iterator[StoredMessage]:
        """Messages whose lock or time to live ends, or whose schedule begins."""
        for number in self._deadlines.due(now):
            yield self.messages[number]

    def next_deadline(self) -> float | None:
        """When something may be due."""
        return self._deadlines.next()

    def _due_at(self, sequence_number: int) -> float | None:
        message = self.messages.get(sequence_number)
        if message is None:
            return None
        if message.lock_token is not None:
            return None if self._locked_by_session else message.locked_until
        if message.state is State.SCHEDULED:
            return message.scheduled_at
        return message.expires_at if message.state is State.ACTIVE else None
