"""Queries through the official SDK, within a partition and over several, on one and on four physical partitions."""

import math
import uuid
from typing import Any

import pytest
from azure.cosmos import CosmosClient, DatabaseProxy, PartitionKey
from azure.cosmos.exceptions import CosmosHttpResponseError

COUNT = 60


@pytest.fixture(scope="module")
def filled(client: CosmosClient) -> Any:
    """A container that tests only read."""
    return fill(client.create_database(f"db-{uuid.uuid4()}"))


def fill(database: DatabaseProxy) -> Any:
    composite = [[{"path": "/group", "order": "ascending"}, {"path": "/n", "order": "descending"}]]
    policy = {
        "includedPaths": [{"path": "/*"}],
        "excludedPaths": [{"path": "/hidden/?"}],
        "compositeIndexes": composite,
    }
    container: Any = database.create_container("filled", PartitionKey(path="/pk"), indexing_policy=policy)
    for n in range(COUNT):
        state = ("queued", "running", "done")[n % 3]
        container.create_item(
            {"id": f"i{n}", "pk": f"p{n % 7}", "n": n, "group": n % 2, "state": state, "tags": [n % 5, "t"]}
        )
    return container


def everywhere(container: Any, text: str, **parameters: Any) -> list[Any]:
    given = [{"name": f"@{name}", "value": value} for name, value in parameters.items()]
    return list(container.query_items(text, parameters=given, enable_cross_partition_query=True))


def test_filters_over_all_partitions(filled: Any) -> None:
    text = "SELECT VALUE c.n FROM c WHERE c.state IN ('queued', 'running') AND c.n < @limit"
    assert sorted(everywhere(filled, text, limit=10)) == [0, 1, 3, 4, 6, 7, 9]


def test_order_by_merges_the_partitions(filled: Any) -> None:
    numbers = list(range(COUNT))
    assert everywhere(filled, "SELECT VALUE c.n FROM c ORDER BY c.n") == numbers
    assert everywhere(filled, "SELECT VALUE c.n FROM c ORDER BY c.n DESC") == numbers[::-1]
    assert everywhere(filled, "SELECT TOP 5 c.n FROM c ORDER BY c.n DESC") == [{"n": n} for n in numbers[:-6:-1]]
    assert everywhere(filled, "SELECT VALUE c.n FROM c ORDER BY c.n OFFSET @skip LIMIT @take", skip=10, take=3) == [
        10,
        11,
        12,
    ]


def test_order_by_several_keys_needs_its_composite_index(filled: Any) -> None:
    expected = [*range(COUNT - 2, -1, -2), *range(COUNT - 1, 0, -2)]
    assert everywhere(filled, "SELECT VALUE c.n FROM c ORDER BY c.group, c.n DESC") == expected
    assert everywhere(filled, "SELECT VALUE c.n FROM c ORDER BY c.group DESC, c.n") == expected[::-1]
    with pytest.raises(CosmosHttpResponseError, match="composite"):
        everywhere(filled, "SELECT VALUE c.n FROM c ORDER BY c.group, c.n")


@pytest.mark.parametrize("key", ["c.hidden", "c.n + 1", "UPPER(c.state)", "c"])
def test_order_by_what_is_not_indexed_is_refused(filled: Any, key: str) -> None:
    with pytest.raises(CosmosHttpResponseError, match="ORDER BY"):
        list(filled.query_items(f"SELECT * FROM c ORDER BY {key}", partition_key="p1"))


def test_aggregates_over_all_partitions(filled: Any) -> None:
    values = {"COUNT(1)": COUNT, "SUM(c.n)": 1770, "AVG(c.n)": 29.5, "MIN(c.n)": 0, "MAX(c.n)": 59}
    for aggregate, expected in values.items():
        assert everywhere(filled, f"SELECT VALUE {aggregate} FROM c") == [expected], aggregate
    assert everywhere(filled, "SELECT VALUE COUNT(1) FROM c WHERE c.n > 1000") == [0]
    assert everywhere(filled, "SELECT VALUE COUNTIF(c.n < 5) FROM c") == [5]
    assert everywhere(filled, "SELECT VALUE MAX(c.state) FROM c") == ["running"]


def test_distinct_over_all_partitions(filled: Any) -> None:
    assert sorted(everywhere(filled, "SELECT DISTINCT VALUE c.state FROM c")) == ["done", "queued", "running"]
    assert everywhere(filled, "SELECT DISTINCT VALUE c.group FROM c ORDER BY c.group") == [0, 1]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT c.state, COUNT(1) AS n FROM c GROUP BY c.state",
        "SELECT COUNT(1) AS n FROM c",
        "SELECT MIN(c.n) AS low, MAX(c.n) AS high FROM c",
    ],
)
def test_what_this_client_cannot_merge_is_refused_over_partitions_but_not_within_one(filled: Any, text: str) -> None:
    with pytest.raises(CosmosHttpResponseError, match="does not support"):
        everywhere(filled, text)
    assert list(filled.query_items(text, partition_key="p1"))


def test_everything_works_within_one_partition(filled: Any) -> None:
    def within(text: str) -> list[Any]:
        return list(filled.query_items(text, partition_key="p1"))

    numbers = list(range(1, COUNT, 7))
    assert within("SELECT VALUE c.n FROM c ORDER BY c.n DESC OFFSET 1 LIMIT 2") == numbers[::-1][1:3]
    assert within("SELECT TOP 2 VALUE c.n FROM c ORDER BY c.n") == numbers[:2]
    assert within("SELECT VALUE COUNT(1) FROM c") == [len(numbers)]
    groups = within("SELECT c.group, COUNT(1) AS n, MAX(c.n) AS high FROM c GROUP BY c.group")
    assert sorted((row["group"], row["n"], row["high"]) for row in groups) == [(0, 4, 50), (1, 5, 57)]
    assert within("SELECT VALUE t FROM c JOIN t IN c.tags WHERE t = 4") == [4]


def test_pages_hold_what_was_asked_and_lose_nothing(filled: Any) -> None:
    for text, options in (
        ("SELECT VALUE c.n FROM c", {"enable_cross_partition_query": True}),
        ("SELECT VALUE c.n FROM c ORDER BY c.n", {"enable_cross_partition_query": True}),
        ("SELECT VALUE c.n FROM c ORDER BY c.state", {"partition_key": "p2"}),
        ("SELECT DISTINCT VALUE c.n FROM c", {"partition_key": "p2"}),
    ):
        pages = [list(page) for page in filled.query_items(text, max_item_count=4, **options).by_page()]
        assert max(map(len, pages)) <= 4
        expected = range(COUNT) if "partition_key" not in options else range(2, COUNT, 7)
        assert sorted(n for page in pages for n in page) == list(expected)


def test_a_continuation_of_an_ordered_query_is_stable_under_inserts(database: DatabaseProxy) -> None:
    filled = fill(database)
    query = "SELECT VALUE c.n FROM c ORDER BY c.n"
    pages = filled.query_items(query, partition_key="p1", max_item_count=3).by_page()
    assert list(next(pages)) == [1, 8, 15]
    filled.create_item({"id": "between", "pk": "p1", "n": 2})
    token = pages.continuation_token
    later = filled.query_items(query, partition_key="p1", max_item_count=100).by_page(token)
    assert list(next(later)) == [22, 29, 36, 43, 50, 57]


def test_hierarchical_keys_find_whole_keys_and_prefixes(database: DatabaseProxy) -> None:
    container: Any = database.create_container("tree", PartitionKey(path=["/tenant", "/session"], kind="MultiHash"))
    for n in range(24):
        container.create_item({"id": f"{n}", "tenant": f"t{n % 2}", "session": f"s{n % 6}", "n": n})
    assert container.read_item("7", ["t1", "s1"])["n"] == 7
    whole = container.query_items("SELECT VALUE c.n FROM c ORDER BY c.n DESC", partition_key=["t0", "s2"])
    assert list(whole) == [20, 14, 8, 2]
    prefix = container.query_items("SELECT VALUE c.n FROM c", partition_key=["t1"])
    assert sorted(prefix) == list(range(1, 24, 2))
    container.patch_item("7", ["t1", "s1"], [{"op": "set", "path": "/n", "value": 70}])
    with pytest.raises(CosmosHttpResponseError):
        container.read_item("7", ["t1"])


@pytest.mark.parametrize("measure", ["cosine", "dotproduct", "euclidean"])
def test_the_most_similar_vectors_come_first_over_all_partitions(database: DatabaseProxy, measure: str) -> None:
    embedding = {"path": "/v", "dataType": "float32", "distanceFunction": measure, "dimensions": 2}
    container: Any = database.create_container(
        "vectors",
        PartitionKey(path="/pk"),
        vector_embedding_policy={"vectorEmbeddings": [embedding]},
        indexing_policy={
            "includedPaths": [{"path": "/*"}],
            "excludedPaths": [{"path": "/v/*"}],
            "vectorIndexes": [{"path": "/v", "type": "flat"}],
        },
    )
    angles = [n / 20 for n in range(20)]
    for n, angle in enumerate(angles):
        container.create_item(
            {"id": f"{n:02}", "pk": f"p{n % 5}", "v": [math.cos(angle), math.sin(angle)], "even": n % 2 == 0}
        )
    container.create_item({"id": "without", "pk": "p0"})
    wanted = [math.cos(0.31), math.sin(0.31)]
    text = "SELECT TOP @k c.id, VectorDistance(c.v, @q) AS score FROM c {} ORDER BY VectorDistance(c.v, @q)"
    assert [row["id"] for row in everywhere(container, text.format(""), k=3, q=wanted)] == ["06", "07", "05"]
    filtered = everywhere(container, text.format("WHERE c.even = true"), k=2, q=wanted)
    assert [row["id"] for row in filtered] == ["06", "08"]
    offset = "SELECT VALUE c.id FROM c ORDER BY VectorDistance(c.v, @q) OFFSET 1 LIMIT 2"
    assert everywhere(container, offset, q=wanted) == ["07", "05"]
    within = container.query_items(
        text.format(""),
        parameters=[{"name": "@k", "value": 30}, {"name": "@q", "value": wanted}],
        partition_key="p0",
    )
    assert [row["id"] for row in within] == ["05", "10", "00", "15"]
    explicit = f"SELECT TOP 1 VALUE VectorDistance(c.v, @q, true, {{'distanceFunction': '{measure}'}}) FROM c"
    assert len(everywhere(container, explicit, q=wanted)) == 1


def test_a_vector_search_without_a_bound_is_refused(database: DatabaseProxy) -> None:
    container: Any = database.create_container("unbounded", PartitionKey(path="/pk"))
    with pytest.raises(ValueError, match="TOP or LIMIT"):
        everywhere(container, "SELECT c.id FROM c ORDER BY VectorDistance(c.v, [1, 2])")


def test_feed_ranges_share_the_items_out(filled: Any) -> None:
    seen: list[str] = []
    for feed_range in filled.read_feed_ranges():
        seen += filled.query_items("SELECT VALUE c.id FROM c", feed_range=feed_range)
    assert sorted(seen) == sorted(f"i{n}" for n in range(COUNT))


def test_the_change_feed_gives_the_latest_version_of_each_item(database: DatabaseProxy) -> None:
    filled = fill(database)
    first = filled.query_items_change_feed(start_time="Beginning")
    assert {item["id"] for item in first} == {f"i{n}" for n in range(COUNT)}
    now = filled.query_items_change_feed(start_time="Now")
    assert list(now) == []
    token = filled.client_connection.last_response_headers["etag"]
    filled.upsert_item({"id": "i5", "pk": "p5", "n": -1})
    filled.upsert_item({"id": "i5", "pk": "p5", "n": -2})
    filled.create_item({"id": "new", "pk": "p1", "n": 0})
    changed = list(filled.query_items_change_feed(continuation=token))
    assert sorted((item["id"], item["n"]) for item in changed) == [("i5", -2), ("new", 0)]
    one = list(filled.query_items_change_feed(partition_key="p1", start_time="Beginning"))
    assert [item["n"] for item in one] == [*range(1, COUNT, 7), 0]


def test_read_many_items_at_once(filled: Any) -> None:
    wanted = [(f"i{n}", f"p{n % 7}") for n in (3, 10, 59)]
    assert sorted(item["n"] for item in filled.read_items(wanted)) == [3, 10, 59]
