"""The way an application uses it: the asynchronous SDK, many requests at once."""

import asyncio
from typing import Any

from azure.cosmos import PartitionKey
from azure.cosmos.aio import DatabaseProxy
from azure.cosmos.exceptions import CosmosAccessConditionFailedError


async def _all(results: Any) -> list[Any]:
    return [item async for item in results]


async def test_only_one_of_many_claims_a_turn(async_database: DatabaseProxy) -> None:
    turns = await async_database.create_container("turns", PartitionKey(path="/id"), default_ttl=3600)
    await turns.create_item({"id": "t", "state": "queued"})

    async def claim(worker: int) -> bool:
        operations: list[dict[str, Any]] = [
            {"op": "set", "path": "/state", "value": "running"},
            {"op": "set", "path": "/worker", "value": worker},
        ]
        try:
            await turns.patch_item(
                "t", "t", operations, filter_predicate="from c where c.state = 'queued'", no_response=True
            )
        except CosmosAccessConditionFailedError:
            return False
        return True

    claimed = await asyncio.gather(*map(claim, range(8)))
    assert claimed.count(True) == 1
    assert (await turns.read_item("t", "t"))["worker"] == claimed.index(True)


async def test_a_ledger_never_hands_out_more_than_it_has(async_database: DatabaseProxy) -> None:
    ledger = await async_database.create_container("capacity", PartitionKey(path="/id"))
    await ledger.create_item({"id": "d", "used": 0})

    async def grant(tokens: int) -> int:
        take = [{"op": "incr", "path": "/used", "value": tokens}]
        try:
            await ledger.patch_item("d", "d", take, filter_predicate=f"from c where c.used <= {100 - tokens}")
        except CosmosAccessConditionFailedError:
            return 0
        return tokens

    granted = sum(await asyncio.gather(*(grant(7) for _ in range(20))))
    assert granted == 98
    assert (await ledger.read_item("d", "d"))["used"] == granted


async def test_sessions_are_read_in_order_within_their_key(async_database: DatabaseProxy) -> None:
    path = ["/tenant", "/session"]
    sessions = await async_database.create_container("sessions", PartitionKey(path=path, kind="MultiHash"))
    turns = [{"id": f"{n}", "tenant": "a", "session": f"s{n % 2}", "at": n} for n in range(10)]
    await asyncio.gather(*map(sessions.create_item, turns))
    text = "SELECT * FROM c ORDER BY c.at DESC OFFSET 0 LIMIT @most"
    most = [{"name": "@most", "value": 3}]
    latest = await _all(sessions.query_items(text, parameters=most, partition_key=["a", "s1"]))
    assert [turn["at"] for turn in latest] == [9, 7, 5]
    everything = await _all(sessions.query_items("SELECT VALUE c.at FROM c", partition_key=["a"]))
    assert sorted(everything) == list(range(10))


async def test_orphans_and_counts_are_found_over_all_partitions(async_database: DatabaseProxy) -> None:
    turns = await async_database.create_container("orphans", PartitionKey(path="/id"))
    states = ("queued", "running", "succeeded")
    await asyncio.gather(
        *(turns.create_item({"id": f"{n}", "state": states[n % 3], "lease_until": n}) for n in range(30))
    )
    text = "SELECT c.id FROM c WHERE c.state IN ('queued', 'running') AND c.lease_until < @now"
    found = await _all(turns.query_items(text, parameters=[{"name": "@now", "value": 10}]))
    assert len(found) == 7
    assert await _all(turns.query_items("SELECT VALUE COUNT(1) FROM c WHERE c.state = 'queued'")) == [10]
    ordered = await _all(turns.query_items("SELECT TOP 4 VALUE c.lease_until FROM c ORDER BY c.lease_until DESC"))
    assert ordered == [29, 28, 27, 26]


async def test_the_nearest_documents_are_found_over_all_partitions(async_database: DatabaseProxy) -> None:
    embedding = {"path": "/vector", "dataType": "float32", "distanceFunction": "cosine", "dimensions": 3}
    knowledge = await async_database.create_container(
        "knowledge", PartitionKey(path="/source"), vector_embedding_policy={"vectorEmbeddings": [embedding]}
    )
    for n in range(12):
        await knowledge.create_item({"id": f"{n}", "source": f"s{n % 4}", "vector": [1.0, n / 10, 0.0]})
    text = "SELECT TOP 3 c.id, VectorDistance(c.vector, @v) AS score FROM c ORDER BY VectorDistance(c.vector, @v)"
    found = await _all(knowledge.query_items(text, parameters=[{"name": "@v", "value": [1.0, 0.0, 0.0]}]))
    assert [row["id"] for row in found] == ["0", "1", "2"]
    assert found[0]["score"] == 1


async def test_a_large_scan_does_not_hold_up_small_requests(async_database: DatabaseProxy) -> None:
    container = await async_database.create_container("large", PartitionKey(path="/pk"))
    for start in range(0, 2500, 100):
        batch = [
            ("create", ({"id": f"{n}", "pk": "p", "text": f"text {n}", "list": list(range(24))},))
            for n in range(start, start + 100)
        ]
        await container.execute_item_batch(batch, "p")
    slow = "SELECT VALUE COUNT(1) FROM c JOIN a IN c.list JOIN b IN c.list WHERE a + b > 1"
    scan = asyncio.create_task(_all(container.query_items(slow, partition_key="p")))
    reads = 0
    while not scan.done():
        assert (await container.read_item("7", "p"))["id"] == "7"
        reads += 1
    assert await scan == [2500 * (24 * 24 - 3)]
    assert reads > 5
