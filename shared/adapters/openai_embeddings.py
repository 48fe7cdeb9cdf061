"""Embeddings deployments through the official OpenAI SDK."""

from collections.abc import Sequence

import openai

from shared.adapters.openai_chat import OpenAIConnections
from shared.errors import Unavailable
from shared.settings import Deployment


class OpenAIEmbeddings:
    """Texts to vectors; the next deployment is asked when one refuses."""

    def __init__(self, connections: OpenAIConnections, deployments: Sequence[Deployment], *, dimensions: int) -> None:
        """Takes the connections, the deployments in order of preference, and how many numbers a vector has."""
        self._connections, self._deployments, self._dimensions = connections, deployments, dimensions

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """See `shared.ports.Embedder`; raises Unavailable when no deployment answers."""
        last: Exception | None = None
        for deployment in self._deployments:
            client = self._connections.client(deployment.endpoint)
            try:
                answer = await client.embeddings.create(
                    model=deployment.deployment, input=list(texts), dimensions=self._dimensions
                )
            except openai.OpenAIError as fault:
                last = fault
                continue
            return [entry.embedding for entry in answer.data]
        raise Unavailable("No embeddings deployment answers.", retry_after_seconds=2.0) from last
