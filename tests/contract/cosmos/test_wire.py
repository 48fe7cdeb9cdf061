"""Golden requests and replies, without an SDK."""

import base64
import itertools
import socket
import time
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

import pytest

from tests.contract.cosmos.raw import KEY, Account, send, signature
from tests.processes import Service


def _dated(seconds: float) -> dict[str, str]:
    date = formatdate(time.time() + seconds, usegmt=True)
    return {"x-ms-date": date, "authorization": signature("get", "dbs", "", date)}


def test_the_documented_signature_is_the_one_that_passes(single: Service) -> None:
    assert signature("GET", "dbs", "dbs/ToDoList", "Thu, 27 Apr 2017 00:51:12 GMT", KEY).startswith(
        "type%3Dmaster%26ver%3D1.0"
    )
    assert send(single.url, "GET", "/dbs", headers=_dated(0)).status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "nonsense"}, 401),
        ({"authorization": "type%3Dmaster%26ver%3D1.0%26sig%3D%C3%A9"}, 401),
        ({"authorization": "type%3Dresource%26ver%3D1%26sig%3Dx"}, 401),
        ({"authorization": "type%3Daad%26ver%3D1.0%26sig%3Da.b.c"}, 401),
    ],
)
def test_requests_without_a_good_authorization_are_401(single: Service, headers: dict[str, str], status: int) -> None:
    answer = send(single.url, "GET", "/dbs", headers={"x-ms-date": formatdate(usegmt=True), **headers})
    assert (answer.status, answer.json["code"]) == (status, "Unauthorized")


def test_a_signature_by_another_key_or_over_another_path_is_401(single: Service) -> None:
    date = formatdate(usegmt=True)
    other_key = base64.b64encode(b"x" * 64).decode()
    for authorization in (signature("get", "dbs", "", date, other_key), signature("get", "dbs", "dbs/x", date)):
        assert (
            send(single.url, "GET", "/dbs", headers={"x-ms-date": date, "authorization": authorization}).status == 401
        )


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_a_date_more_than_fifteen_minutes_off_is_403(single: Service, seconds: float) -> None:
    assert send(single.url, "GET", "/dbs", headers=_dated(seconds)).status == 403


def test_the_account_sends_clients_to_where_they_already_are(single: Service) -> None:
    account = Account(single.url).call("GET", "").json
    assert account["writableLocations"][0]["databaseAccountEndpoint"] == f"{single.url}/"
    assert account["userConsistencyPolicy"] == {"defaultConsistencyLevel": "Session"}


def test_an_item_comes_back_with_the_system_members_and_headers(raw: Account, link: str) -> None:
    created = raw.call("POST", f"{link}/docs", {"id": "a", "pk": "p", "n": 1}, key=["p"])
    assert created.status == 201
    read = raw.call("GET", f"{link}/docs/a", key=["p"])
    assert read.body == created.body
    assert list(read.json) == ["id", "pk", "n", "_rid", "_self", "_etag", "_attachments", "_ts"]
    assert read.headers["etag"] == read.json["_etag"]
    assert read.headers["content-type"] == "application/json"
    assert float(read.headers["x-ms-request-charge"]) == 1.0
    range_id, _, change = read.headers["x-ms-session-token"].partition(":-1#")
    assert range_id == "0"
    assert change.isdecimal()
    assert read.headers["x-ms-activity-id"]


def test_every_level_is_found_by_its_resource_id_too(raw: Account, link: str) -> None:
    item = raw.call("POST", f"{link}/docs", {"id": "a", "pk": "p"}, key=["p"]).json
    _, database, _, container, _, rid = item["_self"].strip("/").split("/")
    date = formatdate(usegmt=True)
    headers = {
        "x-ms-date": date,
        "authorization": signature("get", "docs", rid.lower(), date),
        "x-ms-documentdb-partitionkey": '["p"]',
    }
    path = "/".join(quote(part, safe="") for part in ("dbs", database, "colls", container, "docs", rid))
    answer = send(raw.url, "GET", f"/{path}/", headers=headers)
    assert (answer.status, answer.json["id"]) == (200, "a")


@pytest.mark.parametrize(
    ("method", "path", "body", "key", "status", "substatus"),
    [
        ("GET", "dbs/none", None, None, 404, None),
        ("GET", "dbs/none/colls/none/docs/a", None, ["p"], 404, "1003"),
        ("GET", "{link}/docs/none", None, ["p"], 404, None),
        ("GET", "{link}/docs/a", None, None, 400, None),
        ("GET", "{link}/docs/a", None, ["p", "q"], 400, "1001"),
        ("GET", "{link}/docs/a", None, "p", 400, "1001"),
        ("POST", "{link}/docs", {"id": "x", "pk": "other"}, ["p"], 400, "1001"),
        ("POST", "{link}/docs", {"id": "a", "pk": "p"}, ["p"], 409, None),
        ("POST", "{link}/docs", {"pk": "p"}, ["p"], 400, None),
        ("POST", "{link}/docs", {"id": "a/b", "pk": "p"}, ["p"], 400, None),
        ("POST", "{link}/docs", {"id": "x" * 1024, "pk": "p"}, ["p"], 400, None),
        ("POST", "{link}/docs", {"id": "x", "pk": {"a": 1}}, None, 400, None),
        ("POST", "{link}/docs", {"id": "x", "pk": "p" * 3000}, None, 400, None),
        ("POST", "{link}/docs", {"id": "x", "pk": "p", "ttl": 0}, None, 400, None),
        ("POST", "{link}/docs", b"{not json", ["p"], 400, None),
        ("POST", "{link}/docs", b'"text"', ["p"], 400, None),
        ("POST", "{link}/docs", b'{"id":"x","pk":"p","n":NaN}', ["p"], 400, None),
        ("PUT", "{link}/docs/a", {"id": "b", "pk": "p"}, ["p"], 400, None),
        ("PATCH", "{link}/docs/a", {"operations": []}, ["p"], 400, None),
        ("DELETE", "{link}/docs/none", None, ["p"], 404, None),
        ("POST", "{link}/sprocs", {"id": "s", "body": "x"}, None, 400, None),
        ("GET", "{link}/nothing", None, None, 400, None),
        ("PATCH", "dbs", None, None, 405, None),
        ("GET", "elsewhere", None, None, 404, None),
        ("POST", "dbs", {"id": "a?b"}, None, 400, None),
    ],
)
def test_what_is_wrong_has_its_status_and_substatus(
    raw: Account, link: str, method: str, path: str, body: Any, key: Any, status: int, substatus: str | None
) -> None:
    raw.call("POST", f"{link}/docs", {"id": "a", "pk": "p"}, key=["p"])
    answer = raw.call(method, path.format(link=link), body, key=key)
    assert (answer.status, answer.headers.get("x-ms-substatus")) == (status, substatus)
    assert set(answer.json) == {"code", "message"}


def test_an_item_may_have_two_megabytes_and_not_more(raw: Account, link: str) -> None:
    fits = {"id": "a", "pk": "p", "text": "x" * (2 * 1024 * 1024 - 1000)}
    assert raw.call("POST", f"{link}/docs", fits, key=["p"]).status == 201
    assert raw.call("POST", f"{link}/docs", {**fits, "id": "b", "text": "x" * 2 * 1024 * 1024}, key=["p"]).status == 413
    assert raw.call("POST", f"{link}/docs", b"x" * 5_000_000, key=["p"]).status == 413


def test_entity_tags_decide_over_reads_and_writes(raw: Account, link: str) -> None:
    tag = raw.call("POST", f"{link}/docs", {"id": "a", "pk": "p"}, key=["p"]).headers["etag"]
    unchanged = raw.call("GET", f"{link}/docs/a", key=["p"], if_none_match=tag)
    assert (unchanged.status, unchanged.body) == (304, b"")
    changed = raw.call("PUT", f"{link}/docs/a", {"id": "a", "pk": "p"}, key=["p"], if_match=tag)
    assert changed.status == 200
    for method, body in (("PUT", {"id": "a", "pk": "p"}), ("DELETE", None)):
        assert raw.call(method, f"{link}/docs/a", body, key=["p"], if_match=tag).status == 412
    stale = {"x_ms_documentdb_is_upsert": "True", "if_match": tag}
    assert raw.call("POST", f"{link}/docs", {"id": "a", "pk": "p"}, key=["p"], **stale).status == 412


def test_return_minimal_leaves_the_body_out(raw: Account, link: str) -> None:
    answer = raw.call("POST", f"{link}/docs", {"id": "a", "pk": "p"}, key=["p"], prefer="return=minimal")
    assert (answer.status, answer.body) == (201, b"")
    assert answer.headers["etag"]


def test_a_query_over_partitions_must_be_allowed_and_planned(raw: Account, link: str) -> None:
    off = raw.query(f"{link}/docs", "SELECT * FROM c")
    assert (off.status, off.headers.get("x-ms-substatus")) == (400, None)
    crossing = {"x_ms_documentdb_query_enablecrosspartition": "True"}
    assert raw.query(f"{link}/docs", "SELECT * FROM c", **crossing).status == 200
    unplanned = raw.query(f"{link}/docs", "SELECT * FROM c ORDER BY c.n", **crossing)
    assert (unplanned.status, unplanned.headers["x-ms-substatus"]) == (400, "1004")


def test_the_plan_of_an_ordered_query_is_the_service_s(raw: Account, link: str) -> None:
    features = {"x_ms_cosmos_is_query_plan_request": "True", "x_ms_cosmos_supported_query_features": "OrderBy, Top"}
    text = "SELECT TOP 3 c.id FROM c WHERE c.n > 1 ORDER BY c.n DESC"
    plan = raw.query(f"{link}/docs", text, content_type="application/json", **features).json
    assert plan["partitionedQueryExecutionInfoVersion"] == 2
    assert plan["queryRanges"] == [{"min": "", "max": "FF", "isMinInclusive": True, "isMaxInclusive": False}]
    assert plan["queryInfo"]["rewrittenQuery"] == (
        'SELECT TOP 3 c._rid AS _rid, [{"item": c.n}] AS orderByItems, {"id": c.id} AS payload FROM c '
        "WHERE ((c.n > 1) AND ({documentdb-formattableorderbyquery-filter})) ORDER BY c.n DESC"
    )
    assert {name: plan["queryInfo"][name] for name in ("top", "orderBy", "distinctType", "hasSelectValue")} == {
        "top": 3,
        "orderBy": ["Descending"],
        "distinctType": "None",
        "hasSelectValue": False,
    }


def test_a_plan_that_needs_what_the_client_lacks_is_refused_by_name(raw: Account, link: str) -> None:
    headers = {"x_ms_cosmos_is_query_plan_request": "True", "x_ms_cosmos_supported_query_features": "Aggregate"}
    answer = raw.query(f"{link}/docs", "SELECT c.k, COUNT(1) AS n FROM c GROUP BY c.k", **headers)
    assert answer.status == 400
    assert "GroupBy" in answer.json["message"]


def test_a_wrong_query_says_what_and_where(raw: Account, link: str) -> None:
    answer = raw.query(f"{link}/docs", "SELECT * FROM c WHERE d.x = 1", key=["p"])
    assert answer.status == 400
    assert "Identifier 'd' could not be resolved" in answer.json["message"]
    assert '"location":{"start":22,"end":23}' in answer.json["message"]


def test_physical_partitions_are_listed_once_and_then_unchanged(account: Service) -> None:
    client = Account(account.url)
    client.call("POST", "dbs", {"id": "ranges"})
    client.call("POST", "dbs/ranges/colls", {"id": "c", "partitionKey": {"paths": ["/pk"]}})
    first = client.call("GET", "dbs/ranges/colls/c/pkranges", a_im="Incremental Feed")
    ranges = first.json["PartitionKeyRanges"]
    assert (ranges[0]["minInclusive"], ranges[-1]["maxExclusive"]) == ("", "FF")
    assert all(left["maxExclusive"] == right["minInclusive"] for left, right in itertools.pairwise(ranges))
    again = client.call(
        "GET", "dbs/ranges/colls/c/pkranges", a_im="Incremental Feed", if_none_match=first.headers["etag"]
    )
    assert (again.status, again.body) == (304, b"")
    gone = client.query("dbs/ranges/colls/c/docs", "SELECT * FROM c", x_ms_documentdb_partitionkeyrangeid="99")
    assert (gone.status, gone.headers["x-ms-substatus"]) == (410, "1002")


def test_a_container_made_again_is_told_from_the_old_one(raw: Account, link: str) -> None:
    rid = raw.call("GET", link).json["_rid"]
    raw.call("POST", f"{link}/docs", {"id": "a", "pk": "p"}, key=["p"])
    assert raw.call("DELETE", link).status == 204
    assert raw.call("POST", link.rsplit("/", 1)[0], {"id": "items", "partitionKey": {"paths": ["/pk"]}}).status == 201
    stale = raw.call("GET", f"{link}/docs/a", key=["p"], x_ms_cosmos_intended_collection_rid=rid)
    assert (stale.status, stale.headers["x-ms-substatus"]) == (400, "1024")
    assert raw.call("GET", f"{link}/docs/a", key=["p"]).status == 404


def test_larger_items_cost_more(raw: Account, link: str) -> None:
    charges = []
    for size in (100, 10_000, 100_000):
        raw.call("POST", f"{link}/docs", {"id": str(size), "pk": "p", "text": "x" * size}, key=["p"])
        charges.append(float(raw.call("GET", f"{link}/docs/{size}", key=["p"]).headers["x-ms-request-charge"]))
    assert charges == sorted(set(charges))


@pytest.mark.parametrize(
    "hostile",
    [
        b"\x00\xff\xfe garbage\r\n\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nauthorization: \xff\xfe\r\n\r\n",
        b"POST /dbs HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
        b"GET /" + b"a/" * 30_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_hostile_bytes_harm_nobody_else(raw: Account, hostile: bytes) -> None:
    address = raw.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=5) as connection:
        connection.sendall(hostile)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(5)
        connection.recv(4096)
    assert raw.call("GET", "dbs").status == 200


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM c WHERE RegexMatch(c.text, '(a+)+$')",
        "SELECT * FROM c WHERE c.text LIKE '%" + "_" * 2000 + "b%'",
        "SELECT VALUE COUNT(1) FROM c JOIN a IN c.list JOIN b IN c.list JOIN d IN c.list JOIN e IN c.list",
        "SELECT VALUE REPLACE(c.text, 'a', c.text) FROM c",
    ],
)
def test_queries_made_to_run_for_ever_are_stopped(raw: Account, link: str, text: str) -> None:
    item = {"id": "a", "pk": "p", "text": "a" * 40_000, "list": list(range(300))}
    assert raw.call("POST", f"{link}/docs", item, key=["p"]).status == 201
    started = time.monotonic()
    answer = raw.query(f"{link}/docs", text, key=["p"])
    assert answer.status in {200, 400}
    assert time.monotonic() - started < 60


def test_unknown_members_and_bad_values_of_a_container_are_refused(raw: Account, link: str) -> None:
    colls = link.rsplit("/", 1)[0]
    parts: list[dict[str, Any]] = [
        {"partitionKey": {"paths": ["/a", "/b"]}},
        {"partitionKey": {"paths": ["/a"], "version": 1}},
        {"partitionKey": {"paths": []}},
        {"defaultTtl": 0},
        {"uniqueKeyPolicy": {"uniqueKeys": [{"paths": []}]}},
        {"vectorEmbeddingPolicy": {"vectorEmbeddings": [{"path": "/v", "dataType": "float32", "dimensions": 3}]}},
        {"computedProperties": [{"name": "x", "query": "SELECT VALUE 1"}]},
        {"indexingPolicy": {"includedPaths": [{"path": "no-slash"}]}},
    ]
    for part in parts:
        definition = {"id": "bad", "partitionKey": {"paths": ["/pk"]}, **part}
        assert raw.call("POST", colls, definition).status == 400, part
