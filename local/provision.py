"""Creates the app's database and containers, as the infrastructure does in Azure; the app itself never does."""

import json
from pathlib import Path
from typing import Any

from azure.cosmos import CosmosClient, PartitionKey

CONTAINERS = Path(__file__).with_name("containers.json")


def provision(endpoint: str, key: str, database: str, declaration: Path = CONTAINERS) -> list[str]:
    """Creates what is declared and missing; the names of all containers.

    Args:
        endpoint: Address of the Cosmos DB account.
        key: Its key.
        database: Name of the database.
        declaration: JSON file with `containers`: name, partitionKey, defaultTtl and vector.
    """
    containers = json.loads(declaration.read_text(encoding="utf-8"))["containers"]
    with CosmosClient(endpoint, credential=key) as client:
        target = client.create_database_if_not_exists(database)
        for container in containers:
            target.create_container_if_not_exists(
                container["name"], _partition_key(container["partitionKey"]), **_options(container)
            )
    return [container["name"] for container in containers]


def _partition_key(paths: list[str]) -> Any:
    return PartitionKey(paths[0]) if len(paths) == 1 else PartitionKey(paths, kind="MultiHash")


def _options(container: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {"default_ttl": container["defaultTtl"]}
    if vector := container.get("vector"):
        embedding = {
            "path": vector["path"],
            "dataType": "float32",
            "dimensions": vector["dimensions"],
            "distanceFunction": vector["distanceFunction"],
        }
        options["vector_embedding_policy"] = {"vectorEmbeddings": [embedding]}
        options["indexing_policy"] = {
            "includedPaths": [{"path": "/*"}],
            "excludedPaths": [{"path": f"{vector['path']}/*"}],
            "vectorIndexes": [{"path": vector["path"], "type": "quantizedFlat"}],
        }
    return options
