"""Cosmos DB: the containers that the app and local runs know, with indexes for what is asked of them."""

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.infra.bicep.resources import Resource
from tests.infra.rules.project import Project, Rule, declared, python_files

ACCOUNT = "Microsoft.DocumentDB/databaseAccounts"
CONTAINER = f"{ACCOUNT}/sqlDatabases/containers"
INDEXED = re.compile(r"\b(?:WHERE|ORDER BY|AND|OR)\b.*", re.DOTALL)
PATH = re.compile(r"\bc\.(\w+)")
POINT_IN_TIME = frozenset({"id", "vector", "_ts"})
"""The id and the time of the last write are always indexed; vectors have an index of their own."""


def containers_are_as_local_runs_declare_them(project: Project) -> Iterator[str]:
    wanted = {entry["name"]: entry for entry in declared("containers.json")["containers"]}
    for scenario in project.scenarios:
        found = {item.name: item for where, item in project.resources(CONTAINER) if where == scenario}
        if set(found) != set(wanted):
            yield f"{scenario}: containers {sorted(found)} instead of {sorted(wanted)}"
        for name in set(found) & set(wanted):
            for prop, here, there in _differences(found[name], wanted[name]):
                yield f"{scenario}: {prop} of {name} is {here!r} and locally {there!r}"


def _differences(container: Resource, wanted: dict[str, object]) -> Iterator[tuple[str, object, object]]:
    resource = container.properties["resource"]
    vectors = (resource.get("vectorEmbeddingPolicy") or {}).get("vectorEmbeddings", [])
    here = {
        "partitionKey": resource["partitionKey"]["paths"],
        "defaultTtl": resource.get("defaultTtl"),
        "vector": {name: vectors[0][name] for name in ("path", "dimensions", "distanceFunction")} if vectors else None,
    }
    for name, value in here.items():
        if value != wanted.get(name):
            yield name, value, wanted.get(name)


def partition_keys_are_of_the_right_kind(project: Project) -> Iterator[str]:
    for scenario, container in project.resources(CONTAINER):
        key = container.properties["resource"]["partitionKey"]
        kind = "MultiHash" if len(key["paths"]) > 1 else "Hash"
        if (key.get("kind"), key.get("version")) != (kind, 2):
            yield f"{scenario}: {container.name} needs the partition key kind {kind}, version 2, and has {key}"


def queries_find_an_index(project: Project) -> Iterator[str]:
    asked = _asked_paths()
    for scenario, container in project.resources(CONTAINER):
        policy = container.properties["resource"]["indexingPolicy"]
        included = {entry["path"] for entry in policy["includedPaths"]}
        if "/*" in included:
            continue
        for path in sorted(asked.get(container.name, set()) - POINT_IN_TIME):
            if f"/{path}/?" not in included:
                yield f"{scenario}: {container.name} is asked by {path}, which is not indexed"


@cache
def _asked_paths() -> dict[str, set[str]]:
    """The paths that the queries of each container's adapter filter or sort by."""
    found: dict[str, set[str]] = {}
    for module in python_files("shared/adapters"):
        texts = {
            target.id: str(node.value.value)
            for node in module.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        queries = [text for text in texts.values() if text.strip().upper().startswith("SELECT")]
        paths = {path for text in queries for part in INDEXED.findall(text) for path in PATH.findall(part)}
        found.setdefault(texts.get("CONTAINER", ""), set()).update(paths)
    return found


def vectors_are_indexed_once(project: Project) -> Iterator[str]:
    for scenario, container in project.resources(CONTAINER):
        resource = container.properties["resource"]
        for vector in (resource.get("vectorEmbeddingPolicy") or {}).get("vectorEmbeddings", []):
            if vector["path"] not in {entry["path"] for entry in resource["indexingPolicy"].get("vectorIndexes", [])}:
                yield f"{scenario}: {container.name} has no vector index on {vector['path']}"


def items_can_end(project: Project) -> Iterator[str]:
    for scenario, container in project.resources(CONTAINER):
        if container.properties["resource"]["indexingPolicy"].get("indexingMode") != "consistent":
            yield f"{scenario}: items of {container.name} end only with the indexing mode consistent"


def throughput_fits_the_account(project: Project) -> Iterator[str]:
    for scenario, container in project.resources(CONTAINER):
        account = container.parent and container.parent.parent
        capabilities = {entry["name"] for entry in account.properties["capabilities"]} if account else set()
        options = container.properties.get("options", {})
        if ("EnableServerless" in capabilities) == bool(options):
            yield f"{scenario}: {container.name} has the options {options} on an account with {sorted(capabilities)}"
        if "EnableNoSQLVectorSearch" not in capabilities:
            yield f"{scenario}: the account has no vector search"


RULES: tuple[Rule, ...] = (
    containers_are_as_local_runs_declare_them,
    partition_keys_are_of_the_right_kind,
    queries_find_an_index,
    vectors_are_indexed_once,
    items_can_end,
    throughput_fits_the_account,
)
