"""Knowledge in Cosmos DB: container `knowledge`, partitioned by tenant, found by vector distance."""

from collections.abc import Sequence
from typing import Any

from shared.adapters.cosmos_connection import CosmosConnection, translated, within
from shared.ports import Passage

CONTAINER = "knowledge"
NEAREST = """
SELECT TOP @limit c.id, c.title, c.text, c.url, VectorDistance(c.vector, @vector) AS score
FROM c ORDER BY VectorDistance(c.vector, @vector)
"""


class CosmosKnowledge:
    """The knowledge store on Cosmos DB."""

    def __init__(self, connection: CosmosConnection) -> None:
        """Takes the connection."""
        self._connection = connection

    async def search(self, tenant: str, vector: Sequence[float], limit: int) -> list[Passage]:
        """See `shared.ports.Knowledge`."""
        rows = self._knowledge.query_items(
            NEAREST,
            parameters=[{"name": "@limit", "value": limit}, {"name": "@vector", "value": list(vector)}],
            partition_key=tenant,
        )
        async with translated("search_knowledge"):
            return [Passage(row["id"], row["title"], row["text"], row.get("url"), row["score"]) async for row in rows]

    async def put(self, tenant: str, passage: Passage, vector: Sequence[float]) -> None:
        """See `shared.ports.Knowledge`."""
        item = {
            "id": passage.id,
            "tenant": tenant,
            "title": passage.title,
            "text": passage.text,
            "url": passage.url,
            "vector": list(vector),
        }
        await within("put_knowledge", self._knowledge.upsert_item(item, no_response=True))

    @property
    def _knowledge(self) -> Any:
        return self._connection.container(CONTAINER)
