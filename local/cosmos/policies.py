"""What a container may be: its definition checked on the way in and turned into what the server needs."""

from dataclasses import dataclass
from typing import Any, Final

from local.cosmos.errors import bad_request, not_covered
from local.cosmos.indexing import IndexingPolicy, split_path
from local.cosmos.partitioning import KeyDefinition
from local.cosmos.sql.errors import QueryError
from local.cosmos.sql.functions.vectors import measure_named

_LEVELS_LIMIT: Final = 3
_DEFAULT_KEY: Final = {"paths": ["/_partitionKey"], "kind": "Hash", "version": 2, "systemKey": True}
_DEFAULT_INDEXING: Final = {
    "indexingMode": "consistent",
    "automatic": True,
    "includedPaths": [{"path": "/*"}],
    "excludedPaths": [{"path": '/"_etag"/?'}],
}
_VECTOR_TYPES: Final = frozenset({"float32", "float16", "int8", "uint8"})
_VECTOR_DIMENSIONS_LIMIT: Final = 4096
_REFUSED: Final = {
    "analyticalStorageTtl": "Analytical storage",
    "clientEncryptionPolicy": "Client-side encryption",
    "computedProperties": "A computed property",
    "fullTextPolicy": "Full-text search",
    "changeFeedPolicy": "The all-versions-and-deletes change feed",
    "materializedViewDefinition": "A materialized view",
    "createMode": "Restoring a container",
}

UniqueKey = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Policies:
    """What a container's definition means to the server.

    Attributes:
        key: Its partition key.
        default_ttl_seconds: Lifetime of items, -1 for none unless an item says so, None when lifetimes are off.
        unique_keys: Paths per unique key.
        indexing: What ORDER BY may use.
        measures: Distance function by path, from the vector policy.
    """

    key: KeyDefinition
    default_ttl_seconds: int | None
    unique_keys: tuple[UniqueKey, ...]
    indexing: IndexingPolicy
    measures: tuple[tuple[tuple[str, ...], str], ...]


def complete(definition: dict[str, Any]) -> dict[str, Any]:
    """A container's definition with the service's defaults filled in."""
    completed = dict(definition)
    key = definition.get("partitionKey") or _DEFAULT_KEY
    if isinstance(key, dict):
        key = {**key, "kind": key.get("kind", "Hash"), "version": key.get("version", 2)}
    completed["partitionKey"] = key
    indexing = definition.get("indexingPolicy")
    completed["indexingPolicy"] = {**_DEFAULT_INDEXING, **indexing} if isinstance(indexing, dict) else _DEFAULT_INDEXING
    completed.setdefault("conflictResolutionPolicy", {"mode": "LastWriterWins", "conflictResolutionPath": "/_ts"})
    completed.setdefault("geospatialConfig", {"type": "Geography"})
    return completed


def read_policies(definition: dict[str, Any]) -> Policies:
    """Checks a completed definition.

    Raises:
        CosmosError: 400 that names the part that is wrong or not covered.
    """
    for name, what in _REFUSED.items():
        if definition.get(name):
            raise not_covered(f"{what} ({name})")
    return Policies(
        _key_definition(definition["partitionKey"]),
        _default_ttl(definition),
        _unique_keys(definition.get("uniqueKeyPolicy")),
        IndexingPolicy.read(definition["indexingPolicy"]),
        _measures(definition.get("vectorEmbeddingPolicy")),
    )


def _key_definition(key: Any) -> KeyDefinition:
    paths = key.get("paths") if isinstance(key, dict) else None
    if not isinstance(paths, list) or not paths:
        raise bad_request("partitionKey.paths must be an array of paths.")
    kind = key["kind"]
    if kind not in {"Hash", "MultiHash"}:
        raise not_covered(f"The partition key kind {kind!r}")
    if key["version"] != 2:
        raise not_covered("Partition key version 1")
    most = _LEVELS_LIMIT if kind == "MultiHash" else 1
    if len(paths) > most:
        raise bad_request(f"A {kind} partition key has at most {most} paths.")
    return KeyDefinition(tuple(split_path(path) for path in paths), hierarchical=kind == "MultiHash")


def _default_ttl(definition: dict[str, Any]) -> int | None:
    value = definition.get("defaultTtl")
    if value is not None:
        check_ttl(value, "defaultTtl")
    return value


def check_ttl(value: Any, name: str) -> None:
    """Checks a lifetime in seconds: -1 or 1 to 2147483647.

    Raises:
        CosmosError: It is anything else.
    """
    if type(value) is not int or not (value == -1 or 1 <= value <= 2**31 - 1):
        raise bad_request(f"{name} must be -1 or a whole number of seconds from 1 to 2147483647.")


def _unique_keys(policy: Any) -> tuple[UniqueKey, ...]:
    if not policy:
        return ()
    keys = policy.get("uniqueKeys") if isinstance(policy, dict) else None
    if not isinstance(keys, list) or len(keys) > 10:
        raise bad_request("uniqueKeyPolicy.uniqueKeys must be an array of at most 10 unique keys.")
    for key in keys:
        if not isinstance(key, dict) or not isinstance(key.get("paths"), list) or not 1 <= len(key["paths"]) <= 16:
            raise bad_request("A unique key must have 1 to 16 paths.")
    return tuple(tuple(split_path(path) for path in key["paths"]) for key in keys)


def _measures(policy: Any) -> tuple[tuple[tuple[str, ...], str], ...]:
    if not policy:
        return ()
    embeddings = policy.get("vectorEmbeddings") if isinstance(policy, dict) else None
    if not isinstance(embeddings, list) or not all(isinstance(embedding, dict) for embedding in embeddings):
        raise bad_request("vectorEmbeddingPolicy.vectorEmbeddings must be an array of objects.")
    return tuple((split_path(embedding.get("path")), _measure(embedding)) for embedding in embeddings)


def _measure(embedding: dict[str, Any]) -> str:
    dimensions = embedding.get("dimensions")
    if type(dimensions) is not int or not 1 <= dimensions <= _VECTOR_DIMENSIONS_LIMIT:
        raise bad_request(f"A vector embedding's dimensions must be from 1 to {_VECTOR_DIMENSIONS_LIMIT}.")
    if str(embedding.get("dataType", "")).lower() not in _VECTOR_TYPES:
        raise bad_request(f"A vector embedding's dataType must be one of {', '.join(sorted(_VECTOR_TYPES))}.")
    try:
        return measure_named(embedding.get("distanceFunction"))
    except QueryError as error:
        raise bad_request(f"A vector embedding's {error}") from error
