"""Transactional batches, and the bulk form without a transaction."""

from collections.abc import Callable
from typing import Any, Final

import orjson

from local.cosmos.catalog import Container
from local.cosmos.errors import CosmosError, bad_request
from local.cosmos.items import Conditions, Items, Outcome
from local.cosmos.partitioning import Key
from local.cosmos.request import Reply
from local.cosmos.store import Store

OPERATIONS_LIMIT: Final = 100
_FAILED_CHARGE: Final = 1.0

Operation = Callable[[Container, Key, dict[str, Any]], Outcome]


class _Stopped(Exception):
    """An operation of an atomic batch failed; the others are undone."""


class Batches:
    """Runs several item operations in one request."""

    def __init__(self, items: Items, store: Store) -> None:
        self._store = store
        self._operations: Final[dict[str, Operation]] = {
            "Create": lambda container, key, operation: items.create(container, key, operation.get("resourceBody")),
            "Upsert": lambda container, key, operation: items.upsert(
                container, key, operation.get("resourceBody"), _conditions(operation)
            ),
            "Read": lambda container, key, operation: items.read(
                container, key, _id(operation), _conditions(operation)
            ),
            "Replace": lambda container, key, operation: items.replace(
                container, key, _id(operation), operation.get("resourceBody"), _conditions(operation)
            ),
            "Delete": lambda container, key, operation: items.delete(
                container, key, _id(operation), _conditions(operation)
            ),
            "Patch": lambda container, key, operation: items.patch(
                container, key, _id(operation), operation.get("resourceBody"), _conditions(operation)
            ),
        }

    def run(
        self, container: Container, key_header: str | None, operations: Any, *, is_atomic: bool, is_minimal: bool
    ) -> Reply:
        """Runs the operations in order.

        Args:
            container: Where.
            key_header: Partition key of all operations, or None when each brings its own.
            operations: What the request's body holds.
            is_atomic: All of them or none.
            is_minimal: Whether written items are left out of the reply.

        Raises:
            CosmosError: 400 when the batch itself is wrong.
        """
        if not isinstance(operations, list) or not 1 <= len(operations) <= OPERATIONS_LIMIT:
            raise bad_request(f"A batch has 1 to {OPERATIONS_LIMIT} operations.")
        if is_atomic and key_header is None:
            raise bad_request("A transactional batch needs a partition key.")
        results: list[dict[str, Any]] = []
        try:
            with self._store.all_or_nothing():
                for operation in operations:
                    result = self._result(container, key_header, operation, is_minimal=is_minimal)
                    results.append(result)
                    _stop_at(result, is_atomic=is_atomic)
        except _Stopped:
            undone = {"statusCode": 424, "requestCharge": 0.0}
            before, failed = len(results) - 1, results[-1]
            results = [undone] * before + [failed] + [undone] * (len(operations) - before - 1)
        all_done = all(result["statusCode"] < 400 for result in results)
        charge = sum(result["requestCharge"] for result in results)
        return Reply(200 if all_done else 207, orjson.dumps(results), charge=charge)

    def _result(
        self, container: Container, key_header: str | None, operation: Any, *, is_minimal: bool
    ) -> dict[str, Any]:
        try:
            with self._store.all_or_nothing():
                outcome = self._run(container, key_header, operation)
        except CosmosError as error:
            failed = {"statusCode": error.status, "subStatusCode": error.substatus, "message": error.message}
            return {**failed, "requestCharge": _FAILED_CHARGE}
        result: dict[str, Any] = {"statusCode": outcome.status, "requestCharge": outcome.charge}
        if outcome.etag is not None:
            result["eTag"] = outcome.etag
        if outcome.body and not (is_minimal and operation["operationType"] != "Read"):
            result["resourceBody"] = orjson.Fragment(outcome.body)
        return result

    def _run(self, container: Container, key_header: str | None, operation: Any) -> Outcome:
        if not isinstance(operation, dict) or operation.get("operationType") not in self._operations:
            raise bad_request(f"operationType must be one of {', '.join(self._operations)}.")
        header = key_header if key_header is not None else _own_key_header(operation)
        key = container.policies.key.of_header(header)
        return self._operations[operation["operationType"]](container, key, operation)


def _stop_at(result: dict[str, Any], *, is_atomic: bool) -> None:
    if is_atomic and result["statusCode"] >= 400:
        raise _Stopped


def _own_key_header(operation: dict[str, Any]) -> str:
    key = operation.get("partitionKey")
    if key is None:
        raise bad_request("An operation outside a transaction needs its own partitionKey.")
    return key if isinstance(key, str) else orjson.dumps(key).decode()


def _conditions(operation: dict[str, Any]) -> Conditions:
    return Conditions(operation.get("ifMatch"), operation.get("ifNoneMatch"))


def _id(operation: dict[str, Any]) -> str:
    name = operation.get("id")
    if not isinstance(name, str):
        raise bad_request("The operation needs an id.")
    return name
