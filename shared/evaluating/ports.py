"""What evaluation needs from the world beside the chat's own ports. Documents are plain JSON objects."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from shared.evaluating.messages import EvaluationMessage

Document = dict[str, Any]


class EvaluationStore(Protocol):
    """Runs, items, scores and roll-ups. Every document has `id` and the key of its partition.

    All operations raise Unavailable when the store does not answer.
    """

    async def create(self, document: Document) -> bool:
        """Stores a new document; False when its id exists already, which is then left as it is."""

    async def create_all(self, run: str, documents: Sequence[Document]) -> None:
        """Stores new documents of one run; those that exist already are left as they are."""

    async def get(self, run: str, document_id: str) -> Document | None:
        """One document, or None."""

    async def replace(self, document: Document) -> bool:
        """Replaces a document that was read before; False when it has changed since."""

    async def move(self, run: str, document_id: str, *, states: Sequence[str], fields: Mapping[str, Any]) -> bool:
        """Sets fields while the document is in one of `states`; False when it is in none of them."""

    async def touch(self, run: str, document_id: str, *, state: str, now: float) -> Document | None:
        """Counts one more try of a document in `state` and returns it; None when it is in another."""

    async def count_started(self, run: str, started: int) -> bool:
        """Counts one more item of a running run as started; False unless `started` were so far."""

    async def raise_probability(self, run: str, document_id: str, probability: float, strata: Sequence[str]) -> bool:
        """Raises a sample's inclusion probability; False when it was not lower."""

    async def reserve(
        self, run: str, *, calls: int, cost_usd: float, max_calls: int | None, max_cost_usd: float | None
    ) -> bool:
        """Takes calls and money out of a run's budget in one conditional write; False when they do not fit."""

    async def settle(self, run: str, *, reserved: tuple[int, float], spent: tuple[int, float]) -> None:
        """Replaces a reservation of calls and money by what was really spent."""

    async def take_slot(self, run: str, hour: str, *, most: int, ttl_seconds: int) -> bool:
        """Counts one evaluation of an hour; False when `most` are taken."""

    async def of_kind(self, run: str, kind: str, *, hour: str | None = None) -> list[Document]:
        """All documents of a kind in a run, of one hour when given."""

    async def page_of_kind(self, run: str, kind: str, *, after: str, limit: int) -> list[Document]:
        """Documents of a kind with an id above `after`, in the order of their ids."""

    async def count(self, run: str, kind: str, state: str) -> int:
        """How many documents of a kind are in a state."""

    async def runs(self, tenant: str, limit: int) -> list[Document]:
        """The latest runs of a tenant, newest first."""

    async def open_runs(self) -> list[Document]:
        """All runs that are not over, of every tenant."""

    async def hours_scored_since(self, run: str, since: float) -> list[str]:
        """The hours in which samples lie that were scored since then."""


class MetricsStore(Protocol):
    """Roll-ups by day."""

    async def get(self, day: str, document_id: str) -> Document | None:
        """One document, or None."""

    async def put(self, document: Document) -> None:
        """Stores or replaces a document."""

    async def replace_or_create(self, document: Document) -> bool:
        """Stores a new document, or replaces one that was read before; False when it has changed since."""

    async def of_kind(self, day: str, kind: str) -> list[Document]:
        """All documents of a kind on a day."""


class EvaluationQueue(Protocol):
    """The queue `evaluations`."""

    async def send(self, message: EvaluationMessage, *, not_before: float | None = None) -> None:
        """Sends a message, at once or scheduled for a moment in seconds since 1970; raises Unavailable."""
