"""What the turns in Cosmos DB say of time: container `turns`, only the fields that hold no text."""

from typing import Any

from shared.adapters.cosmos_connection import CosmosConnection, translated
from shared.adapters.cosmos_turns import CONTAINER

NEWEST = """
SELECT c.path, c.model, c.deployment, c.usage, c.citations, c.attempts, c.timeline FROM c
WHERE c.state = 'succeeded' AND c.created_at >= @since
ORDER BY c.created_at DESC OFFSET 0 LIMIT @limit
"""


class CosmosTimelines:
    """See `shared.operating.latency_advice.Timelines`."""

    def __init__(self, connection: CosmosConnection) -> None:
        """Takes the connection."""
        self._connection = connection

    async def newest(self, *, since: float, limit: int) -> list[dict[str, Any]]:
        """See `shared.operating.latency_advice.Timelines`."""
        parameters: list[dict[str, object]] = [{"name": "@since", "value": since}, {"name": "@limit", "value": limit}]
        rows = self._connection.container(CONTAINER).query_items(NEWEST, parameters=parameters)
        async with translated("find_timelines"):
            return [row async for row in rows]
