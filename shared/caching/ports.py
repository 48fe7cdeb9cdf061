"""What the cache needs from the store, and the values that go in and out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer that was given once.

    Attributes:
        key: Hash of all that the answer depends on, but for the tenant and its knowledge.
        version: Of the tenant's knowledge when it was made.
        question: As it was asked.
        turn_id: Whose answer it was.
        made_at: Seconds since 1970.
        alike: Answers that may stand for one another when their questions do have the same; None when compared to none.
        vector: Of the question, when it may be compared with others.
    """

    key: str
    version: str
    question: str
    answer: str
    finish_reason: str
    citations: tuple[dict[str, Any], ...]
    model: str | None
    turn_id: str
    made_at: float
    alike: str | None = None
    vector: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What one read gives: the state of the tenant's knowledge, and the entry of a slot when there is one.

    Attributes:
        version: Changes with every change of the knowledge; empty before the first.
        changed_at: When that was; seconds since 1970.
    """

    version: str
    changed_at: float
    answer: CachedAnswer | None


class AnswerStore(Protocol):
    """Answers of tenants, each tenant's apart. All raise Unavailable."""

    async def read(self, tenant: str, slot: int) -> Found:
        """The version of the knowledge and the entry in a slot, in one request."""

    async def near(
        self, tenant: str, alike: str, vector: Sequence[float], limit: int
    ) -> list[tuple[CachedAnswer, float]]:
        """Entries with the nearest questions and their cosine similarity, best first."""

    async def put(self, tenant: str, slot: int, answer: CachedAnswer, *, ttl_seconds: int) -> None:
        """Stores an entry in place of the one that the slot had."""

    async def remove(self, tenant: str, slot: int) -> None:
        """Empties a slot."""

    async def note_change(self, tenant: str, version: str, now: float) -> None:
        """Gives the tenant's knowledge a new version: what was answered before is not used again."""
