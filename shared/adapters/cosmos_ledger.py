"""The shared account of each deployment in Cosmos DB: container `capacity`, one item a deployment."""

from typing import Any

from azure.core import MatchConditions
from azure.cosmos.exceptions import CosmosHttpResponseError

from shared.adapters.cosmos_connection import CosmosConnection, Item, number, within
from shared.ports import LedgerEntry

CONTAINER = "capacity"
TTL_SECONDS = 86_400
TRIES = 3


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

    async def write(self, name: str, account: dict[str, Any], *, version: str | None) -> LedgerEntry | None:
        """See `shared.ports.Ledger`."""
        body = {"id": name, "account": account, "ttl": TTL_SECONDS}
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
        self, name: str, *, slot: int, tokens: float, requests: int, token_ceiling: float, request_ceiling: float
    ) -> LedgerEntry | None:
        """See `shared.ports.Ledger`."""
        operations: list[Item] = [
            {"op": "incr", "path": "/account/spent", "value": tokens},
            {"op": "incr", "path": "/account/requests", "value": requests},
        ]
        condition = (
            f"FROM c WHERE c.account.slot = {slot:d} AND c.account.spent <= {number(token_ceiling - tokens)} "
            f"AND c.account.requests <= {number(request_ceiling - requests)}"
        )
        return await self._patch("take_ledger", name, operations, condition)

    async def cool(self, name: str, until: float) -> LedgerEntry | None:
        """See `shared.ports.Ledger`."""
        operations: list[Item] = [{"op": "set", "path": "/account/cooling_until", "value": until}]
        return await self._patch(
            "cool_ledger", name, operations, f"FROM c WHERE c.account.cooling_until < {number(until)}"
        )

    async def line_up(self, line: str, *, seconds: float, earliest: float) -> float:
        """See `shared.ports.Ledger`."""
        name = f"line:{line}"
        for _ in range(TRIES):
            push: list[Item] = [{"op": "incr", "path": "/end", "value": seconds}]
            pushed = await self._patched("push_line", name, push, f"FROM c WHERE c.end >= {number(earliest)}")
            if pushed is not None:
                return float(pushed["end"]) - seconds
            begin: list[Item] = [{"op": "set", "path": "/end", "value": earliest + seconds}]
            begun = await self._patched("begin_line", name, begin, f"FROM c WHERE c.end < {number(earliest)}")
            if begun is not None:
                return earliest
            body = {"id": name, "end": earliest + seconds, "ttl": TTL_SECONDS}
            try:
                await within("open_line", self._capacity.create_item(body, no_response=True))
            except CosmosHttpResponseError as fault:
                if fault.status_code != 409:
                    raise
            else:
                return earliest
        return earliest

    async def line_end(self, line: str) -> float:
        """See `shared.ports.Ledger`."""
        name = f"line:{line}"
        try:
            return float((await within("read_line", self._capacity.read_item(name, name)))["end"])
        except CosmosHttpResponseError as fault:
            if fault.status_code != 404:
                raise
            return 0.0

    async def _patch(self, operation: str, name: str, operations: list[Item], condition: str) -> LedgerEntry | None:
        item = await self._patched(operation, name, operations, condition)
        return None if item is None else _entry(item)

    async def _patched(self, operation: str, name: str, operations: list[Item], condition: str) -> Item | None:
        patch = self._capacity.patch_item(
            name, partition_key=name, patch_operations=operations, filter_predicate=condition
        )
        try:
            return dict(await within(operation, patch))
        except CosmosHttpResponseError as fault:
            if fault.status_code not in {404, 412}:
                raise
            return None

    @property
    def _capacity(self) -> Any:
        return self._connection.container(CONTAINER)


def _entry(item: Item) -> LedgerEntry:
    return LedgerEntry(item["account"], item["_etag"])
