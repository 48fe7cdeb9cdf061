"""Conversations in Cosmos DB: container `sessions`, partitioned by tenant and session, one item a turn."""

from collections.abc import Mapping
from typing import Any

from azure.cosmos.exceptions import CosmosHttpResponseError

from shared.adapters.cosmos_connection import CosmosConnection, translated, within
from shared.instants import instant
from shared.turns import Turn

CONTAINER = "sessions"
CHANGING = ("answer", "state", "citations", "edition")
RECENT = """
SELECT c.id AS turn_id, c.question, c.answer, c.state, c.created_at, c.citations, c.rating
FROM c ORDER BY c.asked_at DESC OFFSET 0 LIMIT @limit
"""


class CosmosSessions:
    """The session store on Cosmos DB."""

    def __init__(self, connection: CosmosConnection, *, ttl_seconds: int) -> None:
        """Takes the connection and how long a conversation is kept after its last turn."""
        self._connection, self._ttl_seconds = connection, ttl_seconds

    async def append(self, turn: Turn, *, final: bool = False) -> None:
        """See `shared.ports.SessionStore`."""
        edition = 2 * turn.run + final
        item = {
            "id": turn.turn_id,
            "tenant": turn.tenant,
            "session_id": turn.session_id,
            "question": turn.question,
            "answer": turn.answer,
            "state": turn.state.value,
            "citations": list(turn.citations),
            "created_at": instant(turn.created_at),
            "asked_at": turn.created_at,
            "ttl": self._ttl_seconds,
            "edition": edition,
        }
        try:
            await within("append_session", self._sessions.create_item(item, no_response=True))
        except CosmosHttpResponseError as fault:
            if fault.status_code != 409:
                raise
            await self._replace(turn, {name: item[name] for name in CHANGING}, edition)

    async def _replace(self, turn: Turn, fields: Mapping[str, Any], edition: int) -> None:
        """Writes over an earlier edition; a write that was delayed on its way must not undo a later one."""
        patch = self._sessions.patch_item(
            turn.turn_id,
            partition_key=[turn.tenant, turn.session_id],
            patch_operations=[{"op": "set", "path": f"/{name}", "value": value} for name, value in fields.items()],
            filter_predicate=f"FROM c WHERE c.edition < {edition}",
            no_response=True,
        )
        try:
            await within("append_session", patch)
        except CosmosHttpResponseError as fault:
            # 412: a later edition is there. 404: the conversation was removed meanwhile.
            if fault.status_code not in {404, 412}:
                raise

    async def recent(self, tenant: str, session_id: str, limit: int) -> list[dict[str, Any]]:
        """See `shared.ports.SessionStore`."""
        rows = self._sessions.query_items(
            RECENT, parameters=[{"name": "@limit", "value": limit}], partition_key=[tenant, session_id]
        )
        async with translated("read_session"):
            newest_first = [row async for row in rows]
        return newest_first[::-1]

    async def remove(self, tenant: str, session_id: str) -> int:
        """See `shared.ports.SessionStore`."""
        removed = 0
        while turns := await self.recent(tenant, session_id, 100):
            operations = [("delete", (entry["turn_id"],)) for entry in turns]
            await within(
                "remove_session",
                self._sessions.execute_item_batch(operations, partition_key=[tenant, session_id]),
            )
            removed += len(turns)
        return removed

    async def rate(self, turn: Turn, rating: str) -> None:
        """See `shared.ports.SessionStore`."""
        operations = [{"op": "set", "path": "/rating", "value": rating}]
        try:
            await within(
                "rate_session",
                self._sessions.patch_item(
                    turn.turn_id,
                    partition_key=[turn.tenant, turn.session_id],
                    patch_operations=operations,
                    no_response=True,
                ),
            )
        except CosmosHttpResponseError as fault:
            # The conversation was removed meanwhile; the turn's own record has the rating.
            if fault.status_code != 404:
                raise

    @property
    def _sessions(self) -> Any:
        return self._connection.container(CONTAINER)
