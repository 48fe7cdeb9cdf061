"""Counts of what a queue was asked to do, and how long receivers held its messages."""

from collections import Counter
from typing import Any


class Usage:
    """The account of one queue since the start of the process.

    Counted are `sent`, `scheduled` (those of the sent that are for later), `delivered`, `peeks`, one entry an
    outcome (`completed`, `abandoned`, `released`, `deferred`, `dead_lettered`), `renewed` and `lock_expired`.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._locked_at: dict[bytes, float] = {}
        self._locked_seconds = 0.0

    def count(self, operation: str, times: int = 1) -> None:
        """Counts an operation."""
        self._counts[operation] += times

    def locked(self, token: bytes, now: float) -> None:
        """A receiver holds a message from now on."""
        self._locked_at[token] = now

    def unlocked(self, token: bytes, now: float) -> None:
        """It does not any more: the message was settled, or the lock is over."""
        since = self._locked_at.pop(token, None)
        if since is not None:
            self._locked_seconds += max(0.0, now - since)

    def report(self, now: float) -> dict[str, Any]:
        """All counts, and the seconds for which messages were locked, open locks up to now."""
        open_seconds = sum(max(0.0, now - since) for since in self._locked_at.values())
        return {
            "operations": dict(self._counts),
            "locked": len(self._locked_at),
            "locked_seconds": round(self._locked_seconds + open_seconds, 3),
        }
