"""Answers that are used again, in Cosmos DB: container `answers`, partitioned by tenant, one item a slot.

The item `knowledge` of a tenant says which version its knowledge has. It lies in the same partition, so one request
gives it and a slot.
"""

from collections.abc import Sequence
from typing import Any

from azure.cosmos.exceptions import CosmosHttpResponseError

from shared.adapters.cosmos_connection import CosmosConnection, Item, translated, within
from shared.caching.ports import CachedAnswer, Found

CONTAINER = "answers"
KNOWLEDGE = "knowledge"
READ = """
SELECT c.id, c.version, c.changed_at, c.key, c.question, c.answer, c.finish_reason, c.citations, c.model, c.turn_id,
c.made_at FROM c WHERE c.id IN (@knowledge, @slot)
"""
NEAREST = """
SELECT TOP @limit c.id, c.version, c.key, c.question, c.answer, c.finish_reason, c.citations, c.model, c.turn_id,
c.made_at, VectorDistance(c.vector, @vector) AS score
FROM c WHERE c.alike = @alike ORDER BY VectorDistance(c.vector, @vector)
"""


class CosmosAnswers:
    """See `shared.caching.ports.AnswerStore`."""

    def __init__(self, connection: CosmosConnection) -> None:
        """Takes the connection."""
        self._connection = connection

    async def read(self, tenant: str, slot: int) -> Found:
        """See `shared.caching.ports.AnswerStore`."""
        parameters: list[dict[str, object]] = [
            {"name": "@knowledge", "value": KNOWLEDGE},
            {"name": "@slot", "value": _id(slot)},
        ]
        rows = self._answers.query_items(READ, parameters=parameters, partition_key=tenant)
        async with translated("read_answer"):
            items = {row["id"]: row async for row in rows}
        knowledge, entry = items.get(KNOWLEDGE, {}), items.get(_id(slot))
        return Found(
            knowledge.get("version", ""),
            knowledge.get("changed_at", 0.0),
            None if entry is None else _from_item(entry),
        )

    async def near(
        self, tenant: str, alike: str, vector: Sequence[float], limit: int
    ) -> list[tuple[CachedAnswer, float]]:
        """See `shared.caching.ports.AnswerStore`."""
        parameters: list[dict[str, object]] = [
            {"name": "@limit", "value": limit},
            {"name": "@vector", "value": list(vector)},
            {"name": "@alike", "value": alike},
        ]
        rows = self._answers.query_items(NEAREST, parameters=parameters, partition_key=tenant)
        async with translated("find_answers"):
            return [(_from_item(row), row["score"]) async for row in rows]

    async def put(self, tenant: str, slot: int, answer: CachedAnswer, *, ttl_seconds: int) -> None:
        """See `shared.caching.ports.AnswerStore`."""
        item: Item = {
            "id": _id(slot),
            "tenant": tenant,
            "key": answer.key,
            "version": answer.version,
            "question": answer.question,
            "answer": answer.answer,
            "finish_reason": answer.finish_reason,
            "citations": list(answer.citations),
            "model": answer.model,
            "turn_id": answer.turn_id,
            "made_at": answer.made_at,
            "ttl": ttl_seconds,
        }
        if answer.vector is not None:
            item |= {"alike": answer.alike, "vector": list(answer.vector)}
        await within("keep_answer", self._answers.upsert_item(item, no_response=True))

    async def remove(self, tenant: str, slot: int) -> None:
        """See `shared.caching.ports.AnswerStore`."""
        try:
            await within("drop_answer", self._answers.delete_item(_id(slot), partition_key=tenant))
        except CosmosHttpResponseError as fault:
            if fault.status_code != 404:
                raise

    async def note_change(self, tenant: str, version: str, now: float) -> None:
        """See `shared.caching.ports.AnswerStore`."""
        item = {"id": KNOWLEDGE, "tenant": tenant, "version": version, "changed_at": now}
        await within("note_change", self._answers.upsert_item(item, no_response=True))

    @property
    def _answers(self) -> Any:
        return self._connection.container(CONTAINER)


def _id(slot: int) -> str:
    return f"slot-{slot}"


def _from_item(item: Item) -> CachedAnswer:
    return CachedAnswer(
        key=item["key"],
        version=item["version"],
        question=item["question"],
        answer=item["answer"],
        finish_reason=item["finish_reason"],
        citations=tuple(item["citations"]),
        model=item.get("model"),
        turn_id=item["turn_id"],
        made_at=item["made_at"],
    )
