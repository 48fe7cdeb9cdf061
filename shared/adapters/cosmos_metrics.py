"""Roll-ups in Cosmos DB: container `metrics`, partitioned by day."""

from typing import Any

from azure.core import MatchConditions
from azure.cosmos.exceptions import CosmosHttpResponseError

from shared.adapters.cosmos_connection import CosmosConnection, Item, all_rows, within

CONTAINER = "metrics"
OF_KIND = "SELECT * FROM c WHERE c.kind = @kind"


class CosmosMetrics:
    """The metrics store on Cosmos DB. All methods: see `shared.evaluating.ports.MetricsStore`."""

    def __init__(self, connection: CosmosConnection) -> None:
        """Takes the connection."""
        self._connection = connection

    async def get(self, day: str, document_id: str) -> Item | None:
        """One document."""
        try:
            found: Item = await within("read_metric", self._container.read_item(document_id, day))
        except CosmosHttpResponseError as fault:
            if fault.status_code != 404:
                raise
            return None
        return found

    async def put(self, document: Item) -> None:
        """Stores or replaces a document."""
        await within("put_metric", self._container.upsert_item(document, no_response=True))

    async def replace_or_create(self, document: Item) -> bool:
        """Stores a document unless somebody else did meanwhile."""
        if "_etag" not in document:
            work = self._container.create_item(document, no_response=True)
        else:
            work = self._container.replace_item(
                document["id"],
                document,
                etag=document["_etag"],
                match_condition=MatchConditions.IfNotModified,
                no_response=True,
            )
        try:
            await within("replace_metric", work)
        except CosmosHttpResponseError as fault:
            if fault.status_code not in {404, 409, 412}:
                raise
            return False
        return True

    async def of_kind(self, day: str, kind: str) -> list[Item]:
        """All documents of a kind on a day."""
        parameters = [{"name": "@kind", "value": kind}]
        rows = self._container.query_items(OF_KIND, parameters=parameters, partition_key=day)
        return await all_rows("find_metrics", rows)

    @property
    def _container(self) -> Any:
        return self._connection.container(CONTAINER)
