"""Turns in Cosmos DB: container `turns`, partitioned by turn id. Every transition is one conditional patch."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from azure.core import MatchConditions
from azure.cosmos.exceptions import CosmosHttpResponseError

from shared.adapters.cosmos_connection import CosmosConnection, Item, number, translated, within
from shared.turns import Lane, State, Turn, from_item, to_item

CONTAINER = "turns"
WAITING = "c.state IN ('accepted', 'queued', 'deferred')"
STALE = """
SELECT * FROM c WHERE (c.state = 'accepted' AND c.created_at < @accepted_before)
OR (c.state = 'running' AND c.lease_until < @now)
OR (c.state = 'deferred' AND c.deferred_until < @woken_before)
OR (c.state IN ('accepted', 'queued', 'deferred') AND c.deadline_at < @now)
"""
ASLEEP = """
SELECT TOP @limit c.id, c.tenant, c.session_id, c.lane, c.state, c.model, c.created_at, c.deadline_at, c.reply_to,
c.ticket, c.due_at FROM c WHERE c.state IN ('accepted', 'queued', 'deferred') AND c.lane = @lane AND c.due_at > @after
ORDER BY c.due_at
"""
DEPTH = "SELECT VALUE COUNT(1) FROM c WHERE c.lane = @lane AND c.state IN ('accepted', 'queued', 'deferred')"


class CosmosTurns:
    """The turn store on Cosmos DB."""

    def __init__(self, connection: CosmosConnection, *, ttl_seconds: int) -> None:
        """Takes the connection and how long a turn is kept."""
        self._connection, self._ttl_seconds = connection, ttl_seconds

    async def create(self, turn: Turn) -> bool:
        """See `shared.ports.TurnStore`."""
        try:
            body = to_item(turn) | {"ttl": self._ttl_seconds}
            await within("create_turn", self._turns.create_item(body, no_response=True))
        except CosmosHttpResponseError as fault:
            return _unless(fault, 409)
        return True

    async def get(self, turn_id: str) -> Turn | None:
        """See `shared.ports.TurnStore`."""
        try:
            return from_item(await within("read_turn", self._turns.read_item(turn_id, turn_id)))
        except CosmosHttpResponseError as fault:
            _unless(fault, 404)
            return None

    async def take(self, turn_id: str, *, owner: str, now: float, lease_until: float) -> Turn | None:
        """See `shared.ports.TurnStore`."""
        free = f"({WAITING} OR (c.state = 'running' AND c.lease_until < {number(now)}))"
        operations = [
            *_sets({"state": State.RUNNING.value, "owner": owner, "lease_until": lease_until, "answer": ""}),
            {"op": "incr", "path": "/run", "value": 1},
        ]
        item = await self._patch("take_turn", turn_id, operations, f"{free} AND c.deadline_at > {number(now)}")
        return None if item is None else from_item(item)

    async def checkpoint(self, turn_id: str, *, run: int, answer: str, lease_until: float) -> bool:
        """See `shared.ports.TurnStore`."""
        operations = _sets({"answer": answer, "lease_until": lease_until})
        return await self._write("checkpoint_turn", turn_id, operations, _held(run))

    async def finish(self, turn_id: str, *, run: int, state: State, fields: Mapping[str, Any]) -> bool:
        """See `shared.ports.TurnStore`."""
        return await self._write("finish_turn", turn_id, _sets({"state": state.value, **fields}), _held(run))

    async def end_waiting(self, turn_id: str, *, now: float, state: State, fields: Mapping[str, Any]) -> bool:
        """See `shared.ports.TurnStore`."""
        free = f"({WAITING} OR (c.state = 'running' AND c.lease_until < {number(now)}))"
        return await self._write("end_turn", turn_id, _sets({"state": state.value, **fields}), free)

    async def cancel(self, turn_id: str, fields: Mapping[str, Any]) -> bool:
        """See `shared.ports.TurnStore`."""
        open_states = f"({WAITING} OR c.state = 'running')"
        operations = _sets({"state": State.CANCELLED.value, **fields})
        return await self._write("cancel_turn", turn_id, operations, open_states)

    async def mark_queued(self, turn_id: str) -> None:
        """See `shared.ports.TurnStore`."""
        await self._write("mark_queued", turn_id, _sets({"state": State.QUEUED.value}), "c.state = 'accepted'")

    async def rate(self, turn_id: str, rating: str, comment: str | None) -> None:
        """See `shared.ports.TurnStore`."""
        await self._write("rate_turn", turn_id, _sets({"rating": rating, "comment": comment}), "IS_DEFINED(c.id)")

    async def retract(self, turn: Turn) -> None:
        """See `shared.ports.TurnStore`."""
        name, key = "retract_turn", turn.turn_id
        try:
            item = await within(name, self._turns.read_item(key, key))
            if (item["created_at"], item["state"], item["run"]) != (turn.created_at, turn.state.value, turn.run):
                return
            # One that reaches the store late must not remove what was stored meanwhile.
            unchanged = {"etag": item["_etag"], "match_condition": MatchConditions.IfNotModified}
            await within(name, self._turns.delete_item(key, key, **unchanged))
        except CosmosHttpResponseError as fault:
            _unless(fault, 404, 412)

    async def discard(self, turn_id: str) -> None:
        """See `shared.ports.TurnStore`."""
        try:
            await within("discard_turn", self._turns.delete_item(turn_id, turn_id))
        except CosmosHttpResponseError as fault:
            _unless(fault, 404)

    async def depth(self, lane: Lane) -> int:
        """See `shared.ports.TurnStore`."""
        rows = self._turns.query_items(DEPTH, parameters=[{"name": "@lane", "value": lane.value}])
        async with translated("count_lane"):
            return sum([int(count) async for count in rows])

    async def asleep(self, lane: Lane, after: float, *, limit: int) -> list[Turn]:
        """See `shared.ports.TurnStore`."""
        values = {"@lane": lane.value, "@after": after, "@limit": limit}
        parameters: list[dict[str, object]] = [{"name": name, "value": value} for name, value in values.items()]
        rows = self._turns.query_items(ASLEEP, parameters=parameters)
        async with translated("find_sleepers"):
            return [from_item(item | {"messages": []}) async for item in rows]

    async def stale(self, now: float, *, accepted_before: float, woken_before: float) -> AsyncIterator[Turn]:
        """See `shared.ports.TurnStore`."""
        parameters: list[dict[str, object]] = [
            {"name": "@now", "value": now},
            {"name": "@accepted_before", "value": accepted_before},
            {"name": "@woken_before", "value": woken_before},
        ]
        rows = self._turns.query_items(STALE, parameters=parameters)
        async with translated("find_stale"):
            found = [from_item(item) async for item in rows]
        for turn in found:
            yield turn

    @property
    def _turns(self) -> Any:
        return self._connection.container(CONTAINER)

    async def _write(self, name: str, turn_id: str, operations: Sequence[Item], condition: str) -> bool:
        return await self._patch(name, turn_id, operations, condition, no_response=True) is not None

    async def _patch(
        self, name: str, turn_id: str, operations: Sequence[Item], condition: str, *, no_response: bool = False
    ) -> Item | None:
        """The patched item, or None when the condition did not hold or there is no such turn."""
        patch = self._turns.patch_item(
            turn_id,
            partition_key=turn_id,
            patch_operations=list(operations),
            filter_predicate=f"FROM c WHERE {condition}",
            no_response=no_response,
        )
        try:
            return await within(name, patch) or {}
        except CosmosHttpResponseError as fault:
            _unless(fault, 404, 412)
            return None


def _sets(fields: Mapping[str, Any]) -> list[Item]:
    return [{"op": "set", "path": f"/{name}", "value": value} for name, value in fields.items()]


def _held(run: int) -> str:
    return f"c.state = 'running' AND c.run = {run:d}"


def _unless(fault: CosmosHttpResponseError, *expected: int) -> bool:
    if fault.status_code not in expected:
        raise fault
    return False
