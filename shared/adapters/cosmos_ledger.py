"""The shared accounts and lines in Cosmos DB: container `capacity`, one item a deployment and one a pool."""

from typing import Any

from azure.core import MatchConditions
from azure.cosmos.exceptions import CosmosHttpResponseError

from shared.adapters.cosmos_connection import CosmosConnection, Item, number, within
from shared.ports import LedgerEntry

CONTAINER = "capacity"
TTL_SECONDS = 86_400


class CosmosLedger:
    """See `shared.ports.Ledger`. The account's arithmetic is the caller's; here it is only kept."""

    def __init__(self, connection: CosmosConnection) -> None:
        """Takes the connection."""
        self._connection = connection

    async def read(self, name: str) -> LedgerEntry | None:
        """See `shared.ports.Ledger`."""
        try:
            return _entry(await within("read_ledger", self._capacity.read_item(name, name)))
        except CosmosHttpResponseError as fault:
            if fault.status_code != 404:
                raise
            return None

    async def write(
        self, name: str, account: dict[str, Any], *, version: str | None, lasting: bool = False
    ) -> LedgerEntry | None:
        """See `shared.ports.Ledger`."""
        body = {"id": name, "account": account} | ({} if lasting else {"ttl": TTL_SECONDS})
        try:
            if version is None:
                return _entry(await within("open_ledger", self._capacity.create_item(body)))
            replace = self._capacity.replace_item(
                name, body, etag=version, match_condition=MatchConditions.IfNotModified
            )
            return _entry(await within("advance_ledger", replace))
        except CosmosHttpResponseError as fault:
            if fault.status_code not in {404, 409, 412}:
                raise
            return None

    async def take(
        self,
        name: str,
        *,
        slot: int,
        tokens: float,
        requests: int,
        urgent: float,
        token_ceiling: float,
        request_ceiling: float,
    ) -> LedgerEntry | None:
        """See `shared.ports.Ledger`."""
        operations: list[Item] = [
            {"op": "incr", "path": "/account/spent", "value": tokens},
            {"op": "incr", "path": "/account/requests", "value": requests},
            {"op": "incr", "path": "/account/urgent", "value": urgent},
        ]
        condition = (
            f"FROM c WHERE c.account.slot = {slot:d} AND c.account.spent <= {number(token_ceiling - tokens)} "
            f"AND c.account.requests <= {number(request_ceiling - requests)}"
        )
        patch = self._capacity.patch_item(
            name, partition_key=name, patch_operations=operations, filter_predicate=condition
        )
        try:
            return _entry(await within("take_ledger", patch))
        except CosmosHttpResponseError as fault:
            if fault.status_code not in {404, 412}:
                raise
            return None

    @property
    def _capacity(self) -> Any:
        return self._connection.container(CONTAINER)


def _entry(item: Item) -> LedgerEntry:
    return LedgerEntry(item["account"], item["_etag"])
