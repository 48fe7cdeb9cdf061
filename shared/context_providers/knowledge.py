"""The tenant's documents that are nearest to the question."""

from shared.context_providers.base import Found
from shared.context_steps import Steps
from shared.ports import Clock, Embedder, Knowledge
from shared.turns import Turn


class KnowledgeSearch:
    """Passages by the vector of the question."""

    name = "knowledge"

    def __init__(self, knowledge: Knowledge, embedder: Embedder, clock: Clock, *, passages: int) -> None:
        """Takes the documents, what makes vectors, time, and how many passages the model sees."""
        self._knowledge, self._embedder, self._clock, self._passages = knowledge, embedder, clock, passages

    def applies(self, _turn: Turn) -> bool:
        """See `ContextProvider`."""
        return True

    async def gather(self, turn: Turn, steps: Steps) -> Found:
        """See `ContextProvider`."""
        begin = self._clock.monotonic()
        vectors = await self._embedder.embed([turn.question])
        steps.ended("embedding", begin, part_of=self.name)
        begin = self._clock.monotonic()
        found = await self._knowledge.search(turn.tenant, vectors[0], self._passages)
        steps.ended("search", begin, part_of=self.name, needs=["embedding"])
        return Found(passages=tuple(found))
