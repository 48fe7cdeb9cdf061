"""The tenant's documents that are nearest to the question."""

from shared.context.providers.base import Found
from shared.context.steps import Steps
from shared.ports import Clock, Embedder, Knowledge
from shared.turns import Turn
from shared.vectors import unpack


class KnowledgeSearch:
    """Passages by the vector of the question."""

    name = "knowledge"

    def __init__(self, knowledge: Knowledge, embedder: Embedder, clock: Clock, *, passages: int) -> None:
        """Takes the documents, what makes vectors, time, and how many passages the model sees."""
        self._knowledge, self._embedder, self._clock, self._passages = knowledge, embedder, clock, passages

    def applies(self, _turn: Turn) -> bool:
        """See `ContextProvider`."""
        return True

    async def vector(self, turn: Turn) -> list[float]:
        """The question's; made once, by whoever needed it first."""
        if turn.question_vector is not None:
            return unpack(turn.question_vector)
        return (await self._embedder.embed([turn.question]))[0]

    async def gather(self, turn: Turn, steps: Steps) -> Found:
        """See `ContextProvider`."""
        begin = self._clock.monotonic()
        vector = await (self.vector(turn) if steps.sources is None else steps.sources.vector())
        steps.ended("embedding", begin, part_of=self.name)
        begin = self._clock.monotonic()
        found = await self._knowledge.search(turn.tenant, vector, self._passages)
        steps.ended("search", begin, part_of=self.name, needs=["embedding"])
        return Found(passages=tuple(found))
