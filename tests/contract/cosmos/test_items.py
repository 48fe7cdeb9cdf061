"""Items through the official SDK: create, read, replace, upsert, delete, patch, batch, lifetimes, unique keys."""

import time
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.cosmos import ContainerProxy, DatabaseProxy, PartitionKey
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosBatchOperationError,
    CosmosHttpResponseError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)
from azure.cosmos.partition_key import NonePartitionKeyValue, NullPartitionKeyValue


@pytest.fixture
def database(single_database: DatabaseProxy) -> DatabaseProxy:
    return single_database


@pytest.fixture
def container(database: DatabaseProxy) -> ContainerProxy:
    return database.create_container("items", PartitionKey(path="/pk"))


def test_an_item_lives_through_create_read_replace_upsert_and_delete(container: ContainerProxy) -> None:
    created = container.create_item({"id": "a", "pk": "p", "n": 1})
    assert container.read_item("a", "p") == created
    replaced = container.replace_item(created, {"id": "a", "pk": "p", "n": 2})
    assert replaced["_rid"] == created["_rid"]
    assert replaced["_etag"] != created["_etag"]
    assert container.upsert_item({"id": "a", "pk": "p", "n": 3})["n"] == 3
    assert container.upsert_item({"id": "b", "pk": "p"})["id"] == "b"
    container.delete_item("a", "p")
    with pytest.raises(CosmosResourceNotFoundError):
        container.read_item("a", "p")


def test_the_same_id_is_another_item_in_another_partition(container: ContainerProxy) -> None:
    container.create_item({"id": "a", "pk": "p"})
    container.create_item({"id": "a", "pk": "q"})
    with pytest.raises(CosmosResourceExistsError):
        container.create_item({"id": "a", "pk": "p"})
    assert container.read_item("a", "q")["pk"] == "q"


@pytest.mark.parametrize("name", ["with space", "100%", "ünï", "a+b&c=d", "x" * 255, "%2F"])
def test_any_allowed_id_works(container: ContainerProxy, name: str) -> None:
    container.create_item({"id": name, "pk": name})
    assert container.read_item(name, name)["id"] == name
    container.delete_item(name, name)


@pytest.mark.parametrize("key", ["", "ü", 0, 1.5, -3, True, False])
def test_any_kind_of_partition_key_works(container: ContainerProxy, key: Any) -> None:
    container.create_item({"id": "a", "pk": key})
    assert container.read_item("a", key)["pk"] == key
    assert [item["id"] for item in container.query_items("SELECT * FROM c", partition_key=key)] == ["a"]


def test_a_null_partition_key_is_not_a_missing_one(container: ContainerProxy) -> None:
    container.create_item({"id": "null", "pk": None})
    container.create_item({"id": "missing"})
    assert container.read_item("null", NullPartitionKeyValue)["id"] == "null"
    assert container.read_item("missing", NonePartitionKeyValue)["id"] == "missing"
    with pytest.raises(CosmosResourceNotFoundError):
        container.read_item("missing", NullPartitionKeyValue)


def test_a_stale_writer_loses(container: ContainerProxy) -> None:
    first = container.create_item({"id": "a", "pk": "p"})
    container.upsert_item({"id": "a", "pk": "p", "n": 2})
    for write in (
        lambda **options: container.replace_item("a", {"id": "a", "pk": "p"}, **options),
        lambda **options: container.delete_item("a", "p", **options),
        lambda **options: container.patch_item("a", "p", [{"op": "set", "path": "/n", "value": 3}], **options),
    ):
        with pytest.raises(CosmosAccessConditionFailedError):
            write(etag=first["_etag"], match_condition=MatchConditions.IfNotModified)
    assert container.read_item("a", "p")["n"] == 2


def test_a_patch_applies_all_its_operations_in_order(container: ContainerProxy) -> None:
    container.create_item({"id": "a", "pk": "p", "n": 1, "list": [1, 3], "old": "x", "gone": True})
    patched = container.patch_item(
        "a",
        "p",
        [
            {"op": "incr", "path": "/n", "value": 2},
            {"op": "add", "path": "/list/1", "value": 2},
            {"op": "add", "path": "/list/-", "value": 4},
            {"op": "set", "path": "/deep", "value": {"a": 1}},
            {"op": "incr", "path": "/deep/b", "value": -1.5},
            {"op": "replace", "path": "/list/0", "value": 0},
            {"op": "move", "from": "/old", "path": "/new"},
            {"op": "remove", "path": "/gone"},
        ],
    )
    own = {name: value for name, value in patched.items() if not name.startswith("_")}
    assert own == {"id": "a", "pk": "p", "n": 3, "list": [0, 2, 3, 4], "deep": {"a": 1, "b": -1.5}, "new": "x"}


def test_a_patch_whose_predicate_is_false_changes_nothing(container: ContainerProxy) -> None:
    created = container.create_item({"id": "a", "pk": "p", "state": "queued", "attempt": 1})
    claim: list[dict[str, Any]] = [
        {"op": "set", "path": "/state", "value": "running"},
        {"op": "incr", "path": "/attempt", "value": 1},
    ]
    with pytest.raises(CosmosHttpResponseError) as refused:
        container.patch_item("a", "p", claim, filter_predicate="from c where c.state = 'running'")
    assert refused.value.status_code == 412
    assert container.read_item("a", "p") == created
    answer = container.patch_item("a", "p", claim, filter_predicate="from c where c.state = 'queued'", no_response=True)
    assert dict(answer) == {}
    assert container.read_item("a", "p")["attempt"] == 2


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "set", "path": "/pk", "value": "q"}],
        [{"op": "set", "path": "/id", "value": "b"}],
        [{"op": "set", "path": "/_etag", "value": "x"}],
        [{"op": "replace", "path": "/none", "value": 1}],
        [{"op": "remove", "path": "/none"}],
        [{"op": "set", "path": "/n", "value": 2}, {"op": "incr", "path": "/text", "value": 1}],
        [{"op": "set", "path": "/none/deep", "value": 1}],
        [{"op": "shout", "path": "/n", "value": 1}],
        [{"op": "incr", "path": "/n", "value": 1}] * 11,
    ],
)
def test_a_patch_that_cannot_be_done_is_400_and_changes_nothing(container: ContainerProxy, operations: Any) -> None:
    created = container.create_item({"id": "a", "pk": "p", "n": 1, "text": "x"})
    with pytest.raises(CosmosHttpResponseError) as refused:
        container.patch_item("a", "p", operations)
    assert refused.value.status_code == 400
    assert container.read_item("a", "p") == created


def test_a_batch_does_everything(container: ContainerProxy) -> None:
    container.create_item({"id": "old", "pk": "p", "n": 1})
    results = container.execute_item_batch(
        [
            ("create", ({"id": "new", "pk": "p"},)),
            ("upsert", ({"id": "up", "pk": "p"},)),
            ("read", ("old",)),
            (
                "patch",
                ("old", [{"op": "incr", "path": "/n", "value": 1}]),
                {"filter_predicate": "from c where c.n = 1"},
            ),
            ("replace", ("new", {"id": "new", "pk": "p", "n": 5})),
            ("delete", ("up",)),
        ],
        "p",
    )
    assert [result["statusCode"] for result in results] == [201, 201, 200, 200, 200, 204]
    assert container.read_item("new", "p")["n"] == 5
    assert container.read_item("old", "p")["n"] == 2


def test_a_batch_with_one_failure_does_nothing(container: ContainerProxy) -> None:
    container.create_item({"id": "taken", "pk": "p"})
    with pytest.raises(CosmosBatchOperationError) as refused:
        container.execute_item_batch(
            [("create", ({"id": "a", "pk": "p"},)), ("create", ({"id": "taken", "pk": "p"},)), ("read", ("taken",))],
            "p",
        )
    assert refused.value.error_index == 1
    assert [result["statusCode"] for result in refused.value.operation_responses] == [424, 409, 424]
    assert [item["id"] for item in container.read_all_items()] == ["taken"]


def test_lifetimes_hide_items_at_once(database: DatabaseProxy) -> None:
    container = database.create_container("short", PartitionKey(path="/pk"), default_ttl=-1)
    container.create_item({"id": "for ever", "pk": "p"})
    container.create_item({"id": "fleeting", "pk": "p", "ttl": 1})
    deadline = time.monotonic() + 10
    while len(ids := [item["id"] for item in container.query_items("SELECT c.id FROM c", partition_key="p")]) == 2:
        assert time.monotonic() < deadline
    assert ids == ["for ever"]
    container.create_item({"id": "fleeting", "pk": "p"})


def test_a_changed_default_lifetime_holds_for_old_items(database: DatabaseProxy) -> None:
    container = database.create_container("lived", PartitionKey(path="/pk"), default_ttl=1)
    container.create_item({"id": "saved", "pk": "p"})
    database.replace_container("lived", PartitionKey(path="/pk"), default_ttl=3600)
    time.sleep(1.1)  # past the first lifetime, by the server's clock
    assert container.read_item("saved", "p")["id"] == "saved"


def test_unique_keys_hold_within_a_partition(database: DatabaseProxy) -> None:
    policy = {"uniqueKeys": [{"paths": ["/email"]}, {"paths": ["/a", "/b/c"]}]}
    container = database.create_container("unique", PartitionKey(path="/pk"), unique_key_policy=policy)
    container.create_item({"id": "1", "pk": "p", "email": "x", "a": 1, "b": {"c": 1}})
    container.create_item({"id": "1", "pk": "q", "email": "x", "a": 1, "b": {"c": 1}})
    for item in ({"email": "x", "a": 2}, {"email": "y", "a": 1.0, "b": {"c": 1}}):
        with pytest.raises(CosmosResourceExistsError):
            container.create_item({"id": "2", "pk": "p", **item})
    container.create_item({"id": "2", "pk": "p", "email": "y", "a": 2})
    with pytest.raises(CosmosResourceExistsError):
        container.patch_item("2", "p", [{"op": "set", "path": "/email", "value": "x"}])
    assert container.read_item("2", "p")["email"] == "y"
    container.delete_item("1", "p")
    container.patch_item("2", "p", [{"op": "set", "path": "/email", "value": "x"}])


def test_policies_come_back_as_they_were_given(database: DatabaseProxy) -> None:
    indexing = {
        "indexingMode": "consistent",
        "automatic": True,
        "includedPaths": [{"path": "/*"}],
        "excludedPaths": [{"path": "/v/*"}],
        "vectorIndexes": [{"path": "/v", "type": "diskANN"}],
    }
    embedding = {"path": "/v", "dataType": "float32", "distanceFunction": "cosine", "dimensions": 8}
    container = database.create_container(
        "policies",
        PartitionKey(path="/pk"),
        indexing_policy=indexing,
        vector_embedding_policy={"vectorEmbeddings": [embedding]},
        unique_key_policy={"uniqueKeys": [{"paths": ["/a"]}]},
        offer_throughput=1000,
    )
    properties = container.read()
    assert properties["indexingPolicy"] == indexing
    assert properties["vectorEmbeddingPolicy"] == {"vectorEmbeddings": [embedding]}
    assert container.get_throughput().offer_throughput == 1000
    container.replace_throughput(2000)
    assert container.get_throughput().offer_throughput == 2000


def test_databases_and_containers_are_found_and_listed(database: DatabaseProxy) -> None:
    database.create_container_if_not_exists("a", PartitionKey(path="/pk"))
    database.create_container_if_not_exists("a", PartitionKey(path="/pk"))
    assert [container["id"] for container in database.list_containers()] == ["a"]
    found = database.query_containers("SELECT * FROM r WHERE r.id = @id", parameters=[{"name": "@id", "value": "a"}])
    assert [container["id"] for container in found] == ["a"]
    with pytest.raises(CosmosResourceExistsError):
        database.create_container("a", PartitionKey(path="/pk"))


def test_a_partition_can_be_emptied_at_once(container: ContainerProxy) -> None:
    for name in ("a", "b"):
        container.create_item({"id": name, "pk": "p"})
    container.create_item({"id": "a", "pk": "q"})
    container.delete_all_items_by_partition_key("p")
    assert [item["pk"] for item in container.read_all_items()] == ["q"]
