"""What a queue tells its journal. Nothing may be acknowledged before `commit` has returned."""

from typing import Protocol

from local.servicebus.broker.duplicates import Seen
from local.servicebus.broker.stored import StoredMessage


class Journal(Protocol):
    """Keeps accepted messages and what happened to them."""

    def added(self, queue: str, message: StoredMessage) -> None:
        """A message entered the queue."""

    def rewritten(self, queue: str, message: StoredMessage) -> None:
        """A message's content changed."""

    def changed(self, queue: str, message: StoredMessage) -> None:
        """State, delivery count, lock or schedule changed."""

    def removed(self, queue: str, sequence_number: int) -> None:
        """A message left the queue."""

    def session_changed(self, queue: str, session_id: str, state: bytes | None, updated_at: float) -> None:
        """A session's state was set; None clears it."""

    def remembered(self, queue: str, message_id: bytes, seen: Seen) -> None:
        """Duplicate detection has a new id."""

    def forgotten(self, queue: str, message_id: bytes) -> None:
        """Duplicate detection no longer needs an id."""

    def commit(self) -> None:
        """Makes everything since the last commit last."""


class NoJournal:
    """For a broker that lives in memory only."""

    def added(self, queue: str, message: StoredMessage) -> None:
        """Kept in memory already."""

    def rewritten(self, queue: str, message: StoredMessage) -> None:
        """Kept in memory already."""

    def changed(self, queue: str, message: StoredMessage) -> None:
        """Kept in memory already."""

    def removed(self, queue: str, sequence_number: int) -> None:
        """Gone from memory already."""

    def session_changed(self, queue: str, session_id: str, state: bytes | None, updated_at: float) -> None:
        """Kept in memory already."""

    def remembered(self, queue: str, message_id: bytes, seen: Seen) -> None:
        """Kept in memory already."""

    def forgotten(self, queue: str, message_id: bytes) -> None:
        """Gone from memory already."""

    def commit(self) -> None:
        """Nothing to write."""
