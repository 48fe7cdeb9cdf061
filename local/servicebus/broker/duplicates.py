"""Duplicate detection: message ids seen within a window."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class Seen:
    """A message id that was seen: until when it counts, and which message it was."""

    until: float
    sequence_number: int


class DuplicateHistory:
    """Message ids in the order they came; since the window is the same for all, that is the order they lapse in."""

    def __init__(self, window_seconds: float) -> None:
        self._window_seconds = window_seconds
        self._seen: dict[bytes, Seen] = {}

    def find(self, message_id: bytes, now: float) -> Seen | None:
        """The earlier message with this id, when it is within the window."""
        seen = self._seen.get(message_id)
        return seen if seen is not None and seen.until > now else None

    def remember(self, message_id: bytes, sequence_number: int, now: float) -> Seen:
        """Notes an id that was not found."""
        self._seen.pop(message_id, None)
        seen = self._seen[message_id] = Seen(now + self._window_seconds, sequence_number)
        return seen

    def restore(self, message_id: bytes, seen: Seen) -> None:
        """Puts back what a journal kept; to be called in the order of `until`."""
        self._seen[message_id] = seen

    def lapsed(self, now: float) -> Iterator[bytes]:
        """Forgets, and names, the ids whose window is over."""
        while self._seen:
            message_id, seen = next(iter(self._seen.items()))
            if seen.until > now:
                return
            del self._seen[message_id]
            yield message_id
