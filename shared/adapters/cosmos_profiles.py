"""Customer profiles in Cosmos DB: container `profiles`, partitioned by tenant, one item a customer.

The app only reads them. They are filled by whoever keeps the tenant's customers; `profile` is an object of short texts.
"""

from collections.abc import Mapping

from azure.cosmos.exceptions import CosmosHttpResponseError

from shared.adapters.cosmos_connection import CosmosConnection, within

CONTAINER = "profiles"


class CosmosProfiles:
    """The profiles on Cosmos DB."""

    def __init__(self, connection: CosmosConnection) -> None:
        """Takes the connection."""
        self._connection = connection

    async def get(self, tenant: str, customer_id: str) -> Mapping[str, str]:
        """See `shared.ports.Profiles`."""
        container = self._connection.container(CONTAINER)
        try:
            item = await within("read_profile", container.read_item(customer_id, partition_key=tenant))
        except CosmosHttpResponseError as fault:
            if fault.status_code != 404:
                raise
            return {}
        profile = item.get("profile")
        return profile if isinstance(profile, dict) else {}
