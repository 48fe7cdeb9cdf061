"""Evaluation in Cosmos DB: container `evaluations`, partitioned by run. Transitions are conditional patches."""

from collections.abc import Mapping, Sequence
from typing import Any

from azure.core import MatchConditions
from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError

from shared.adapters.cosmos_connection import CosmosConnection, Item, all_rows, number, translated, within

CONTAINER = "evaluations"
RUN_ID = "run"
MOST_IN_A_BATCH = 50
RUNS = """
SELECT * FROM c WHERE c.kind = 'run' AND c.tenant = @tenant ORDER BY c.created_at DESC OFFSET 0 LIMIT @limit
"""
OPEN_RUNS = "SELECT * FROM c WHERE c.kind = 'run' AND c.state IN ('collecting', 'running', 'closing')"
OF_KIND = "SELECT * FROM c WHERE c.kind = @kind"
PAGE = "SELECT * FROM c WHERE c.kind = @kind AND c.id > @after ORDER BY c.id OFFSET 0 LIMIT @limit"
COUNT = "SELECT VALUE COUNT(1) FROM c WHERE c.kind = @kind AND c.state = @state"
HOURS = "SELECT DISTINCT VALUE c.hour FROM c WHERE c.kind = 'sample' AND c.changed_at > @since"


class CosmosEvaluations:
    """The evaluation store on Cosmos DB. All methods: see `shared.evaluating.ports.EvaluationStore`."""

    def __init__(self, connection: CosmosConnection) -> None:
        """Takes the connection."""
        self._connection = connection

    async def create(self, document: Item) -> bool:
        """Stores a new document."""
        try:
            await within("create_evaluation", self._container.create_item(document, no_response=True))
        except CosmosHttpResponseError as fault:
            return _unless(fault, 409)
        return True

    async def create_all(self, run: str, documents: Sequence[Item]) -> None:
        """Stores new documents, many in one request."""
        for begin in range(0, len(documents), MOST_IN_A_BATCH):
            some = documents[begin : begin + MOST_IN_A_BATCH]
            # When one of them is there already none is stored; what is missing is then stored one by one.
            if not await self._create_together(run, some):
                for document in some:
                    await self.create(document)

    async def _create_together(self, run: str, documents: Sequence[Item]) -> bool:
        operations = [("create", (document,)) for document in documents]
        async with translated("create_evaluations"):
            try:
                await self._container.execute_item_batch(operations, partition_key=run)
            except CosmosBatchOperationError:
                return False
        return True

    async def get(self, run: str, document_id: str) -> Item | None:
        """One document."""
        try:
            found: Item = await within("read_evaluation", self._container.read_item(document_id, run))
        except CosmosHttpResponseError as fault:
            _unless(fault, 404)
            return None
        return found

    async def replace(self, document: Item) -> bool:
        """Replaces a document while its etag is the one that was read."""
        work = self._container.replace_item(
            document["id"],
            document,
            etag=document["_etag"],
            match_condition=MatchConditions.IfNotModified,
            no_response=True,
        )
        try:
            await within("replace_evaluation", work)
        except CosmosHttpResponseError as fault:
            return _unless(fault, 404, 412)
        return True

    async def move(self, run: str, document_id: str, *, states: Sequence[str], fields: Mapping[str, Any]) -> bool:
        """Sets fields while the document is in one of the states."""
        operations = [{"op": "set", "path": f"/{name}", "value": value} for name, value in fields.items()]
        return await self._patch(run, document_id, operations, f"c.state IN ({_texts(states)})") is not None

    async def touch(self, run: str, document_id: str, *, state: str, now: float) -> Item | None:
        """Counts one more try."""
        operations = [{"op": "set", "path": "/touched_at", "value": now}, {"op": "incr", "path": "/tries", "value": 1}]
        return await self._patch(run, document_id, operations, f"c.state IN ({_texts([state])})", whole=True)

    async def count_started(self, run: str, started: int) -> bool:
        """Counts one more started item."""
        condition = f"c.state = 'running' AND c.started = {number(started)}"
        return await self._patch(run, RUN_ID, _increments(started=1), condition) is not None

    async def raise_probability(self, run: str, document_id: str, probability: float, strata: Sequence[str]) -> bool:
        """Raises an inclusion probability."""
        operations: list[Item] = [
            {"op": "set", "path": "/probability", "value": probability},
            {"op": "set", "path": "/strata", "value": list(strata)},
        ]
        return await self._patch(run, document_id, operations, f"c.probability < {number(probability)}") is not None

    async def reserve(
        self, run: str, *, calls: int, cost_usd: float, max_calls: int | None, max_cost_usd: float | None
    ) -> bool:
        """Takes calls and money out of the budget."""
        conditions = ["c.state = 'running'"]
        if max_calls is not None:
            conditions.append(f"c.calls + c.reserved_calls <= {number(max_calls - calls)}")
        if max_cost_usd is not None:
            conditions.append(f"c.cost_usd + c.reserved_cost_usd <= {number(max_cost_usd - cost_usd)}")
        operations = _increments(reserved_calls=calls, reserved_cost_usd=cost_usd)
        return await self._patch(run, RUN_ID, operations, " AND ".join(conditions)) is not None

    async def settle(self, run: str, *, reserved: tuple[int, float], spent: tuple[int, float]) -> None:
        """Replaces a reservation by what was spent."""
        operations = _increments(
            reserved_calls=-reserved[0], reserved_cost_usd=-reserved[1], calls=spent[0], cost_usd=spent[1]
        )
        await self._patch(run, RUN_ID, operations, "IS_DEFINED(c.id)")

    async def take_slot(self, run: str, hour: str, *, most: int, ttl_seconds: int) -> bool:
        """Counts one evaluation of an hour."""
        slot = {"id": f"hour-{hour}", "run": run, "kind": "hour", "taken": 1, "ttl": ttl_seconds}
        if most > 0 and await self.create(slot):
            return True
        condition = f"c.taken < {number(most)}"
        return await self._patch(run, f"hour-{hour}", _increments(taken=1), condition) is not None

    async def of_kind(self, run: str, kind: str, *, hour: str | None = None) -> list[Item]:
        """All documents of a kind."""
        query, values = OF_KIND, {"@kind": kind}
        if hour is not None:
            query, values = f"{OF_KIND} AND c.hour = @hour", {**values, "@hour": hour}
        return await self._query("find_evaluations", query, values, run=run)

    async def page_of_kind(self, run: str, kind: str, *, after: str, limit: int) -> list[Item]:
        """A page of documents of a kind."""
        return await self._query("page_evaluations", PAGE, {"@kind": kind, "@after": after, "@limit": limit}, run=run)

    async def count(self, run: str, kind: str, state: str) -> int:
        """How many documents of a kind are in a state."""
        counts = await self._query("count_evaluations", COUNT, {"@kind": kind, "@state": state}, run=run)
        return sum(int(count) for count in counts)

    async def runs(self, tenant: str, limit: int) -> list[Item]:
        """The latest runs of a tenant."""
        return await self._query("list_evaluations", RUNS, {"@tenant": tenant, "@limit": limit})

    async def open_runs(self) -> list[Item]:
        """All runs that are not over."""
        return await self._query("find_open_evaluations", OPEN_RUNS, {})

    async def hours_scored_since(self, run: str, since: float) -> list[str]:
        """The hours of samples that changed since then."""
        return await self._query("find_scored_hours", HOURS, {"@since": since}, run=run)

    @property
    def _container(self) -> Any:
        return self._connection.container(CONTAINER)

    async def _query(self, name: str, query: str, values: Mapping[str, Any], *, run: str | None = None) -> list[Any]:
        parameters = [{"name": key, "value": value} for key, value in values.items()]
        scope = {} if run is None else {"partition_key": run}
        return await all_rows(name, self._container.query_items(query, parameters=parameters, **scope))

    async def _patch(
        self, run: str, document_id: str, operations: Sequence[Item], condition: str, *, whole: bool = False
    ) -> Item | None:
        """The patched document (empty unless `whole`), or None when the condition did not hold or it is not there."""
        patch = self._container.patch_item(
            document_id,
            partition_key=run,
            patch_operations=list(operations),
            filter_predicate=f"FROM c WHERE {condition}",
            no_response=not whole,
        )
        try:
            return await within("patch_evaluation", patch) or {}
        except CosmosHttpResponseError as fault:
            _unless(fault, 404, 412)
            return None


def _increments(**amounts: float) -> list[Item]:
    return [{"op": "incr", "path": f"/{name}", "value": amount} for name, amount in amounts.items()]


def _texts(values: Sequence[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _unless(fault: CosmosHttpResponseError, *expected: int) -> bool:
    """False for an expected status; any other is a fault nobody planned for."""
    if fault.status_code not in expected:
        raise fault
    return False
