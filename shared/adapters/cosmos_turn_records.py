"""Reads over all turns in Cosmos DB, for the pulse. Container `turns`, across partitions."""

from typing import Any

from shared.adapters.cosmos_connection import CosmosConnection, Item, translated
from shared.pulse.ports import EndedTurn, Waiting
from shared.turns import Lane, Usage

CONTAINER = "turns"
ENDED_SINCE = """
SELECT VALUE c.created_at FROM c
WHERE c._ts >= @since AND c.state IN ('succeeded', 'failed', 'expired', 'cancelled')
"""
ENDED_WITHIN = """
SELECT c.tenant, c.lane, c.path, c.model, c.deployment, c.state, c.usage FROM c
WHERE c.created_at >= @begin AND c.created_at < @end AND c.state IN ('succeeded', 'failed', 'expired', 'cancelled')
"""
WAITING = "SELECT VALUE COUNT(1) FROM c WHERE c.lane = @lane AND c.state IN ('accepted', 'queued', 'deferred')"
DUE = """
SELECT VALUE COUNT(1) FROM c WHERE c.lane = @lane
AND (c.state IN ('accepted', 'queued') OR (c.state = 'deferred' AND c.deferred_until < @now))
"""
OLDEST = """
SELECT TOP 1 c.created_at, c.deadline_at FROM c
WHERE c.lane = @lane AND c.state IN ('accepted', 'queued', 'deferred') ORDER BY c.created_at
"""
PRESSED = """
SELECT TOP 1 c.created_at, c.deadline_at FROM c
WHERE c.lane = @lane AND c.state IN ('accepted', 'queued', 'deferred') ORDER BY c.deadline_at
"""
MINUTE_SECONDS = 60


class CosmosTurnRecords:
    """See `shared.pulse.ports.TurnRecords`."""

    def __init__(self, connection: CosmosConnection) -> None:
        """Takes the connection."""
        self._connection = connection

    async def minutes_ended_since(self, since: float) -> set[int]:
        """See `shared.pulse.ports.TurnRecords`. The store stamps every write with its own clock, in whole seconds."""
        moments = await self._rows("find_ended", ENDED_SINCE, since=int(since))
        return {int(moment // MINUTE_SECONDS) for moment in moments}

    async def ended_within(self, minute: int) -> list[EndedTurn]:
        """See `shared.pulse.ports.TurnRecords`."""
        begin = minute * MINUTE_SECONDS
        rows = await self._rows("sum_up_turns", ENDED_WITHIN, begin=begin, end=begin + MINUTE_SECONDS)
        return [_ended(row) for row in rows]

    async def waiting(self, lane: Lane, now: float) -> Waiting:
        """See `shared.pulse.ports.TurnRecords`. Four small queries, each answered from the index."""
        turns = sum(await self._rows("count_waiting", WAITING, lane=lane.value))
        if turns == 0:
            return Waiting(0, 0)
        due = sum(await self._rows("count_due", DUE, lane=lane.value, now=now))
        oldest = await self._rows("find_oldest", OLDEST, lane=lane.value)
        pressed = await self._rows("find_pressed", PRESSED, lane=lane.value)
        return Waiting(
            turns,
            due,
            oldest_at=oldest[0]["created_at"] if oldest else None,
            pressed=(pressed[0]["created_at"], pressed[0]["deadline_at"]) if pressed else None,
        )

    async def _rows(self, operation: str, query: str, **parameters: Any) -> list[Any]:
        given: list[dict[str, object]] = [{"name": f"@{name}", "value": value} for name, value in parameters.items()]
        rows = self._connection.container(CONTAINER).query_items(query, parameters=given)
        async with translated(operation):
            return [row async for row in rows]


def _ended(row: Item) -> EndedTurn:
    usage = row.get("usage")
    return EndedTurn(
        tenant=row["tenant"],
        lane=row["lane"],
        path=row["path"],
        model=row.get("model"),
        deployment=row.get("deployment"),
        state=row["state"],
        usage=None if usage is None else Usage.from_dict(usage),
    )
