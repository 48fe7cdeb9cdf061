"""Faults on purpose and counts, through the control plane."""

import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from azure.cosmos import ContainerProxy, CosmosClient, DatabaseProxy, PartitionKey
from azure.cosmos.exceptions import CosmosHttpResponseError

from tests.contract.cosmos.raw import KEY, Account, send
from tests.processes import Service


def control(url: str, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/_sim/{path}", data, method=method)
    with urllib.request.urlopen(request, timeout=10) as reply:
        raw = reply.read()
        return json.loads(raw) if raw else None


@pytest.fixture
def container(single: Service, single_database: DatabaseProxy) -> Iterator[ContainerProxy]:
    container = single_database.create_container("turns", PartitionKey(path="/pk"))
    container.create_item({"id": "a", "pk": "p"})
    yield container
    control(single.url, "DELETE", "faults")


def test_the_sdk_waits_out_a_429(single: Service, container: ContainerProxy) -> None:
    control(single.url, "POST", "faults", {"status": 429, "count": 2, "retry_after_ms": 150, "container": "turns"})
    started = time.monotonic()
    assert container.read_item("a", "p")["id"] == "a"
    assert time.monotonic() - started >= 0.3
    assert control(single.url, "GET", "faults") == {"faults": []}


def test_a_fault_is_seen_as_the_protocol_has_it(single: Service, raw: Account, link: str) -> None:
    control(single.url, "POST", "faults", {"status": 429, "retry_after_ms": 70})
    answer = raw.call("GET", f"{link}/docs/a", key=["p"])
    assert (answer.status, answer.headers["x-ms-substatus"], answer.headers["x-ms-retry-after-ms"]) == (
        429,
        "3200",
        "70",
    )
    assert answer.json == {"code": "TooManyRequests", "message": "Injected fault."}


@pytest.mark.parametrize("status", [408, 500, 503])
def test_a_fault_for_one_operation_leaves_the_others_alone(
    single: Service, raw: Account, link: str, status: int
) -> None:
    control(single.url, "POST", "faults", {"status": status, "count": 1, "operation": "patch", "container": "items"})
    assert raw.call("POST", f"{link}/docs", {"id": "a", "pk": "p"}, key=["p"]).status == 201
    patch = {"operations": [{"op": "set", "path": "/n", "value": 1}]}
    assert raw.call("PATCH", f"{link}/docs/a", patch, key=["p"]).status == status
    assert raw.call("PATCH", f"{link}/docs/a", patch, key=["p"]).status == 200


def test_a_delay_holds_up_its_own_request_only(single: Service, raw: Account, link: str) -> None:
    raw.call("POST", f"{link}/docs", {"id": "a", "pk": "p"}, key=["p"])
    control(single.url, "POST", "faults", {"delay_ms": 300, "operation": "read"})
    started = time.monotonic()
    assert raw.call("GET", f"{link}/docs/a", key=["p"]).status == 200
    assert time.monotonic() - started >= 0.3
    assert control(single.url, "GET", "faults") == {"faults": []}


def test_faults_are_listed_and_cleared(single: Service, container: ContainerProxy) -> None:
    control(single.url, "POST", "faults", {"status": 503, "count": 5, "container": "elsewhere"})
    [fault] = control(single.url, "GET", "faults")["faults"]
    assert (fault["status"], fault["count"], fault["container"]) == (503, 5, "elsewhere")
    control(single.url, "DELETE", "faults")
    assert control(single.url, "GET", "faults") == {"faults": []}


@pytest.mark.parametrize(
    "rule",
    [
        {"status": 200},
        {"status": "429"},
        {},
        {"count": 3},
        {"status": 429, "count": 0},
        {"status": 429, "oops": 1},
        [1],
    ],
)
def test_a_wrong_fault_is_refused(single: Service, rule: Any) -> None:
    answer = send(single.url, "POST", "/_sim/faults", json.dumps(rule).encode())
    assert answer.status == 400
    assert answer.json["message"]


def test_requests_are_counted_by_operation_container_and_status(
    tmp_path_factory: pytest.TempPathFactory, single: Service
) -> None:
    with CosmosClient(single.url, KEY) as client:
        container = client.create_database("counted").create_container("counted", PartitionKey(path="/pk"))
        before = control(single.url, "GET", "account")["request_charge"]
        container.create_item({"id": "a", "pk": "p"})
        with pytest.raises(CosmosHttpResponseError):
            container.create_item({"id": "a", "pk": "p"})
        container.read_item("a", "p")
        list(container.query_items("SELECT * FROM c", partition_key="p"))
    report = control(single.url, "GET", "account")
    counts = {
        (row["operation"], row["status"]): row["count"] for row in report["operations"] if row["container"] == "counted"
    }
    assert counts[("create", 201)] == counts[("create", 409)] == counts[("read", 200)] == counts[("query", 200)] == 1
    assert report["request_charge"] > before + 8
