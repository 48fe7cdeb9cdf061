"""Putting knowledge in: what a tenant's turns are answered from."""

from collections.abc import Awaitable, Callable, Sequence

from shared.errors import Unavailable
from shared.ports import Embedder, Knowledge, Passage


class KnowledgeBase:
    """Stores documents with their vectors."""

    def __init__(
        self, *, knowledge: Knowledge, embedder: Embedder | None, changes: Callable[[str], Awaitable[None]]
    ) -> None:
        """Takes the store, what makes vectors, and who is told of a tenant whose knowledge changes."""
        self._knowledge, self._embedder, self._changes = knowledge, embedder, changes

    async def put(self, tenant: str, passages: Sequence[Passage]) -> int:
        """Stores or replaces passages; how many.

        Raises:
            Unavailable: No embeddings deployment, or the store does not answer.
        """
        if self._embedder is None:
            raise Unavailable("No deployment of kind embeddings is configured, so knowledge cannot be stored.")
        vectors = await self._embedder.embed([f"{passage.title}\n{passage.text}" for passage in passages])
        # Before, so that a change that stops half-way has ended older answers; after, so that those which were made
        # of a mixture end as well.
        await self._changes(tenant)
        for passage, vector in zip(passages, vectors, strict=True):
            await self._knowledge.put(tenant, passage, vector)
        await self._changes(tenant)
        return len(passages)
